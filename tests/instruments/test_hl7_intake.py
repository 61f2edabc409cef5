"""An MLLP line from bytes to captures owed, over crashes, a full disk and every split point."""

import itertools
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import journal
from instruments.drivers import DRIVERS
from instruments.hl7.message import read
from instruments.intake import Intake, intake_of
from instruments.journal import Journal
from instruments.line import Received
from instruments.measurement import Capture, digest_of
from instruments.outbox import Outbox
from instruments.reader import Reader
from tests.instruments.bench_stand import Bench, bench_in
from tests.instruments.hl7_messages import (
    NOW,
    alinity,
    block,
    captured,
    cobas6800,
    every_split,
    queried,
)
from tests.instruments.test_intake import Gateway
from tests.instruments.test_journal import files_no_larger_than
from tests.until import WITHIN_S, until

ONE = cobas6800(("TGT1", "NEG", "^^35.1"), ("TGT2", "NEG", ""), control_id="M1")
TWO = cobas6800(("TGT1", "POS", "21.5^^30"), specimen="B", control_id="M2")


class MllpGateway(Gateway):
    """`Gateway` on an MLLP line."""

    intake: Intake

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal", now=NOW, **self.limits)
        self.outbox = Outbox(self.folder / "outbox")
        reader = Reader(DRIVERS[self.driver], "cobas-1")
        ticks = itertools.count()
        self.intake = intake_of(
            reader,
            self.journal,
            self.outbox,
            lambda: NOW + timedelta(0, next(ticks)),
            idle_timeout_s=30.0,
        )
        self.intake.take_up(self.now_s)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[MllpGateway]:
    gateway = MllpGateway(tmp_path, driver="cobas")
    yield gateway
    gateway.journal.close()


def said(reply: bytes) -> list[tuple[str, str]]:
    answers = [read(each.strip(b"\x0b")) for each in reply.split(b"\x1c\r") if each]
    return [(msa.value(1), msa.value(2)) for each in answers for msa in each.named("MSA")]


def told(capture: Capture) -> tuple[str | None, list[str]]:
    reason = capture.quarantine.reason if capture.quarantine else None
    return reason, [m.specimen for m in capture.measurements]


def test_a_block_is_owed_once_with_its_measurements(gateway: MllpGateway) -> None:
    assert said(gateway.hears(block(ONE) + block(TWO))) == [("AA", "M1"), ("AA", "M2")]
    first, second = gateway.owed()
    assert (first.raw, first.complete) == (ONE, True)
    assert (told(first), told(second)) == ((None, ["TT7K40FQ9XB"]), (None, ["B"]))
    assert (first.instrument, first.driver) == ("cobas-1", "cobas")
    gateway.killed()
    assert gateway.owed() == []


def test_killed_between_keeping_and_the_answer_the_repeat_is_the_same_message(
    gateway: MllpGateway,
) -> None:
    def dies(_data: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gateway.intake.hear(block(ONE), 0.0, dies)
    gateway.killed()
    assert said(gateway.hears(block(ONE))) == [("AA", "M1")]
    assert {capture.digest for capture in gateway.owed()} == {digest_of(ONE)}


def test_a_full_disk_is_an_error_and_nothing_is_owed_until_it_is_sent_again(
    gateway: MllpGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROOM_BYTES", 0)
    gateway.hears(block(TWO))
    (segment,) = (tmp_path / "journal").glob("journal-*.log")
    with files_no_larger_than(segment.stat().st_size):
        assert said(gateway.hears(block(ONE))) == [("AE", "M1")]
    assert [capture.raw for capture in gateway.owed()] == [TWO]
    assert said(gateway.hears(block(ONE))) == [("AA", "M1")]
    assert [capture.raw for capture in gateway.owed()] == [ONE]


def test_a_block_that_breaks_off_is_seen_and_the_whole_one_comes_after(
    gateway: MllpGateway,
) -> None:
    gateway.hears(b"\x0b" + ONE[:300])
    gateway.waits(30.0)
    gateway.hears(block(ONE))
    part, whole = gateway.owed()
    assert (told(part), part.complete, part.raw) == (("broken-off", []), False, b"\x0b" + ONE[:300])
    assert told(whole) == (None, ["TT7K40FQ9XB"])


def test_a_block_that_lacked_only_its_end_is_read_when_it_comes_with_it(
    gateway: MllpGateway,
) -> None:
    gateway.hears(b"\x0b" + ONE)
    gateway.waits(30.0)
    assert said(gateway.hears(block(ONE))) == [("AA", "M1")]
    part, whole = gateway.owed()
    assert told(part) == ("broken-off", [])
    assert (told(whole), whole.digest) == ((None, ["TT7K40FQ9XB"]), digest_of(ONE))


def test_a_part_before_a_crash_was_never_acknowledged(gateway: MllpGateway) -> None:
    assert gateway.hears(b"\x0b" + ONE[:300]) == b""
    gateway.killed()
    assert gateway.hears(ONE[300:] + b"\x1c\r") == b""
    assert said(gateway.hears(block(ONE))) == [("AA", "M1")]
    assert [told(capture) for capture in gateway.owed()] == [(None, ["TT7K40FQ9XB"])]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"not a message at all", "no-header"),
        (ONE.replace(b"ASCII", b"JAS2020").replace(b"FBN", b"\xff"), "unknown-charset"),
        (alinity("x", "y", "20"), "another-instrument"),
    ],
)
def test_what_cannot_be_read_is_owed_with_its_bytes_and_a_reason(
    gateway: MllpGateway, message: bytes, reason: str
) -> None:
    gateway.hears(block(message))
    (capture,) = gateway.owed()
    assert (capture.raw, told(capture)) == (message, (reason, []))


