"""Who is on call: planned by the week, nobody twice, two planners at once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.refusals import InvalidBody, NotFound
from lims.tables import Contact, Duty
from lims.work.duty import (
    OnCallAlready,
    Span,
    add_contact,
    change_phone,
    end_duty,
    leave_team,
    plan_duty,
    repeat_week,
)
from lims.work.views.duty import on_call, roster
from tests.builders_handoff import Ward, ward

HOUR = timedelta(hours=1)


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def add(here: Ward, team: UUID, name: str, phone: str = "0901000001") -> UUID:
    return add_contact(
        here.session,
        team,
        name=name,
        phone=phone,
        site_id=here.site_id,
        by="user:op",
        now=here.now,
    )


def plan(
    here: Ward,
    contact: UUID,
    place: int,
    *starts: int,
    hours: int = 12,
    session: Session | None = None,
) -> int:
    """Duties that begin so many hours from now."""
    spans = [Span(here.now + start * HOUR, here.now + (start + hours) * HOUR) for start in starts]
    return plan_duty(
        session or here.session,
        contact,
        place,
        spans,
        site_id=here.site_id,
        by="user:op",
        now=here.now,
    )


def planned(here: Ward) -> list[tuple[str, int, float]]:
    """Who, in which place, from how many hours from now."""
    rows = here.session.execute(
        select(Contact.name, Duty.place, Duty.starts_at)
        .join(Contact, Contact.id == Duty.contact_id)
        .order_by(Duty.starts_at, Duty.place)
    )
    return [(name, place, (at - here.now) / HOUR) for name, place, at in rows]


def test_a_week_is_planned_and_the_same_again_changes_nothing(here: Ward) -> None:
    lan = add(here, here.team(), "Lan")
    assert plan(here, lan, 1, 0, 24, 48) == 3
    assert plan(here, lan, 1, 0, 24, 48) == 0
    assert planned(here) == [("Lan", 1, 0), ("Lan", 1, 24), ("Lan", 1, 48)]


def test_two_people_cannot_be_first_and_one_cannot_be_both(here: Ward) -> None:
    team = here.team()
    lan, hung = add(here, team, "Lan"), add(here, team, "Hùng")
    plan(here, lan, 1, 0)
    for contact, place, start in ((hung, 1, 11), (hung, 1, -11), (lan, 2, 6)):
        with pytest.raises(OnCallAlready):
            plan(here, contact, place, start)
    assert plan(here, hung, 2, 0) == 1
    assert plan(here, hung, 1, 12) == 1
    assert plan(here, add(here, here.team("Tổ 2"), "Mai"), 1, 0) == 1


def test_a_week_with_one_taken_hour_is_not_planned_by_half(here: Ward, session: Session) -> None:
    team = here.team()
    lan, hung = add(here, team, "Lan"), add(here, team, "Hùng")
    plan(here, lan, 1, 48)
    session.commit()
    with pytest.raises(OnCallAlready):
        plan(here, hung, 1, 0, 24, 48)
    session.rollback()
    assert planned(here) == [("Lan", 1, 48)]


@pytest.mark.parametrize("hours", [0, -1, 25])
def test_a_duty_lasts_longer_than_nothing_and_at_most_a_day(here: Ward, hours: int) -> None:
    lan = add(here, here.team(), "Lan")
    with pytest.raises(InvalidBody):
        plan(here, lan, 1, 0, hours=hours)
    with pytest.raises(InvalidBody):
        plan(here, lan, 3, 0)
    with pytest.raises(InvalidBody):
        plan(here, lan, 1)


def test_two_who_plan_the_same_hours_at_once_do_not_both(
    here: Ward, session: Session, database: Engine
) -> None:
    team = here.team()
    people = [add(here, team, f"Người {n}") for n in range(4)]
    session.commit()
    sessions, together = session_factory(database), threading.Barrier(4)
    refused = list[OnCallAlready]()

    def one(contact: UUID) -> None:
        with sessions() as own:
            together.wait()
            try:
                plan(here, contact, 1, 0, session=own)
                own.commit()
            except OnCallAlready as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=one, args=(contact,)) for contact in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert session.scalar(select(func.count()).select_from(Duty)) == 1


def test_a_duty_to_come_is_taken_away_and_one_that_runs_ends_now(here: Ward) -> None:
    lan = add(here, here.team(), "Lan")
    plan(here, lan, 1, -24, 0, 24)
    given: dict[str, Any] = {"site_id": here.site_id, "by": "user:op"}
    later = here.now + HOUR
    ids = here.session.scalars(select(Duty.id).order_by(Duty.starts_at)).all()
    for duty in [*ids, *ids]:
        end_duty(here.session, duty, now=later, **given)
    here.session.flush()
    ends = here.session.scalars(select(Duty.ends_at).order_by(Duty.starts_at)).all()
    assert ends == [here.now - 12 * HOUR, later]


def test_last_week_is_repeated_without_those_who_left_or_what_stands(here: Ward) -> None:
    team = here.team()
    lan, hung, mai = (add(here, team, name) for name in ("Lan", "Hùng", "Mai"))
    plan(here, lan, 1, 0, 24)
    plan(here, hung, 2, 0)
    plan(here, mai, 1, 7 * 24 + 30)  # meets what would be Lan's second
    leave_team(here.session, hung, site_id=here.site_id, by="user:op", now=here.now)
    again = [
        repeat_week(
            here.session,
            team,
            here.now + timedelta(days=7),
            site_id=here.site_id,
            by="user:op",
            now=here.now,
        )
        for _ in range(2)
    ]
    assert again == [1, 0]
    assert ("Lan", 1, 7 * 24) in planned(here)
    assert ("Lan", 1, 8 * 24) not in planned(here)


def test_who_leaves_is_on_call_no_more(here: Ward) -> None:
    team = here.team()
    lan = add(here, team, "Lan")
    plan(here, lan, 1, 0, 24)
    leave_team(here.session, lan, site_id=here.site_id, by="user:op", now=here.now)
    assert planned(here) == []
    assert on_call(here.session, site_id=here.site_id, now=here.now, team_id=team)[0].people == []
    with pytest.raises(NotFound):
        plan(here, lan, 1, 48)


def test_the_board_says_who_is_on_call_now_the_first_before_the_second(here: Ward) -> None:
    team, idle = here.team("Tổ 1"), here.team("Tổ 2")
    lan, hung = add(here, team, "Lan"), add(here, team, "Hùng", "0901000002")
    plan(here, hung, 2, -1)
    plan(here, lan, 1, -6, 6)
    here.owe(here.board(team=idle), case=here.case())
    found = on_call(here.session, site_id=here.site_id, now=here.now)
    assert [(t.team, [(p.name, p.phone) for p in t.people]) for t in found] == [
        ("Tổ 1", [("Lan", "+84901000001"), ("Hùng", "+84901000002")]),
        ("Tổ 2", []),
    ]
    later = on_call(here.session, site_id=here.site_id, now=here.now + 11 * HOUR, team_id=team)
    assert [p.name for p in later[0].people] == ["Lan"]


def test_a_number_that_is_none_is_refused_and_a_person_added_twice_is_one(here: Ward) -> None:
    team = here.team()
    for name, phone in (("Lan", "12"), ("", "0901000001"), ("x" * 201, "0901000001")):
        with pytest.raises(InvalidBody):
            add(here, team, name, phone)
    assert add(here, team, "Lan") == add(here, team, " Lan ")
    lan = add(here, team, "Lan")
    change_phone(here.session, lan, "0987654321", site_id=here.site_id, by="u", now=here.now)
    here.session.flush()
    shown = roster(here.session, team, site_id=here.site_id, since=here.now, until=here.now + HOUR)
    assert [(one.name, one.phone, one.wrong) for one in shown.contacts] == [
        ("Lan", "+84987654321", False)
    ]


def test_nobody_is_on_call_for_a_team_that_is_not_theirs(here: Ward, session: Session) -> None:
    lan, other = add(here, here.team("Tổ 1"), "Lan"), here.team("Tổ 2")
    session.add(
        Duty(
            site_id=here.site_id,
            team_id=other,
            contact_id=lan,
            place=1,
            starts_at=here.now,
            ends_at=here.now + HOUR,
            created_at=here.now,
            created_by="user:op",
        )
    )
    with pytest.raises(IntegrityError):
        session.flush()
