"""S18: an address that no commune of today answers to waits in a queue until somebody places it."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.identity import name_key
from lims.domain.refusals import NotFound, UnknownUnit
from lims.domain.registration import AreaRef
from lims.tables import AddressDoubt, Area, AuditEvent, Person
from lims.work.escalate import Patience, escalate
from lims.work.resolve_address import AddressResolved, Resolved, resolve_address
from lims.work.views.reconcile import reconcile
from lims.work.views.review_addresses import UnplacedAddress, unplaced_addresses
from tests import seen
from tests.builders import ELSEWHERE, HOME, NEW, OLD, PROVINCE, WORK, Bench, Swab, open_bench

GONE = AreaRef(OLD, HOME.code)  # "Đa Kao", whose code is another commune's today
OLD_PROVINCE = AreaRef(OLD, "79")


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _positive(
    bench: Bench, area: AreaRef | None, *, work_area: AreaRef | None = None, ct: float = 24.0
) -> Swab:
    swab = bench.swab(area=area, work_area=work_area)
    bench.run({swab.barcode: ct})
    return swab


def _queue(bench: Bench) -> list[UnplacedAddress]:
    return unplaced_addresses(bench.session, site_id=bench.site_id)


def _place(bench: Bench, area: AreaRef, doubt: UUID | None = None) -> Resolved:
    return resolve_address(
        bench.session,
        doubt or _queue(bench)[0].doubt_id,
        area,
        site_id=bench.site_id,
        by="user:reviewer",
        now=bench.now,
    )


def _told(bench: Bench) -> list[UUID]:
    return [n.subscription_id for n in seen.notices(bench.session, "case.opened")]


def test_a_commune_that_is_gone_is_shown_with_its_old_name_and_who_was_told_instead(
    bench: Bench,
) -> None:
    bench.subscribe(OLD_PROVINCE, name="CDC thành phố")
    swab = _positive(bench, GONE)

    (one,) = _queue(bench)
    assert (one.person_id, one.kind, one.scheme, one.code) == (
        swab.person_id,
        "home",
        OLD,
        HOME.code,
    )
    assert (one.unit, one.province, one.told) == ("Đa Kao", "Hồ Chí Minh", ("CDC thành phố",))


@pytest.mark.parametrize("area", [None, PROVINCE])
def test_an_f0_of_whom_no_commune_is_known_waits_too(bench: Bench, area: AreaRef | None) -> None:
    _positive(bench, area)
    assert [one.kind for one in _queue(bench)] == ["home"]


def test_what_todays_list_answers_to_asks_nobody(bench: Bench) -> None:
    same = Area(
        scheme=OLD,
        code=WORK.code,
        level="ward",
        parent_code="79",
        name="Sài Gòn",
        name_key=name_key("Sài Gòn"),
        full_name="Sài Gòn",
    )
    bench.session.add(same)
    bench.session.flush()
    _positive(bench, HOME)
    _positive(bench, AreaRef(OLD, WORK.code), work_area=ELSEWHERE)
    assert _queue(bench) == []


def test_a_negative_person_asks_nobody(bench: Bench) -> None:
    bench.swab(area=GONE)
    bench.run({})
    assert bench.session.scalars(select(AddressDoubt)).all() == []


def test_placing_the_address_tells_the_communes_team_and_whoever_knew_stays_told(
    bench: Bench,
) -> None:
    province, team = bench.subscribe(OLD_PROVINCE), bench.subscribe(ELSEWHERE)
    swab = _positive(bench, GONE)
    assert _told(bench) == [province]

    placed = _place(bench.later(10), ELSEWHERE)

    assert (placed.told, placed.replayed) == (1, False)
    assert set(_told(bench)) == {province, team}
    person = bench.session.get_one(Person, swab.person_id, populate_existing=True)
    assert (person.area_scheme, person.area_code) == (NEW, ELSEWHERE.code)
    assert _queue(bench) == []


def test_the_same_choice_again_changes_nothing_and_another_one_is_refused(bench: Bench) -> None:
    bench.subscribe(ELSEWHERE)
    _positive(bench, GONE)
    doubt = _queue(bench)[0].doubt_id
    _place(bench, ELSEWHERE)
    before = _told(bench)

    assert _place(bench, ELSEWHERE, doubt).replayed
    with pytest.raises(AddressResolved):
        _place(bench, WORK, doubt)
    assert _told(bench) == before
    verbs = bench.session.scalars(select(AuditEvent.verb)).all()
    assert verbs.count("resolve_address") == 1


def test_the_audit_trail_has_what_came_and_what_it_became_and_no_name(bench: Bench) -> None:
    swab = _positive(bench, GONE)
    _place(bench, ELSEWHERE)
    event = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "resolve_address")
    ).one()
    assert (event.subject, event.actor) == (str(swab.person_id), "user:reviewer")
    assert event.detail["came"] == f"{OLD}:{HOME.code}"
    assert event.detail["became"] == f"{NEW}:{ELSEWHERE.code}"
    assert "Mai" not in str(event.detail)


def test_later_news_of_the_case_make_no_second_row(bench: Bench) -> None:
    swab = _positive(bench, GONE)
    again = bench.swab(person_id=swab.person_id)
    bench.run({again.barcode: 22.0})
    bench.cartridge(swab.barcode, 25.0)
    assert len(bench.session.scalars(select(AddressDoubt)).all()) == 1


def test_a_province_chosen_because_no_more_is_known_is_not_asked_again(bench: Bench) -> None:
    province = bench.subscribe(PROVINCE)
    swab = _positive(bench, None)
    _place(bench, PROVINCE)
    assert province in _told(bench)

    again = bench.swab(person_id=swab.person_id)
    bench.run({again.barcode: 22.0})
    assert _queue(bench) == []


def test_a_workplace_that_is_gone_is_placed_apart_from_the_home(bench: Bench) -> None:
    home, work = bench.subscribe(HOME), bench.subscribe(WORK)
    swab = _positive(bench, HOME, work_area=GONE)
    assert _told(bench) == [home]
    assert [one.kind for one in _queue(bench)] == ["work"]

    _place(bench, WORK)

    assert set(_told(bench)) == {home, work}
    person = bench.session.get_one(Person, swab.person_id, populate_existing=True)
    assert (person.area_code, person.work_area_code) == (HOME.code, WORK.code)


@pytest.mark.harms("a case withdrawn by hand")
def test_a_case_that_is_withdrawn_leaves_the_queue(bench: Bench) -> None:
    _positive(bench, GONE)
    bench.session.execute(text("UPDATE f0_case SET state = 'withdrawn'"))
    assert _queue(bench) == []


def test_a_placed_case_escalates_from_its_new_commune(bench: Bench) -> None:
    bench.subscribe(ELSEWHERE)
    province = bench.subscribe(PROVINCE)
    _positive(bench, None)
    _place(bench, ELSEWHERE)
    late = bench.now + timedelta(minutes=31)
    escalate(bench.session, late, site_id=bench.site_id, patience=Patience())
    assert province in _told(bench)


@pytest.mark.parametrize("area", [None, GONE])
def test_the_day_adds_up_before_and_after(bench: Bench, area: AreaRef | None) -> None:
    start = bench.now
    bench.subscribe(OLD_PROVINCE)
    bench.subscribe(ELSEWHERE)
    _positive(bench, area, work_area=GONE)
    for _ in range(3):
        end = bench.now + timedelta(days=1)
        day = reconcile(bench.session, site_id=bench.site_id, since=start, until=end)
        assert day.clean, day.differences
        if waiting := _queue(bench.later(5)):
            _place(bench, ELSEWHERE, waiting[0].doubt_id)


def test_a_unit_that_is_not_there_and_another_sites_doubt_are_refused(bench: Bench) -> None:
    _positive(bench, GONE)
    with pytest.raises(UnknownUnit):
        _place(bench, AreaRef(NEW, "99999"))
    with pytest.raises(NotFound):
        _place(bench, ELSEWHERE, uuid4())
    assert len(_queue(bench)) == 1