def test_a_query_is_answered_and_owes_nothing(gateway: MllpGateway) -> None:
    assert said(gateway.hears(block(queried("A")))) == [("AE", "Q1")]
    assert gateway.owed() == []


CAPTURED = {
    "cobas6800_target_not_detected.hl7": ("cobas", (None, ["WB26-02135"])),
    "cobas6800_invalid.hl7": ("cobas", (None, ["BP26-16850"])),
    "udsm_cobas6800_sarscov2_escaped.txt": ("cobas", (None, ["TBY 7363"])),
    "cobas4800_run_multi_SPM.hl7": (
        "cobas4800",
        (None, ["0PHJ100001N0QVJ", "VL260001", "VL260002", "VL260003", "VL260004", ""]),
    ),
}


@pytest.mark.parametrize("name", CAPTURED)
def test_every_capture_is_delivered_alike_however_it_is_split(name: str, tmp_path: Path) -> None:
    driver, expected = CAPTURED[name]
    data = block(captured(name))
    gateway = MllpGateway(tmp_path, driver=driver)
    gateway.hears(data)
    (whole,) = gateway.owed()
    assert told(whole) == expected
    reader = Reader(DRIVERS[driver], "cobas-1")
    assert whole.measurements == (reader.capture(Received(whole.raw), NOW) or whole).measurements
    for pieces in list(every_split(data))[:: max(1, len(data) // 60)]:
        for piece in pieces:
            gateway.hears(piece)
        (again,) = gateway.owed()
        assert (again.digest, again.measurements) == (whole.digest, whole.measurements)
    gateway.journal.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_killed_at_any_moments_every_acknowledged_message_is_owed(data: st.DataObject) -> None:
    """The analyser sends its messages one by one, each again until it is accepted."""
    messages = [cobas6800(("TGT1", "NEG", ""), specimen=f"S{n}", control_id=f"C{n}") for n in "123"]
    with TemporaryDirectory() as name:
        gateway = MllpGateway(Path(name), driver="cobas")
        captures: list[Capture] = []
        for sent in map(block, messages):
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


def test_a_real_gateway_on_a_port_that_the_machine_calls(bench: Bench, tmp_path: Path) -> None:
    """And calls anew for every message, as the rapid readers do."""
    port = bench.port()
    (tmp_path / "token").write_text("today\n")
    bench.lims.start()
    options = {
        "--link": f"listen://127.0.0.1:{port}",
        "--driver": "cobas",
        "--spool": bench.spool,
        "--post": bench.lims.url,
        "--token-file": tmp_path / "token",
    }
    words = [str(word) for option in options.items() for word in option]
    running = bench._run(["-c", "from instruments.gateway import main; main()", *words], "gateway")
    until(lambda: running.events("started"), "the gateway")
    for message in (ONE, TWO):
        with called(port) as line:
            line.sendall(block(message))
            reply = b""
            while not reply.endswith(b"\x1c\r"):
                heard = line.recv(4096)
                assert heard, "the gateway hung up"
                reply += heard
        assert said(reply)[0][0] == "AA"
    until(lambda: len(bench.lims.taken) == 2, "both messages at the LIMS")
    assert {told(capture)[1][0] for capture in bench.lims.captures} == {"TT7K40FQ9XB", "B"}


def called(port: int) -> socket.socket:
    line: list[socket.socket] = []

    def answered() -> bool:
        try:
            line.append(socket.create_connection(("127.0.0.1", port), WITHIN_S))
        except OSError:
            return False
        return True

    until(answered, "the gateway's port")
    return line[0]
