"""What is asked of an F0 is kept, gives a colour, and is judged anew by a new table."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import IllegalMove, InvalidBody, NotFound
from lims.domain.triage import SHIPPED, Clinical, Colour, Fact, Signs, Triage, TriageRule
from lims.tables import CaseTriage, F0Case
from lims.work.triage import add_rules, record_clinical, rules_in_force
from lims.work.views.board import Scope
from lims.work.views.triage import classified, unclassified
from tests.builders import Bench, open_bench

WELL = Clinical(illnesses=frozenset(), doses=2, spo2_percent=98, signs=Signs.NONE)
EVERYTHING = Scope(everything=True)


@pytest.fixture
def bench(session: Session, now: object) -> Bench:
    made = open_bench(session, now)  # type: ignore[arg-type] # the fixture's own type
    made.run({made.swab().barcode: 23.0})
    return made


@pytest.fixture
def case(bench: Bench) -> UUID:
    return bench.session.scalars(select(F0Case.id)).one()


def _keep(bench: Bench, case: UUID, known: Clinical, record_id: UUID | None = None) -> Triage:
    return record_clinical(
        bench.session,
        record_id or uuid7(),
        case,
        known,
        site_id=bench.site_id,
        by="user:hanh",
        now=bench.now,
    )


def _add(bench: Bench, name: str, *rules: TriageRule) -> int:
    return add_rules(
        bench.session,
        name,
        rules,
        source="QĐ 1234",
        site_id=bench.site_id,
        by="user:admin",
        now=bench.now,
    )


def test_signs_of_this_morning_are_no_signs_of_tomorrow(bench: Bench, case: UUID) -> None:
    """Half past five in the morning here is the evening before in UTC."""
    bench.now = datetime(2021, 9, 12, 22, 30, tzinfo=UTC)
    _keep(bench, case, replace(WELL, signs=Signs.MILD, onset_on=date(2021, 9, 13)))
    with pytest.raises(InvalidBody):
        _keep(bench, case, replace(WELL, signs=Signs.MILD, onset_on=date(2021, 9, 14)))


def test_a_case_waits_for_a_colour_until_everything_that_matters_is_known(
    bench: Bench, case: UUID
) -> None:
    (waits,), more = unclassified(bench.session, EVERYTHING, site_id=bench.site_id)
    assert (waits.case_id, waits.missing, more) == (case, (), False)

    judged = _keep(bench, case, Clinical(spo2_percent=98))
    assert judged.colour is None and Fact.SIGNS in judged.missing
    (waits,), _ = unclassified(bench.session, EVERYTHING, site_id=bench.site_id)
    assert set(waits.missing) == judged.missing

    assert _keep(bench, case, WELL).colour is Colour.GREEN
    assert unclassified(bench.session, EVERYTHING, site_id=bench.site_id) == ([], False)
    known = classified(bench.session, case)
    assert known is not None and known.known == WELL


def test_a_team_sees_its_own_and_no_others(bench: Bench) -> None:
    nobody = Scope(everything=False, team_id=uuid7())
    assert unclassified(bench.session, nobody, site_id=bench.site_id) == ([], False)


def test_kept_twice_is_kept_once_and_what_came_later_holds(bench: Bench, case: UUID) -> None:
    first = uuid7()
    _keep(bench, case, WELL, first)
    assert _keep(bench, case, Clinical(signs=Signs.SEVERE), first).colour is Colour.GREEN
    assert _keep(bench, case, Clinical(signs=Signs.SEVERE)).colour is Colour.RED
    rows = bench.session.scalars(select(CaseTriage).order_by(CaseTriage.recorded_at)).all()
    assert [row.current for row in rows].count(True) == 1 and len(rows) == 2


def test_a_new_table_judges_open_cases_anew_and_keeps_what_was_said(
    bench: Bench, case: UUID
) -> None:
    _keep(bench, case, WELL)
    assert rules_in_force(bench.session, site_id=bench.site_id).rules == SHIPPED

    assert _add(bench.later(5), "cdc/1", TriageRule(Colour.ORANGE, doses_to=2)) == 1

    known = classified(bench.session, case)
    assert known is not None and (known.colour, known.by_table) == (Colour.ORANGE, "cdc/1")
    assert known.known == WELL
    with pytest.raises(InvalidBody):
        _add(bench, "cdc/1", TriageRule(Colour.RED))


def test_a_case_that_is_over_is_not_classified(bench: Bench, case: UUID) -> None:
    bench.session.execute(text("UPDATE f0_case SET state = 'withdrawn'"))
    with pytest.raises(IllegalMove):
        _keep(bench, case, WELL)
    with pytest.raises(NotFound):
        _keep(bench, uuid7(), WELL)


@pytest.mark.parametrize(
    "wrong",
    [Clinical(spo2_percent=101), Clinical(doses=21), Clinical(onset_on=date(2031, 1, 1))],
)
def test_what_cannot_be_is_refused(bench: Bench, case: UUID, wrong: Clinical) -> None:
    with pytest.raises(InvalidBody):
        _keep(bench, case, wrong)
