"""S13: a cartridge of four analytes, of which the laboratory tests for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.measurement import Capture, digest_of
from lims.tables import Measurement
from lims.work.dismiss import dismiss
from lims.work.views.review_messages import strays
from tests import seen
from tests.builders import Bench, add_instrument, open_bench
from tests.captures import FOUR, four_capture

XPERT = "GX-4"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    add_instrument(session, opened.site_id, now=now, name=XPERT, driver="genexpert")
    return opened


def four(bench: Bench, barcode: str, **said: str) -> Capture:
    return four_capture(barcode, instrument=XPERT, at=bench.now, calls=said)


def cards(bench: Bench) -> list[tuple[str | None, str | None]]:
    """What a reviewer is shown: of which tube, and why."""
    return [(one.barcode, one.why) for one in strays(bench.session, site_id=bench.site_id)]


def kept(bench: Bench) -> Mapping[str, tuple[str, str | None]]:
    rows = bench.session.scalars(select(Measurement).order_by(Measurement.path))
    return {row.assay_text.partition("^")[2]: (row.standing, row.why) for row in rows}


def test_a_negative_that_nobody_asked_for_is_kept_and_needs_nobody(bench: Bench) -> None:
    swab = bench.swab()

    receipt = bench.take(four(bench, swab.barcode))

    assert seen.findings(bench.session)[swab.specimen_id].outcome == "negative"
    assert cards(bench) == []
    assert kept(bench)["RSV"] == ("dismissed", "nobody asked for RSV")
    assert (receipt.matched, receipt.unmatched, receipt.duplicates) == (1, 0, 0)


def test_an_influenza_that_nobody_asked_for_is_one_card_of_its_tube(bench: Bench) -> None:
    swab = bench.swab()
    message = four(bench, swab.barcode, FLUA="POSITIVE")

    bench.take(message)

    assert seen.findings(bench.session)[swab.specimen_id].outcome == "negative"
    assert cards(bench) == [(swab.barcode, "nobody asked for FLUA")]
    assert bench.take(message).unmatched == 1, "the same bytes, the same receipt"
    assert len(cards(bench)) == 1


def test_one_that_was_noted_does_not_come_back_when_the_analyser_tells_it_again(
    bench: Bench,
) -> None:
    message = four(bench, bench.swab().barcode, FLUA="POSITIVE")
    bench.take(message)
    (card,) = strays(bench.session, site_id=bench.site_id)
    dismiss(bench.session, card.measurement_id, "ward 3 was told", by="bs.lan", now=bench.now)

    again = replace(message, raw=b"anew", digest=digest_of(b"anew"))

    assert bench.later(60).take(again).duplicates == 4
    assert cards(bench) == []


@pytest.mark.parametrize("word", ["INVALID", "NO RESULT"])
def test_a_cartridge_that_failed_is_repeated_for_what_was_asked_alone(
    bench: Bench, word: str
) -> None:
    swab = bench.swab()

    bench.take(four(bench, swab.barcode, **dict.fromkeys(FOUR, word)))

    assert cards(bench) == []
    assert seen.waiting(bench.session) == {swab.barcode}


def test_of_a_cut_message_an_influenza_is_one_card_before_and_after_the_whole_came(
    bench: Bench,
) -> None:
    swab = bench.swab()
    raw = b"H|\\^&|||maker\rP|1\rO|1|one\rL|1|N\r"
    whole = replace(four(bench, swab.barcode, FLUA="POSITIVE"), raw=raw, digest=digest_of(raw))
    part = replace(whole, complete=False, raw=raw[:-6], digest=digest_of(raw[:-6]))

    bench.take(part)
    assert [why for _barcode, why in cards(bench)] == [
        "incomplete message",
        "nobody asked for FLUA",
    ]
    bench.later(5).take(whole)
    assert cards(bench) == [(swab.barcode, "nobody asked for FLUA")]


@pytest.mark.parametrize(
    ("calls", "driver"),
    [
        ({"FLUA": "FLU A TRACE"}, "genexpert"),  # a word that no table knows is no negative
        ({}, "plate-csv"),  # an open cycler's word settles nothing
    ],
)
def test_what_no_closed_system_calls_absent_is_shown(
    bench: Bench, calls: dict[str, str], driver: str
) -> None:
    bench.take(replace(four(bench, bench.swab().barcode, **calls), driver=driver))
    assert "nobody asked for FLUA" in {why for _barcode, why in cards(bench)}


def test_a_test_under_a_name_that_no_rule_knows_is_shown_even_when_it_is_negative(
    bench: Bench,
) -> None:
    """It may be the one that was wanted, under a code that somebody mistyped."""
    swab = bench.swab()
    message = four(bench, swab.barcode)
    alone = replace(message.measurements[0], assay="COVFLURSVPLUS^COVID")
    bench.take(replace(message, measurements=(alone,)))
    assert cards(bench) == [(swab.barcode, "no rule reads assay COVFLURSVPLUS^COVID")]
