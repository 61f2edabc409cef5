"""Zones: their teams hear of who lives or works there, beside the teams of the communes."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from lims.db.engine import session_factory
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import DeskStays, InvalidBody, NotFound
from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import AuditEvent, F0Case, Notice, PersonZone, Subscription, Zone
from lims.work.merge import merge_people
from lims.work.subscribe import AreaKey, disable, subscribe
from lims.work.tell import CaseNews, owe_case_news, recipients
from lims.work.zones import Belonging, Left, join_zones, leave_zone, open_zone, set_zone_open
from tests.builders_handoff import DICH_VONG, SCHEME, Ward, ward
from tests.until import WITHIN_S


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def opened(here: Ward, name: str = "KCN Tân Tạo") -> UUID:
    return open_zone(
        here.session,
        site_id=here.site_id,
        name=name,
        kind=ZoneKind.INDUSTRIAL,
        by="user:op",
        now=here.now,
    )


def listens(here: Ward, zone: UUID, *, name: str = "Y tế KCN") -> UUID:
    return subscribe(
        here.session,
        site_id=here.site_id,
        team_id=here.team(name),
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        url="",
        private=False,
        by="user:op",
        now=here.now,
    ).subscription_id


def join(here: Ward, person: UUID, zone: UUID, *, tie: Tie = Tie.WORKER) -> int:
    given = [Belonging(person, zone, tie)]
    return join_zones(here.session, given, site_id=here.site_id, by="user:op", now=here.now)


def leave(here: Ward, person: UUID, zone: UUID, why: str = "nhầm người") -> Left:
    one = Belonging(person, zone, Tie.WORKER)
    return leave_zone(here.session, one, why, site_id=here.site_id, by="user:op", now=here.now)


def told_of(here: Ward, person: UUID) -> frozenset[UUID]:
    return recipients(here.session, [person], site_id=here.site_id, now=here.now)[person]


def test_the_zones_team_hears_beside_the_homes_and_takes_nobodys_place(here: Ward) -> None:
    home, zone = here.board(team=here.team()), opened(here)
    theirs, (_, person) = listens(here, zone), here.specimen()
    assert told_of(here, person) == {home}
    join(here, person, zone)
    assert told_of(here, person) == {home, theirs}


def test_a_zone_alone_does_not_replace_the_home(here: Ward) -> None:
    zone = opened(here)
    theirs, (_, person) = listens(here, zone), here.specimen()
    join(here, person, zone, tie=Tie.RESIDENT)
    assert len(told_of(here, person) - {theirs}) == 1  # the national desk


def test_who_left_a_zone_and_a_zone_that_is_closed_are_not_told_of(here: Ward) -> None:
    zone, (_, person) = opened(here), here.specimen()
    theirs = listens(here, zone)
    join(here, person, zone)
    one = Belonging(person, zone, Tie.WORKER)
    given: dict[str, Any] = {"site_id": here.site_id, "by": "user:op", "now": here.now}
    ended = [leave_zone(here.session, one, "đã nghỉ việc", **given) for _ in range(2)]
    assert ended == [Left(ended=True, told=False), Left(ended=False, told=False)]
    assert theirs not in told_of(here, person)
    assert join(here, person, zone) == 1
    assert theirs in told_of(here, person)
    set_zone_open(here.session, zone, False, **given)
    here.session.flush()
    assert theirs not in told_of(here, person)
    set_zone_open(here.session, zone, True, **given)
    here.session.flush()
    assert theirs in told_of(here, person)


def test_what_was_said_of_a_merged_card_is_said_of_whom_it_became(here: Ward) -> None:
    zone, (_, card), (_, person) = opened(here), here.specimen(), here.specimen()
    theirs = listens(here, zone)
    join(here, card, zone)
    here.session.execute(
        text("UPDATE person SET merged_into_id = :kept WHERE id = :card"),
        {"kept": person, "card": card},
    )
    assert theirs in told_of(here, person)
    assert join(here, card, opened(here, "BV Bạch Mai")) == 1
    last = select(PersonZone.person_id).order_by(PersonZone.id.desc()).limit(1)
    assert here.session.scalar(last) == person


def test_an_ended_tie_is_ended_of_the_merged_card_too_and_says_why(here: Ward) -> None:
    zone, (_, card), (_, person) = opened(here), here.specimen(), here.specimen()
    theirs = listens(here, zone)
    join(here, card, zone)
    here.session.execute(
        text("UPDATE person SET merged_into_id = :kept WHERE id = :card"),
        {"kept": person, "card": card},
    )
    assert leave(here, person, zone, "nhầm người").ended
    assert theirs not in told_of(here, person)
    (said,) = here.session.scalars(select(AuditEvent).where(AuditEvent.verb == "zone-left"))
    assert (said.actor, said.subject, said.detail["reason"]) == ("user:op", str(card), "nhầm người")


def test_a_tie_is_not_ended_without_a_reason(here: Ward) -> None:
    zone, (_, person) = opened(here), here.specimen()
    theirs = listens(here, zone)
    join(here, person, zone)
    with pytest.raises(InvalidBody):
        leave(here, person, zone, "  ")
    assert theirs in told_of(here, person)


def test_a_team_that_was_told_goes_on_hearing_of_that_case_and_of_no_other(here: Ward) -> None:
    home, zone = here.board(team=here.team()), opened(here)
    theirs, case = listens(here, zone), here.case()
    here.owe(home, case=case)
    person = here.session.get_one(F0Case, case).person_id
    join(here, person, zone)
    assert leave(here, person, zone) == Left(ended=True, told=True)
    assert theirs not in told_of(here, person)
    news = CaseNews(case, person, NoticeKind.CASE_CLOSED, 2, CaseState.CLOSED, Basis.PCR)
    owe_case_news(here.session, [news], site_id=here.site_id, now=here.now)
    kinds = select(Notice.kind).where(Notice.subscription_id == theirs).order_by(Notice.sequence)
    assert list(here.session.scalars(kinds)) == ["case.opened", "case.closed"]


def test_another_laboratory_ends_no_tie_of_ours(here: Ward) -> None:
    zone, (_, person) = opened(here), here.specimen()
    theirs = listens(here, zone)
    join(here, person, zone)
    one = Belonging(person, zone, Tie.WORKER)
    left = leave_zone(here.session, one, "nhầm", site_id=uuid4(), by="user:op", now=here.now)
    assert not left.ended
    assert theirs in told_of(here, person)


def test_saying_it_twice_is_saying_it_once(here: Ward) -> None:
    zone, (_, person) = opened(here), here.specimen()
    assert [join(here, person, zone) for _ in range(3)] == [1, 0, 0]
    assert join(here, person, zone, tie=Tie.RESIDENT) == 1


def test_an_open_case_is_told_of_to_the_zone_at_once(here: Ward, now: datetime) -> None:
    home, zone = here.board(team=here.team()), opened(here)
    theirs, case = listens(here, zone), here.case()
    here.owe(home, case=case)
    join(here, here.session.get_one(F0Case, case).person_id, zone)
    notice = here.session.scalars(select(Notice).where(Notice.subscription_id == theirs)).one()
    assert (notice.case_id, notice.facts["rerouted"]) == (case, True)
    assert here.session.scalar(select(func.count()).select_from(Notice)) == 2


def opening(
    sessions: sessionmaker[Session], here: Ward, row: F0Case, begin: threading.Event
) -> threading.Thread:
    """A reviewer who finds this case, and tells of it, once told to begin."""

    def find() -> None:
        begin.wait(WITHIN_S)
        with sessions.begin() as reviewer:
            made = F0Case(
                id=uuid4(),
                site_id=here.site_id,
                person_id=row.person_id,
                finding_id=row.finding_id,
                state="presumptive",
                basis="pcr",
                definition="x",
                opened_at=here.now,
                changed_at=here.now,
            )
            reviewer.add(made)
            reviewer.flush()  # here it waits for whoever joins
            news = CaseNews(
                made.id,
                made.person_id,
                NoticeKind.CASE_OPENED,
                1,
                CaseState.PRESUMPTIVE,
                Basis.PCR,
            )
            owe_case_news(reviewer, [news], site_id=here.site_id, now=here.now)

    finds = threading.Thread(target=find)
    finds.start()
    return finds


@pytest.mark.parametrize("merged", [False, True], ids=["their own card", "a merged card"])
def test_a_case_opened_while_somebody_joins_a_zone_is_never_lost_between_the_two(
    here: Ward, session: Session, database: Engine, merged: bool
) -> None:
    zone = opened(here)
    theirs, case = listens(here, zone), here.case()
    row = session.get_one(F0Case, case)
    session.delete(row)
    session.flush()
    said_of = here.specimen()[1] if merged else row.person_id
    if merged:
        session.execute(
            text("UPDATE person SET merged_into_id = :kept WHERE id = :card"),
            {"kept": row.person_id, "card": said_of},
        )
    session.commit()
    sessions, joining = session_factory(database), threading.Event()
    finds = opening(sessions, here, row, joining)
    with sessions.begin() as desk:
        given = [Belonging(said_of, zone, Tie.WORKER)]
        join_zones(desk, given, site_id=here.site_id, by="user:desk", now=here.now)
        joining.set()
        desk.execute(text("SELECT pg_sleep(0.2)"))
    finds.join()
    assert theirs in set(session.scalars(select(Notice.subscription_id)))


def test_a_case_opened_while_a_card_with_a_zone_is_merged_is_never_lost_between_the_two(
    here: Ward, session: Session, database: Engine
) -> None:
    zone = opened(here)
    theirs, case, (_, card) = listens(here, zone), here.case(), here.specimen()
    row = session.get_one(F0Case, case)
    session.delete(row)
    join(here, card, zone)
    session.commit()
    sessions, merging = session_factory(database), threading.Event()
    finds = opening(sessions, here, row, merging)
    with sessions.begin() as reviewer:
        merge_people(
            reviewer,
            row.person_id,
            card,
            "cùng thẻ",
            site_id=here.site_id,
            by="user:r",
            now=here.now,
        )
        merging.set()
        reviewer.execute(text("SELECT pg_sleep(0.2)"))
    finds.join()
    assert theirs in set(session.scalars(select(Notice.subscription_id)))


def test_zones_names_differ_by_more_than_their_accents(here: Ward) -> None:
    opened(here, "KCN Tân Tạo")
    for name in ("kcn tan tao", "  KCN  Tân Tạo ", "", "x" * 201):
        with pytest.raises(InvalidBody):
            opened(here, name)
    assert here.session.scalar(select(func.count()).select_from(Zone)) == 1


def test_an_unknown_or_closed_zone_is_refused(here: Ward) -> None:
    zone, (_, person) = opened(here), here.specimen()
    with pytest.raises(NotFound):
        join(here, person, uuid4())
    later = here.now + timedelta(minutes=1)
    set_zone_open(here.session, zone, False, site_id=here.site_id, by="user:op", now=later)
    here.session.flush()
    with pytest.raises(NotFound):
        join(here, person, zone)
    with pytest.raises(InvalidBody):
        listens(here, zone)


def test_a_subscription_is_of_an_area_or_a_zone_and_a_zones_board_may_end(here: Ward) -> None:
    zone, team = opened(here), here.team()
    ask: dict[str, Any] = {
        "site_id": here.site_id,
        "team_id": team,
        "zone_id": zone,
        "channel": Channel.BOARD,
        "url": "",
        "private": False,
        "by": "user:op",
        "now": here.now,
    }
    with pytest.raises(InvalidBody):
        subscribe(here.session, area=AreaKey(SCHEME, DICH_VONG), **ask)
    made = subscribe(here.session, area=None, **ask).subscription_id
    here.session.flush()
    disable(here.session, made, by="user:op", now=here.now)
    here.session.flush()
    desk = select(Subscription.id).where(
        Subscription.area_code.is_(None), Subscription.zone_id.is_(None)
    )
    with pytest.raises(DeskStays):
        disable(here.session, here.session.scalars(desk).one(), by="user:op", now=here.now)
    with pytest.raises(IntegrityError):
        here.session.execute(
            text("UPDATE subscription SET area_scheme = :s, area_code = :c WHERE id = :id"),
            {"s": SCHEME, "c": DICH_VONG, "id": made},
        )
