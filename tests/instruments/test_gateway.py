"""The gateway's process between a real pseudo-terminal and a real HTTP server."""

import json
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from instruments.gateway import main
from instruments.measurement import Capture
from instruments.outbox import waiting_in
from instruments.poster import Answer, backoff_s, judged
from tests.instruments.bench_stand import IMPATIENT_S, PATIENT_S, Bench, a_plate, bench_in
from tests.until import WITHIN_S, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def whole_plates(bench: Bench) -> list[str | None]:
    """Runs of which a whole message was taken, in the order taken."""
    taken = [c for c in bench.lims.captures if c.complete and not c.quarantine]
    return [capture.measurements[0].run for capture in taken]


def test_a_full_plate_and_a_cartridge_reach_the_lims(bench: Bench) -> None:
    analyser, gateway = bench.analyser(), bench.gateway()
    analyser.tell(a_plate("PL7", wells=96))
    until(lambda: analyser.lines and bench.lims.taken, "the plate")
    assert json.loads(analyser.lines[0]) == {"sent": "PL7", "frames": 2 + 96 * 4 + 1}
    (capture,) = bench.lims.captures
    assert capture.complete
    assert len(capture.measurements) == 96
    assert capture.measurements[4].targets[0].ct_cycles is None
    assert capture.measurements[95].role == "negative_control"
    bench.until_nothing_is_owed()
    assert gateway.end(signal.SIGTERM) == 0
    assert gateway.events("stopped")[0]["waiting"] == 0
    analyser.end()

    xpert = bench.analyser("genexpert")
    bench.gateway("genexpert")
    xpert.tell({"specimen": "A1,A2", "call": "NEGATIVE", "targets": {"E": None, "SPC": 29.3}})
    until(lambda: len(bench.lims.taken) == 2, "the cartridge")
    cartridge = bench.lims.captures[1].measurements[0]
    assert (cartridge.specimens, cartridge.call) == (("A1", "A2"), "NEGATIVE")


def test_with_the_lims_away_the_analyser_is_served_and_all_is_posted_in_order_after(
    bench: Bench,
) -> None:
    bench.lims.start()
    bench.lims.stop()
    analyser, gateway = bench.analyser(), bench.gateway()
    for name in ("PL1", "PL2", "PL3"):
        analyser.tell(a_plate(name))
    until(lambda: len(analyser.lines) == 3, "three acknowledged plates")
    until(lambda: waiting_in(bench.spool / "outbox") == 3, "three letters owed")
    assert gateway.end(signal.SIGTERM) == 0
    status = CliRunner().invoke(main, ["status", "--spool", str(bench.spool), "--json"])
    assert json.loads(status.stdout)["lines"][0]["waiting"] == 3
    bench.gateway()
    bench.lims.start()
    until(lambda: len(bench.lims.taken) == 3, "three posts")
    assert whole_plates(bench) == ["PL1", "PL2", "PL3"]


def test_a_capture_the_lims_will_not_take_holds_up_nothing_and_can_be_put_back(
    bench: Bench,
) -> None:
    def refuse(capture: Capture) -> int | None:
        return 409 if b"PL1" in capture.raw else None

    bench.lims.refuse = refuse
    analyser, gateway = bench.analyser(), bench.gateway()
    analyser.tell(a_plate("PL1"))
    analyser.tell(a_plate("PL2"))
    until(lambda: whole_plates(bench) == ["PL2"], "the plate behind")
    bench.until_nothing_is_owed()
    status = CliRunner().invoke(main, ["status", "--spool", str(bench.spool)])
    assert re.search(r"waiting +0\n", status.stdout)
    assert re.search(r"dead +1\n", status.stdout)
    assert "content-conflict  409" in status.stdout
    assert "/problems/refused" in status.stdout
    assert "-> look at the message in the LIMS" in status.stdout

    bench.lims.refuse = lambda _capture: None
    put_back = CliRunner().invoke(main, ["retry", "--all", "--spool", str(bench.spool)])
    assert put_back.stdout == "1 put back\n"
    until(lambda: len(bench.lims.taken) == 2, "the capture put back, beside the running gateway")
    assert gateway.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 503])
def test_trouble_that_may_pass_is_no_verdict_on_the_message(status: int) -> None:
    assert judged(httpx.Response(status)) is Answer.AGAIN


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_refusal_of_the_message_itself_is_final(status: int) -> None:
    assert judged(httpx.Response(status)) is Answer.DEAD


def test_trouble_that_passes_was_tried_again(bench: Bench) -> None:
    bench.lims.refuse = lambda _capture: 503 if len(bench.lims.posts) < 3 else None
    analyser, _gateway = bench.analyser(), bench.gateway()
    analyser.tell(a_plate())
    until(lambda: bench.lims.taken, "the plate")
    assert len(bench.lims.posts) == 3


def test_a_token_changed_while_we_run_is_read_anew(bench: Bench) -> None:
    analyser, _gateway = bench.analyser(), bench.gateway()
    analyser.tell(a_plate("PL1"))
    until(lambda: bench.lims.taken, "the first plate")
    bench.lims.token = "tomorrow"
    analyser.tell(a_plate("PL2"))
    until(lambda: len(analyser.lines) == 2, "the second plate acknowledged")
    (bench.folder / "token").write_text("tomorrow")
    until(lambda: len(bench.lims.taken) == 2, "the second plate")


