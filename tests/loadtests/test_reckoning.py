"""The reckoning finds whatever is lost, doubled or unexplained, and says which by its barcode."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests.builders import open_bench
from tests.loadtests.day_of_ten import SICK, DayOfTen


@pytest.fixture
def day(session: Session, now: datetime) -> DayOfTen:
    return DayOfTen(open_bench(session, now))


def test_a_day_that_adds_up_is_clean(day: DayOfTen) -> None:
    day.resolved()
    said = day.reckoned()

    assert said.clean, said.differences
    whole = {e.says.partition(" = ")[0]: e.whole for e in said.equations}
    assert whole["tubes registered"] == 10
    assert whole["people with a positive finding"] == 1
    assert whole["infected people"] == 1
    assert whole["notices owed"] > 0


def test_a_deleted_notice_is_found(day: DayOfTen) -> None:
    day.resolved()
    day.lose_notices("kind = 'case.opened'")
    said = day.reckoned()

    assert not said.clean
    assert "closing: told to nobody" in {d.what for d in said.differences}


def test_a_deleted_finding_is_found_by_its_tube_and_its_swab(day: DayOfTen) -> None:
    day.resolved()
    gone = day.swabs[7]
    day.sql("DELETE FROM finding WHERE specimen_id = :swab", swab=gone.specimen_id)
    said = day.reckoned()

    listed = {(d.what, d.subject) for d in said.differences}
    assert ("a tube that is nowhere", gone.barcode) in listed
    assert ("lost", f"swab {gone.specimen_id} has no finding") in listed


def test_a_positive_whose_case_is_gone_is_found(day: DayOfTen) -> None:
    day.resolved()
    day.lose_notices("case_id IS NOT NULL")
    day.sql("DELETE FROM f0_case")
    said = day.reckoned()

    assert ("a positive without a case", day.swabs[SICK].barcode) in {
        (d.what, d.subject) for d in said.differences
    }
    assert ("missed, unexplained", day.swabs[SICK].barcode) in {
        (d.what, d.subject) for d in said.differences
    }


@pytest.mark.parametrize("state", ["withdrawn", "not_confirmed"])
def test_a_positive_whose_case_does_not_stand_is_found(day: DayOfTen, state: str) -> None:
    day.resolved()
    day.sql("UPDATE f0_case SET state = :state", state=state)
    said = day.reckoned()

    assert ("a positive without a case", day.swabs[SICK].barcode) in {
        (d.what, d.subject) for d in said.differences
    }
    (equation,) = (e for e in said.equations if e.says.startswith("people with a positive"))
    assert (equation.whole, equation.parts) == (1, {"cases": 0})


def test_people_are_counted_in_the_database_and_not_in_the_receipts(day: DayOfTen) -> None:
    gone = day.swabs[7]
    day.sql("DELETE FROM tube_specimen WHERE specimen_id = :swab", swab=gone.specimen_id)
    day.sql("DELETE FROM specimen WHERE id = :swab", swab=gone.specimen_id)
    (people,) = (e for e in day.reckoned().equations if e.says.startswith("people of the plan"))

    assert (people.whole, people.parts, people.holds) == (10, {"registered": 9}, False)


def test_a_tube_nobody_registered_is_found(day: DayOfTen) -> None:
    day.resolved()
    stranger = day.bench.swab()

    assert ("a tube that nobody registered", stranger.barcode) in {
        (d.what, d.subject) for d in day.reckoned().differences
    }


def test_what_still_waits_is_counted_and_is_no_loss(day: DayOfTen) -> None:
    pool = day.bench.lab_pool(day.swabs)
    waiting = day.reckoned()
    assert waiting.clean, waiting.differences
    assert waiting.waiting == {"queue": 10}
    assert [d.what for d in waiting.explained] == ["missed: not known yet: queue"]

    day.bench.run({pool: 28.0})
    found_out = day.reckoned()
    assert found_out.clean, found_out.differences
    pending = next(e for e in found_out.equations if e.says.startswith("notices")).parts
    assert pending["pending"] > 0


def test_a_notice_that_was_given_up_is_a_loss(day: DayOfTen) -> None:
    day.resolved()
    day.sql(
        "UPDATE notice SET state = 'dead', delivered_at = NULL"
        " WHERE id = (SELECT min(id::text)::uuid FROM notice)"
    )
    said = day.reckoned()

    assert not said.clean
    assert any(d.what == "lost" and "dead" in d.subject for d in said.differences)


def test_a_pool_that_waits_to_be_parted_is_no_loss_and_a_sub_pool_without_a_receipt_is_found(
    day: DayOfTen,
) -> None:
    day.sql("UPDATE campaign SET resolution = 'grid'")
    pool = day.bench.lab_pool(day.swabs)
    day.bench.run({pool: 28.0})
    waiting = day.reckoned()
    assert waiting.clean, waiting.differences
    assert waiting.waiting == {"preparing": 10}

    made = day.bench.prepare_sub_pools()
    said = day.reckoned()
    (equation,) = (e for e in said.equations if e.says.startswith("sub-pools prepared"))
    assert (equation.whole, equation.parts["waiting"], equation.holds) == (0, 7, False)

    for label in made.values():
        day.ledger.sub_pool(label, [swab.barcode for swab in day.swabs])
    assert day.reckoned().clean
