"""S12 for cartridges: what came of a message that broke off waits, and the whole one counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from instruments.measurement import Capture, Quarantine, digest_of
from lims.work.attach import attach
from lims.work.measure import Receipt
from lims.work.views.review_messages import strays
from lims.work.views.review_messages import unread as unread_messages
from tests import seen
from tests.builders import Bench, Swab, add_instrument, open_bench
from tests.captures import cartridge_capture

HEAD = b"H|\\^&|||maker\rP|1\r"
PART = HEAD + b"O|1|one\rR|1|NEGATIVE\rO|2|two\rR|1|POSI"
TAIL = HEAD + b"O|2|two\rR|1|POSITIVE\rL|1|N\r"
WHOLE = PART[: PART.rindex(b"\r") + 1] + TAIL


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def one(bench: Bench, ct: float | None, *, swab: Swab | None = None, raw: bytes = b"") -> Capture:
    barcode = (swab or bench.swab()).barcode
    at = bench.now
    return cartridge_capture(barcode, ct, at=at, instrument=bench.instrument, raw=raw or WHOLE)


def broken_off(bench: Bench, capture: Capture, raw: bytes = PART) -> Receipt:
    return bench.take(replace(capture, complete=False, raw=raw, digest=digest_of(raw)))


def unread(bench: Bench, raw: bytes, reason: str = "no-terminator") -> Receipt:
    """A part of which no cartridge was closed, as its gateway posts it."""
    nothing = replace(one(bench, None), complete=False, measurements=(), raw=raw)
    why = Quarantine(reason, "the message was broken off before L")
    return bench.take(replace(nothing, digest=digest_of(raw), quarantine=why))


def waiting(bench: Bench) -> tuple[list[str | None], list[str | None]]:
    """What a reviewer is shown: why each measurement is unmatched, why each message is unread."""
    since = bench.now - timedelta(days=1)
    return (
        [stray.why for stray in strays(bench.session, site_id=bench.site_id)],
        [
            each.reason
            for each in unread_messages(bench.session, site_id=bench.site_id, since=since)
        ],
    )


def test_a_cartridge_of_a_message_that_broke_off_counts_once_the_tail_has_come(
    bench: Bench,
) -> None:
    half = one(bench, 24.0)

    told = broken_off(bench, half)
    assert (told.state, told.reason, told.matched, told.unmatched) == ("held", "incomplete", 0, 1)
    assert seen.cases(bench.session) == []
    assert waiting(bench) == (["incomplete message"], [])

    whole = bench.later(5).take(half)
    assert (whole.state, whole.matched, whole.duplicates) == ("accepted", 1, 0)
    assert len(seen.cases(bench.session)) == 1
    assert waiting(bench) == ([], []), "nothing of the part needs a person"
    assert bench.take(half) == whole


def test_the_whole_message_sent_anew_under_another_header_ends_the_waiting_too(
    bench: Bench,
) -> None:
    half = one(bench, None)
    broken_off(bench, half)
    anew = b"H|\\^&|later\r" + WHOLE
    assert bench.later(5).take(replace(half, raw=anew, digest=digest_of(anew))).matched == 1
    assert waiting(bench) == ([], [])


def test_another_test_of_the_same_tube_leaves_the_held_one_to_a_person(bench: Bench) -> None:
    swab = bench.swab()
    broken_off(bench, one(bench, 24.0, swab=swab))
    bench.later(60).take(one(bench, 24.0, swab=swab, raw=b"another message"))
    assert waiting(bench) == (["incomplete message"], [])


def test_a_held_cartridge_that_a_person_attached_is_not_counted_again(bench: Bench) -> None:
    swab = bench.swab()
    half = one(bench, 24.0, swab=swab)
    broken_off(bench, half)
    (stray,) = strays(bench.session, site_id=bench.site_id)
    attach(bench.session, stray.measurement_id, swab.barcode, by="bs.lan", now=bench.now)

    whole = bench.later(5).take(half)
    assert (whole.matched, whole.duplicates) == (0, 1)
    assert len(seen.cases(bench.session)) == 1
    assert waiting(bench) == ([], [])


def test_a_part_without_a_closed_cartridge_is_unread_until_its_tail_has_come(bench: Bench) -> None:
    assert unread(bench, PART).state == "quarantined"
    assert waiting(bench) == ([], ["no-terminator"])
    bench.later(5).take(one(bench, None))
    assert waiting(bench) == ([], [])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(PART, "frame-conflict"), (PART.replace(b"two", b"six"), "no-terminator")],
)
def test_what_the_whole_message_does_not_begin_with_stays_unread(
    bench: Bench, raw: bytes, reason: str
) -> None:
    unread(bench, raw, reason)
    bench.later(5).take(one(bench, None))
    assert waiting(bench) == ([], [reason])


def test_the_parts_of_another_analyser_stay_where_they_are(bench: Bench) -> None:
    add_instrument(bench.session, bench.site_id, now=bench.now, name="GX-2")
    unread(bench, PART)
    bench.later(5).take(replace(one(bench, None), instrument="GX-2"))
    assert waiting(bench) == ([], ["no-terminator"])


def test_a_part_that_a_newer_driver_reads_after_the_whole_one_came_needs_nobody(
    bench: Bench,
) -> None:
    """A gateway's journal told again: the part, unread by the old driver, then the whole."""
    half = one(bench, 24.0)
    unread(bench, PART, "truncated-record")
    bench.later(5).take(half)
    assert waiting(bench) == ([], ["truncated-record"])

    assert broken_off(bench, half).unmatched == 1
    assert waiting(bench) == ([], [])
    assert len(seen.cases(bench.session)) == 1
