"""Letters to a real HTTP server: in order, in packets, and no letter holding up another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments.lims_door import LimsDoor
from instruments.outbox import Outbox, dead_in, owe_again, told_again
from instruments.poster import Poster
from instruments.troubles import Trouble
from tests.instruments.bench_stand import Lims
from tests.instruments.test_outbox import capture
from tests.until import until

NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)


@pytest.fixture
def lims() -> Iterator[Lims]:
    lims = Lims()
    lims.start()
    yield lims
    lims.end()


@contextmanager
def posting(outbox: Outbox, lims: Lims, folder: Path) -> Iterator[Poster]:
    (folder / "token").write_text("today")
    door = LimsDoor(lims.url, folder / "token")
    poster = Poster(outbox, door, now=lambda: NOW, jitter=lambda: 1.0)
    stop = threading.Event()
    thread = threading.Thread(target=poster.run, args=(stop,))
    thread.start()
    try:
        yield poster
    finally:
        stop.set()
        thread.join()
        door.close()


def owed(folder: Path, count: int) -> Outbox:
    outbox = Outbox(folder / "outbox")
    for number in range(count):
        outbox.put(capture(b"%04d" % number))
    return outbox


def taken(lims: Lims) -> list[bytes]:
    return [capture.raw for capture in lims.captures]


@pytest.mark.parametrize("packets", [True, False])
def test_what_piled_up_goes_out_in_order(tmp_path: Path, lims: Lims, packets: bool) -> None:
    lims.packets = packets
    outbox = owed(tmp_path, 120)
    with posting(outbox, lims, tmp_path):
        until(lambda: not outbox.waiting, "an empty outbox")
    assert taken(lims) == [b"%04d" % number for number in range(120)]
    assert len(lims.posts) == 120, "each once"


def test_one_refused_in_a_packet_is_set_aside_alone(tmp_path: Path, lims: Lims) -> None:
    lims.refuse = lambda said: 409 if said.raw == b"0002" else None
    outbox = owed(tmp_path, 5)
    with posting(outbox, lims, tmp_path):
        until(lambda: not outbox.waiting, "an empty outbox")
    assert taken(lims) == [b"0000", b"0001", b"0003", b"0004"]
    ((_name, refused),) = dead_in(tmp_path / "outbox")
    assert (refused.reason, refused.status) == (Trouble.CONTENT_CONFLICT, 409)


def test_a_letter_on_which_the_lims_breaks_is_found_out_and_set_aside(
    tmp_path: Path, lims: Lims
) -> None:
    lims.refuse = lambda said: 500 if said.raw == b"0001" else None
    outbox = owed(tmp_path, 4)
    with posting(outbox, lims, tmp_path):
        until(lambda: not outbox.waiting, "an empty outbox")
    assert set(taken(lims)) == {b"0000", b"0002", b"0003"}
    ((_name, refused),) = dead_in(tmp_path / "outbox")
    assert refused.reason is Trouble.LIMS_FAULT


def test_a_lims_that_breaks_on_everything_makes_no_dead_letter(tmp_path: Path, lims: Lims) -> None:
    lims.refuse = lambda _said: 500
    outbox = owed(tmp_path, 3)
    with posting(outbox, lims, tmp_path) as poster:
        until(lambda: len(lims.posts) > 12, "a dozen tries")
        assert poster.trouble is Trouble.LIMS_FAULT
        lims.refuse = lambda _said: None
        until(lambda: not outbox.waiting, "an empty outbox")
    assert set(taken(lims)) == {b"0000", b"0001", b"0002"}
    assert dead_in(tmp_path / "outbox") == []


def test_an_instrument_not_set_up_waits_and_says_so(tmp_path: Path, lims: Lims) -> None:
    lims.refuse = lambda _said: 404
    lims.kind = "unknown-instrument"
    outbox = owed(tmp_path, 2)
    with posting(outbox, lims, tmp_path) as poster:
        until(lambda: poster.trouble is Trouble.INSTRUMENT_UNKNOWN, "the reason")
        lims.refuse = lambda _said: None
        until(lambda: not outbox.waiting, "an empty outbox")
    assert taken(lims) == [b"0000", b"0001"]


def test_a_packet_too_large_for_the_lims_is_halved(tmp_path: Path, lims: Lims) -> None:
    lims.most_bytes = 2000
    outbox = owed(tmp_path, 30)
    with posting(outbox, lims, tmp_path):
        until(lambda: not outbox.waiting, "an empty outbox")
    assert taken(lims) == [b"%04d" % number for number in range(30)]


def test_a_missing_token_waits_for_one(tmp_path: Path, lims: Lims) -> None:
    outbox = owed(tmp_path, 1)
    with posting(outbox, lims, tmp_path) as poster:
        until(lambda: not outbox.waiting, "the first")
        lims.token = "tomorrow"
        outbox.put(capture(b"next"))
        until(lambda: poster.trouble is Trouble.TOKEN_REFUSED, "the reason")
        (tmp_path / "token").unlink()
        (tmp_path / "token").write_text("tomorrow")
        until(lambda: not outbox.waiting, "the second")


def test_letters_put_in_by_another_process_are_taken_up(tmp_path: Path, lims: Lims) -> None:
    outbox = owed(tmp_path, 1)
    with posting(outbox, lims, tmp_path):
        for number, raw in enumerate((b"0000", b"again"), 1):
            owe_again(tmp_path / "outbox", number, capture(raw))
        told_again(tmp_path / "outbox")
        until(lambda: b"again" in taken(lims), "the one put in")
        until(lambda: not outbox.waiting, "an empty outbox")
    assert list((tmp_path / "outbox" / "replayed").iterdir()) == []


def test_two_letters_on_which_the_lims_breaks_hold_up_nothing_behind_them(
    tmp_path: Path, lims: Lims
) -> None:
    lims.packets = False  # the LIMS undoes a packet of which it breaks on one
    lims.refuse = lambda said: 500 if said.raw in (b"0000", b"0001") else None
    outbox = owed(tmp_path, 5)
    with posting(outbox, lims, tmp_path):
        until(lambda: outbox.waiting <= 1, "all but the last bad one, which has none behind it")
    assert set(taken(lims)) == {b"0002", b"0003", b"0004"}
