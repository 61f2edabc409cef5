"""S18: an address in codes of the old scheme, or in none; a case is never routed nowhere."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import UnknownUnit
from lims.domain.registration import AreaRef
from tests import seen
from tests.builders import HOME, NEW, OLD, PROVINCE, Bench, open_bench

SAME_CODE = AreaRef(OLD, HOME.code)  # the old scheme's code of another commune


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _told_of_a_positive(bench: Bench, area: AreaRef | None) -> set[UUID]:
    person = bench.swab(area=area)
    bench.run({person.barcode: 24.0})
    return {n.subscription_id for n in seen.notices(bench.session, "case.opened")}


def test_an_old_code_is_never_taken_for_the_commune_that_bears_it_now(bench: Bench) -> None:
    now_named_so = bench.subscribe(HOME)
    before = bench.subscribe(SAME_CODE)

    assert _told_of_a_positive(bench, SAME_CODE) == {before}
    assert now_named_so not in {n.subscription_id for n in seen.notices(bench.session)}


def test_an_old_commune_without_a_team_goes_to_its_old_province_not_to_its_namesake(
    bench: Bench,
) -> None:
    bench.subscribe(HOME)
    province = bench.subscribe(AreaRef(OLD, "79"))

    assert _told_of_a_positive(bench, SAME_CODE) == {province}


def test_a_commune_without_a_team_goes_to_its_province(bench: Bench) -> None:
    province = bench.subscribe(PROVINCE)

    assert _told_of_a_positive(bench, HOME) == {province}


def test_one_of_whom_only_the_province_is_known_goes_to_the_province(bench: Bench) -> None:
    bench.subscribe(HOME)
    province = bench.subscribe(PROVINCE)

    assert _told_of_a_positive(bench, PROVINCE) == {province}


@pytest.mark.parametrize("area", [None, HOME, SAME_CODE])
def test_where_nobody_listens_the_national_desk_does(bench: Bench, area: AreaRef | None) -> None:
    assert _told_of_a_positive(bench, area) == {bench.desk()}


def test_a_commune_whose_team_stopped_listening_goes_to_the_province(bench: Bench) -> None:
    bench.subscribe(HOME)
    province = bench.subscribe(PROVINCE)
    bench.session.execute(
        text("UPDATE subscription SET disabled_at = :now WHERE area_code = :code"),
        {"now": bench.now, "code": HOME.code},
    )

    assert _told_of_a_positive(bench, HOME) == {province}


@pytest.mark.parametrize("unknown", [AreaRef(NEW, "99999"), AreaRef("vn-1975", HOME.code)])
def test_a_code_that_its_scheme_does_not_have_is_refused_at_the_desk(
    bench: Bench, unknown: AreaRef
) -> None:
    with pytest.raises(UnknownUnit, match=unknown.code):
        bench.swab(area=unknown)
    with pytest.raises(UnknownUnit):
        bench.swab(work_area=unknown)
    assert bench.session.execute(text("SELECT count(*) FROM person")).scalar_one() == 0
