"""S18: an address in codes of the old scheme, or in none; a case is never routed nowhere."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.identity import name_key
from lims.domain.refusals import UnknownUnit
from lims.domain.registration import AreaRef
from lims.tables import Area, Subscription
from lims.work.sites import found_site
from lims.work.tell import NoDesk
from tests import seen
from tests.builders import HOME, NEW, OLD, PROVINCE, WORK, Bench, open_bench

LATER = "vn-2026"
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


def test_a_commune_of_the_same_code_name_and_province_in_another_scheme_is_the_same_commune(
    bench: Bench,
) -> None:
    team = bench.subscribe(HOME)
    assert _told_of_a_positive(bench, _again(bench, HOME, "Tân Định")) == {team}


def test_a_workplace_of_another_scheme_is_told_too(bench: Bench) -> None:
    home, work = bench.subscribe(HOME), bench.subscribe(WORK)
    person = bench.swab(area=HOME, work_area=_again(bench, WORK, "Sài Gòn"))
    bench.run({person.barcode: 24.0})
    told = {n.subscription_id for n in seen.notices(bench.session, "case.opened")}
    assert told == {home, work}


def test_an_old_commune_whose_name_is_gone_goes_to_its_province_of_today(bench: Bench) -> None:
    bench.subscribe(HOME)
    province = bench.subscribe(PROVINCE)
    assert _told_of_a_positive(bench, SAME_CODE) == {province}


def test_a_commune_moved_to_another_province_is_not_taken_for_its_namesake(bench: Bench) -> None:
    bench.subscribe(HOME)
    moved = AreaRef(LATER, HOME.code)
    _unit(bench, "01", None, "Hà Nội")
    _unit(bench, moved.code, "01", "Tân Định")
    assert _told_of_a_positive(bench, moved) == {bench.desk()}


def test_another_sites_team_is_not_told(bench: Bench) -> None:
    theirs = bench.subscribe(HOME)
    other = found_site(bench.session, prefix="T2", name="Trạm hai", now=bench.now)
    bench.session.execute(
        text("UPDATE subscription SET site_id = :other WHERE id = :id"),
        {"other": other, "id": theirs},
    )
    own_desk = bench.session.scalars(
        select(Subscription.id).where(
            Subscription.area_code.is_(None), Subscription.site_id == bench.site_id
        )
    ).one()
    assert _told_of_a_positive(bench, HOME) == {own_desk}


@pytest.mark.harms("the refused transaction is not rolled back")
def test_without_a_national_desk_the_result_is_refused_by_name(bench: Bench) -> None:
    bench.session.execute(text("DELETE FROM subscription"))
    with pytest.raises(NoDesk, match="a board of the whole country"):
        _told_of_a_positive(bench, HOME)


def _again(bench: Bench, area: AreaRef, name: str) -> AreaRef:
    """The commune, of the same name, in the next scheme."""
    _unit(bench, "79", None, "Hồ Chí Minh")
    _unit(bench, area.code, "79", name)
    return AreaRef(LATER, area.code)


def _unit(bench: Bench, code: str, parent: str | None, name: str) -> None:
    bench.session.add(
        Area(
            scheme=LATER,
            code=code,
            level="ward" if parent else "province",
            parent_code=parent,
            name=name,
            name_key=name_key(name),
            full_name=name,
        )
    )
    bench.session.flush()


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
