"""A rapid-test reader's line from bytes to captures owed: crashes, a full disk, a real gateway."""

import itertools
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import journal
from instruments.drivers import DRIVERS
from instruments.gateway import main
from instruments.intake import Intake, intake_of
from instruments.journal import Journal
from instruments.measurement import Capture, digest_of
from instruments.outbox import Outbox
from instruments.poct.documents import Documents
from instruments.poct.message import Message, read
from instruments.reader import Reader
from tests.instruments.bench_stand import Bench, bench_in
from tests.instruments.poct1_messages import NOW, acknowledged, control, hello, observed, status
from tests.instruments.test_hl7_intake import called
from tests.instruments.test_intake import Gateway
from tests.instruments.test_journal import files_no_larger_than
from tests.until import WITHIN_S, until

ONE = observed(("SARS", "negative"), control_id="1")
TWO = observed(("SARS", "positive"), specimen="B", control_id="2")


class ReaderGateway(Gateway):
    """`Gateway` on a POCT1 line."""

    intake: Intake

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal", now=NOW, **self.limits)
        self.outbox = Outbox(self.folder / "outbox")
        ticks = itertools.count()
        self.intake = intake_of(
            Reader(DRIVERS[self.driver], "sofia-1"),
            self.journal,
            self.outbox,
            lambda: NOW + timedelta(0, next(ticks)),
            idle_timeout_s=30.0,
        )
        self.intake.take_up(self.now_s)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[ReaderGateway]:
    gateway = ReaderGateway(tmp_path, driver="sofia2")
    yield gateway
    gateway.journal.close()


def messages(sent: bytes) -> list[Message]:
    return [read(piece.data) for piece in Documents().feed(sent)]


def said(sent: bytes) -> list[tuple[str, str]]:
    return [
        (each.root.value("ACK.type_cd"), each.root.value("ACK.ack_control_id"))
        for each in messages(sent)
        if each.kind == "ACK.R01"
    ]


def told(capture: Capture) -> tuple[str | None, list[str]]:
    reason = capture.quarantine.reason if capture.quarantine else None
    return reason, [m.specimen for m in capture.measurements]


def test_an_observation_is_owed_once_with_its_measurements(gateway: ReaderGateway) -> None:
    assert said(gateway.hears(hello() + ONE + TWO)) == [("AA", "1"), ("AA", "1"), ("AA", "2")]
    first, second = gateway.owed()
    assert (first.raw, first.complete) == (ONE, True)
    assert (told(first), told(second)) == ((None, ["TT7K40FQ9XB"]), (None, ["B"]))
    gateway.killed()
    assert gateway.owed() == []