@pytest.mark.parametrize(
    "kind",
    ["bad-checksum", "lost-ack", "noise", "duplicate", "drop-and-resume", "drop-and-repeat"],
)
def test_an_analyser_that_misbehaves_loses_and_doubles_nothing(bench: Bench, kind: str) -> None:
    # Half of that passes before a message comes again, and whatever takes longer breaks one off.
    reply_timeout_s = 10.0 if kind == "duplicate" or kind.startswith("drop") else PATIENT_S
    analyser = bench.analyser("plate96", kind, reply_timeout_s=reply_timeout_s)
    bench.gateway()
    analyser.tell(a_plate("PL7", wells=8))
    until(lambda: "PL7" in whole_plates(bench), "the whole plate")
    until(lambda: analyser.lines, "the analyser's own word")
    assert len(bench.lims.wells()) == 8
    assert [c.quarantine for c in bench.lims.captures if c.quarantine] == []
    assert len(whole_plates(bench)) == 1
    if not kind.startswith("drop"):
        assert len(bench.lims.taken) == 1


@pytest.mark.parametrize("resumes", [True, False])
def test_half_a_run_gives_94_results_once_if_it_resumes_and_40_held_ones_if_not(
    bench: Bench, resumes: bool
) -> None:
    forty_wells = 2 + 40 * 4 + 1
    kind, silent_s = ("drop-and-resume", 10.0) if resumes else ("drop-and-repeat", 600.0)
    analyser = bench.analyser("plate96", kind, reply_timeout_s=silent_s, drop_after=forty_wells)
    bench.gateway(idle_timeout_s=30.0 if resumes else 8.0)
    analyser.tell(a_plate("PL7", wells=94))
    until(lambda: bench.lims.taken, "what was held")
    (held, *_rest) = bench.lims.captures
    assert not held.complete
    assert held.quarantine is None
    assert len(held.measurements) == 40
    if resumes:
        until(lambda: whole_plates(bench), "the whole plate")
        assert len(bench.lims.wells()) == 94


FALL = """
import os, signal
from instruments import link
write, replies = link.Link.write, iter(range(10_000))
def fall(self, data):
    if next(replies) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, data)
link.Link.write = fall
"""


@pytest.mark.crash
@pytest.mark.parametrize("at", [0, 7, 27])
def test_killed_between_keeping_and_acknowledging_the_plate_arrives_whole(
    bench: Bench, at: int
) -> None:
    analyser = bench.analyser(reply_timeout_s=IMPATIENT_S)
    fallen = bench.gateway(before=FALL.format(at=at))
    analyser.tell(a_plate("PL7", wells=6))
    assert fallen.process.wait(WITHIN_S) == -signal.SIGKILL
    bench.gateway()
    until(lambda: analyser.lines and "PL7" in whole_plates(bench), "the whole plate")
    assert len(bench.lims.wells()) == 6
    assert len(whole_plates(bench)) == 1


@pytest.mark.crash
def test_killed_at_random_times_every_plate_arrives_whole_and_once(bench: Bench) -> None:
    chance = random.Random(24)
    analyser = bench.analyser(reply_timeout_s=IMPATIENT_S)
    names = [f"PL{n}" for n in range(1, 7)]
    for name in names:
        analyser.tell(a_plate(name, wells=24))
    for _ in range(5):
        gateway = bench.gateway()
        time.sleep(chance.uniform(0.0, 0.3))
        gateway.end(signal.SIGKILL)
    bench.gateway()
    until(lambda: len(analyser.lines) == len(names), "every plate acknowledged")
    until(lambda: len(whole_plates(bench)) == len(names), "every plate posted")
    assert whole_plates(bench) == names
    assert len(bench.lims.wells()) == 24 * len(names)
    assert all(capture.quarantine is None for capture in bench.lims.captures)


def test_a_letter_damaged_or_taken_away_from_the_outbox_holds_up_nothing(bench: Bench) -> None:
    outbox = bench.spool / "outbox"
    bench.lims.start()
    bench.lims.stop()
    analyser, gateway = bench.analyser(), bench.gateway()
    for name in ("PL1", "PL2", "PL3"):
        analyser.tell(a_plate(name))
    until(lambda: len(analyser.lines) == 3, "three acknowledged plates")
    until(lambda: gateway.events("not posted"), "a post that failed")
    until(lambda: waiting_in(outbox) == 3, "three letters owed")
    damaged, taken_away, _good = sorted(outbox.glob("*.json"))
    taken_away.unlink()
    damaged.write_text('{"digest": "')
    dead = outbox / "dead" / damaged.name
    until(dead.exists, "the damaged one set aside")  # else what it was may be on its way yet
    bench.lims.start()
    until(lambda: whole_plates(bench) == ["PL3"], "the letter behind")
    assert [*(outbox / "dead").glob("*.json")] == [dead]


def test_a_page_of_something_in_between_is_no_receipt() -> None:
    page = httpx.Response(200, text="<html>Please sign in to the hospital network</html>")
    assert judged(page) is Answer.AGAIN
    assert judged(httpx.Response(200, json={"digest": "00"})) is Answer.DELIVERED


def test_waits_double_to_half_a_minute_and_differ_between_gateways() -> None:
    assert [backoff_s(n, jitter=0.0) for n in (0, 1, 2, 7, 8, 500)] == [0.2, 0.4, 0.8, 25.6, 30, 30]
    assert backoff_s(8, jitter=1.0) == 15.0


def test_used_wrongly_it_says_what_is_missing() -> None:
    told = CliRunner().invoke(main, ["--link", "/dev/ttyS0"])
    assert told.exit_code == 2
    assert "--token-file" in told.stderr
