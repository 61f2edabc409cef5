"""S20: two rapid positives within eight hours, with a factor, confirm; by the rule of that day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.work.merge import merge_people, part_people
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.review_run import invalidate_run
from tests import seen
from tests.builders import HOME, Bench, open_bench
from tests.builders_rapid import box

AFTER = datetime(2022, 1, 10, 1, 0, tzinfo=UTC)
BEFORE = datetime(2021, 12, 28, 1, 0, tzinfo=UTC)


@pytest.fixture
def bench(session: Session) -> Bench:
    opened = open_bench(session, AFTER)
    opened.subscribe(HOME)
    return opened


def positive(
    bench: Bench,
    person_id: UUID,
    *,
    exposure: Exposure = Exposure.NONE,
    suspect: bool = False,
) -> None:
    """A positive strip of this person, read now."""
    reading = RapidReading(
        specimen_id=uuid7(),
        started_at=bench.now - timedelta(minutes=20),
        read_at=bench.now,
        outcome=RapidOutcome.POSITIVE,
        kit_lot_id=box(bench).lot_id,
        person_id=person_id,
        exposure=exposure,
        suspect=suspect,
    )
    read_rapid_test(
        bench.session,
        reading,
        site_id=bench.site_id,
        by="desk",
        now=bench.now,
        tube_may_follow=True,
    )
    bench.session.flush()


def stands(bench: Bench) -> list[tuple[str, str, str]]:
    rows = bench.session.execute(
        text("SELECT state, basis, definition FROM f0_case ORDER BY opened_at, id")
    )
    return [(row.state, row.basis, row.definition) for row in rows]


def test_two_within_eight_hours_and_a_factor_confirm_the_same_case(bench: Bench) -> None:
    person = bench.swab(received=False).person_id
    positive(bench, person, exposure=Exposure.FACTOR)
    assert stands(bench) == [("presumptive", "antigen_presumptive", "byt-2021-12-29/1")]
    bench.later(8 * 60)
    positive(bench, person)

    assert stands(bench) == [("confirmed", "antigen_twice", "byt-2021-12-29/1")]
    (notice,) = seen.notices(bench.session, "case.confirmed")
    assert notice.facts == {"state": "confirmed", "basis": "antigen_twice"}


def test_without_the_factor_it_stays_presumptive(bench: Bench) -> None:
    person = bench.swab(received=False).person_id
    positive(bench, person)
    bench.later(60)
    positive(bench, person)
    assert stands(bench) == [("presumptive", "antigen_presumptive", "byt-2021-12-29/1")]
    assert len(seen.notices(bench.session)) == 1


def test_a_second_one_after_eight_hours_does_not_confirm(bench: Bench) -> None:
    person = bench.swab(received=False).person_id
    positive(bench, person, exposure=Exposure.FACTOR)
    bench.later(8 * 60 + 1)
    positive(bench, person, exposure=Exposure.FACTOR)
    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]


@pytest.mark.parametrize(
    ("exposure", "suspect", "basis"),
    [
        (Exposure.CONTACT, False, "antigen_contact"),
        (Exposure.FACTOR, True, "antigen_suspect"),
    ],
)
def test_one_strip_is_enough_for_a_contact_and_for_a_suspect_with_a_factor(
    bench: Bench, exposure: Exposure, suspect: bool, basis: str
) -> None:
    person = bench.swab(received=False).person_id
    positive(bench, person, exposure=exposure, suspect=suspect)
    assert stands(bench) == [("confirmed", basis, "byt-2021-12-29/1")]
    (notice,) = seen.notices(bench.session)
    assert (notice.kind, notice.facts["state"]) == ("case.opened", "confirmed")


@pytest.mark.harms("it begins before anybody subscribed")
def test_a_changed_rule_does_not_change_yesterdays_cases(bench: Bench) -> None:
    bench.now = BEFORE
    yesterday = bench.swab(received=False).person_id
    positive(bench, yesterday, exposure=Exposure.FACTOR)
    bench.later(60)
    positive(bench, yesterday, exposure=Exposure.CONTACT)
    before = stands(bench)
    assert before == [("presumptive", "antigen_presumptive", "byt-2022-2021/1")]

    bench.now = AFTER
    today = bench.swab(received=False).person_id
    positive(bench, today, exposure=Exposure.CONTACT)

    assert stands(bench) == [*before, ("confirmed", "antigen_contact", "byt-2021-12-29/1")]


def test_a_merge_brings_two_strips_together_and_a_parting_takes_them_apart(bench: Bench) -> None:
    one, other = (bench.swab(received=False).person_id for _ in range(2))
    positive(bench, one, exposure=Exposure.FACTOR)
    bench.later(60)
    positive(bench, other)
    assert [state for state, _, _ in stands(bench)] == ["presumptive", "presumptive"]

    merge_people(
        bench.session, one, other, "same card", site_id=bench.site_id, by="bs.lan", now=bench.now
    )
    assert sorted(stands(bench)) == [
        ("confirmed", "antigen_twice", "byt-2021-12-29/1"),
        ("withdrawn", "antigen_presumptive", "byt-2021-12-29/1"),
    ]
    part_people(bench.session, other, site_id=bench.site_id, by="bs.lan", now=bench.now)
    live = [basis for state, basis, _ in stands(bench) if state == "presumptive"]
    assert live == ["antigen_presumptive", "antigen_presumptive"]


def test_a_pcr_that_is_taken_back_leaves_what_the_strips_confirm(bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    positive(bench, swab.person_id, exposure=Exposure.CONTACT)
    assert [(s, b) for s, b, _ in stands(bench)] == [("presumptive", "pcr")]
    run_id = bench.session.execute(text("SELECT id FROM run")).scalar_one()

    invalidate_run(bench.session, run_id, "contaminated", by="bs.lan", now=bench.now)

    assert [(s, b) for s, b, _ in stands(bench)] == [("confirmed", "antigen_contact")]