def test_killed_between_keeping_and_the_answer_the_repeat_is_the_same_message(
    gateway: ReaderGateway,
) -> None:
    def dies(_data: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gateway.intake.hear(ONE, 0.0, dies)
    gateway.killed()
    assert said(gateway.hears(ONE)) == [("AA", "1")]
    assert {capture.digest for capture in gateway.owed()} == {digest_of(ONE)}


def test_a_full_disk_is_an_error_and_nothing_is_owed_until_it_is_sent_again(
    gateway: ReaderGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROOM_BYTES", 0)
    gateway.hears(TWO)
    (segment,) = (tmp_path / "journal").glob("journal-*.log")
    with files_no_larger_than(segment.stat().st_size):
        assert said(gateway.hears(ONE)) == [("AE", "1")]
    assert [capture.raw for capture in gateway.owed()] == [TWO]
    assert said(gateway.hears(ONE)) == [("AA", "1")]
    assert [capture.raw for capture in gateway.owed()] == [ONE]


def test_what_is_no_message_is_owed_with_its_reason_though_it_was_not_accepted(
    gateway: ReaderGateway,
) -> None:
    bad = ONE.replace(b"<OBS.R01>", b"<!DOCTYPE a><OBS.R01>")
    assert said(gateway.hears(bad)) == [("AE", "1")]
    (capture,) = gateway.owed()
    assert (capture.raw, told(capture)) == (bad, ("document-type", []))


def test_a_message_that_breaks_off_is_seen_and_the_whole_one_comes_after(
    gateway: ReaderGateway,
) -> None:
    gateway.hears(ONE[:300])
    gateway.hears(hello() + ONE)
    part, whole = gateway.owed()
    assert (told(part), part.complete, part.raw) == (("broken-off", []), False, ONE[:300])
    assert told(whole) == (None, ["TT7K40FQ9XB"])


def test_a_quality_control_is_delivered_and_a_calibration_says_nothing(
    gateway: ReaderGateway,
) -> None:
    gateway.hears(control() + control("", name="Calibration Result"))
    quality, calibration = gateway.owed()
    assert told(quality) == (None, ["Positive Control"])
    assert told(calibration) == (None, [])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_killed_at_any_moments_every_acknowledged_message_is_owed(data: st.DataObject) -> None:
    """The reader sends its messages one by one, each again until it is accepted."""
    with TemporaryDirectory() as name:
        gateway = ReaderGateway(Path(name), driver="sofia2")
        captures: list[Capture] = []
        for sent in (observed(specimen=f"S{n}", control_id=n) for n in "123"):
            for crash in [*data.draw(st.lists(st.booleans(), max_size=3), "crashes"), False]:
                cut = data.draw(st.integers(0, len(sent)), "sent before it")
                accepted = said(gateway.hears(sent[:cut]))
                captures += gateway.owed() if data.draw(st.booleans(), "posted") else []
                if crash:
                    gateway.killed()
                elif not accepted:
                    accepted = said(gateway.hears(sent[cut:]))
                if accepted:
                    break
        captures += gateway.owed()
        gateway.journal.close()
    whole = [capture for capture in captures if capture.complete]
    assert [m.specimen for c in whole for m in c.measurements] == ["S1", "S2", "S3"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def test_a_reader_that_calls_a_real_gateway_is_heard_and_told_again(bench: Bench) -> None:
    """As a Sofia does: it greets, is put into continuous mode, reports, and is cut off once."""
    port = bench.port()
    line = {"instrument": "sofia-1", "driver": "sofia2", "link": f"listen://127.0.0.1:{port}"}
    gateway = bench.gateway_of(line)
    until(lambda: gateway.events("link up"), "the line")
    with called(port) as calling:
        assert asked(calling, hello("START_CONTINUOUS"), 1) == ["ACK.R01"]
        assert asked(calling, status(1), 2) == ["ACK.R01", "DTV.R01"]
        assert asked(calling, acknowledged("3") + ONE, 1) == ["ACK.R01"]
        calling.sendall(TWO[:200])
    with called(port) as calling:
        assert asked(calling, hello("START_CONTINUOUS") + TWO, 2) == ["ACK.R01", "ACK.R01"]
    until(lambda: len(whole(bench)) == 2, "both results at the LIMS")
    assert sorted(told(each)[1] for each in whole(bench)) == [["B"], ["TT7K40FQ9XB"]]
    again = CliRunner().invoke(
        main, ["replay", str(bench.file), "--since", "2021-01-01", "--dry-run", "--json"]
    )
    replayed = json.loads(again.stdout)["replayed"]
    assert {each.digest for each in whole(bench)} <= {each["digest"] for each in replayed}


def whole(bench: Bench) -> list[Capture]:
    """What broke off may be heard or not: the new call puts an end to the old one."""
    return [each for each in bench.lims.captures if each.complete]


def asked(calling: socket.socket, data: bytes, many: int) -> list[str]:
    """What is said to these bytes: so many messages."""
    calling.settimeout(WITHIN_S)
    calling.sendall(data)
    answer = b""
    while len(messages(answer)) < many:
        heard = calling.recv(4096)
        assert heard, "the gateway hung up"
        answer += heard
    return [each.kind for each in messages(answer)]
