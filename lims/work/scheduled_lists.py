"""A team's standing order: at set hours of the day, what is new since the last list.

Made by whichever deliverer comes first: the hour of an order is a key, so a second one finds it
taken. A list of an hour that was slept through is made once, late, and the order goes on from now.
By e-mail only a word goes out, without anybody's name: `owed_words` and `word_sent` are for whoever
sends it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from subprocess import TimeoutExpired
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from lims.db.ids import uuid7
from lims.domain.refusals import NotFound
from lims.domain.telling import is_mail_address
from lims.domain.tracing_lists import Arrival, ListForm, next_hour
from lims.tables import ListSchedule, Team, TracingList
from lims.work.access import Fault, refuse
from lims.work.apart import ChildBroke
from lims.work.audit import record
from lims.work.take_list import ListAsked, Slot, drawn, keep_list, read_list
from reports.saying import Saying, Tongue

log = structlog.get_logger()

_NAME: Final = {"vi": "Tự động, theo giờ hẹn", "en": "By itself, at the set hour"}


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order as the page shows it; hours of the site's clock."""

    schedule_id: UUID
    team: str
    form: ListForm
    hours: Sequence[int]
    arrival: Arrival
    email: str | None
    next_at: datetime


@dataclass(frozen=True, slots=True)
class OwedWord:
    """An e-mail to be sent: that a list is ready, of how many cases, until when it is kept."""

    list_id: UUID
    email: str
    language: str
    cases: int
    expires_at: datetime


def order_list(
    session: Session,
    *,
    site_id: UUID,
    team_id: UUID | None,
    form: ListForm,
    language: str,
    hours: Sequence[int],
    email: str,
    arrival: Arrival,
    timezone: str,
    mail: bool,
    by: str,
    now: datetime,
) -> UUID:
    """Raises InvalidBody naming every field that cannot stand; `mail`: letters can leave here."""
    team = session.get(Team, team_id) if team_id else None
    faults: dict[str, Fault] = {}
    if team is None or team.site_id != site_id:
        faults["team"] = Fault.TEAM
    if not hours or not all(0 <= hour <= 23 for hour in hours):
        faults["hours"] = Fault.LIST_HOURS
    email = email.strip()
    if arrival is Arrival.EMAIL and not mail:
        faults["email"] = Fault.NO_MAIL
    elif arrival is Arrival.EMAIL and not is_mail_address(email):
        faults["email"] = Fault.EMAIL
    refuse(faults, where="standing order")
    ordered = sorted(set(hours))
    made = ListSchedule(
        id=uuid7(),
        site_id=site_id,
        team_id=team_id,
        form=form,
        language=language,
        hours=ordered,
        arrival=arrival,
        email=email if arrival is Arrival.EMAIL else None,
        next_at=next_hour(now, ordered, timezone),
        created_at=now,
        created_by=by,
    )
    session.add(made)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="list-ordered",
        subject=str(made.id),
        now=now,
        team=str(team_id),
        hours=ordered,
        form=str(form),
        arrival=str(arrival),
    )
    session.flush()
    return made.id


def end_order(
    session: Session,
    schedule_id: UUID,
    team_id: UUID | None,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """No list of it is made any more. Raises NotFound; `team_id` none may end any team's."""
    found = session.get(ListSchedule, schedule_id, with_for_update=True)
    theirs = found is not None and team_id in (None, found.team_id)
    if found is None or found.site_id != site_id or not theirs:
        raise NotFound(came=str(schedule_id), where="standing orders")
    if found.ended_at is None:
        found.ended_at, found.ended_by = now, by
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="list-order-ended",
            subject=str(schedule_id),
            now=now,
        )


def schedules(session: Session, team_id: UUID | None, *, site_id: UUID) -> list[Order]:
    """The standing orders of a team, or of every team."""
    found = session.execute(
        select(ListSchedule, Team.name)
        .join(Team, Team.id == ListSchedule.team_id)
        .where(ListSchedule.site_id == site_id, ListSchedule.ended_at.is_(None))
        .where(true() if team_id is None else ListSchedule.team_id == team_id)
        .order_by(Team.name, ListSchedule.id)
    )
    return [
        Order(
            one.id,
            name,
            ListForm(one.form),
            one.hours,
            Arrival(one.arrival),
            one.email,
            one.next_at,
        )
        for one, name in found
    ]


def make_due_lists(
    sessions: sessionmaker[Session], *, site_id: UUID, timezone: str, now: datetime
) -> int:
    """Every list whose hour has come; how many were made here. Nothing is held while one is drawn.

    A list that cannot be drawn is said in the log, and its order stays due: the others are made.
    """
    made = 0
    with sessions.begin() as session:
        due = session.scalars(
            select(ListSchedule)
            .where(
                ListSchedule.site_id == site_id,
                ListSchedule.ended_at.is_(None),
                ListSchedule.next_at <= now,
            )
            .order_by(ListSchedule.next_at, ListSchedule.id)
        ).all()
        session.expunge_all()
    for order in due:
        try:
            made += _make(sessions, order, timezone=timezone, now=now)
        except (ChildBroke, TimeoutExpired) as failure:
            log.error("lists.not_drawn", schedule=str(order.id), error=str(failure))
    return made


def owed_words(session: Session, *, most: int = 50, aside: Collection[UUID] = ()) -> list[OwedWord]:
    """E-mails that still have to say that a list is ready, the oldest first; not of those lists
    that are put ``aside``."""
    rows = session.execute(
        text("""
SELECT l.id, o.email, l.language, l.cases, l.expires_at
FROM tracing_list l JOIN list_schedule o ON o.id = l.schedule_id
WHERE l.file IS NOT NULL AND l.mailed_at IS NULL AND o.arrival = 'email' AND o.ended_at IS NULL
  AND l.id <> ALL(:aside)
ORDER BY l.taken_at, l.id LIMIT :most
"""),
        {"most": most, "aside": list(aside)},
    )
    return [OwedWord(r.id, r.email, r.language, r.cases, r.expires_at) for r in rows]


def word_sent(session: Session, list_id: UUID, *, now: datetime) -> None:
    """The mail server has taken the word."""
    session.execute(
        update(TracingList)
        .where(TracingList.id == list_id, TracingList.mailed_at.is_(None))
        .values(mailed_at=now)
    )


def _make(
    sessions: sessionmaker[Session], order: ListSchedule, *, timezone: str, now: datetime
) -> bool:
    by, tongue = f"schedule:{order.id}", Tongue(order.language)
    asked = ListAsked(team_id=order.team_id, form=ListForm(order.form), progressive=True)
    with sessions.begin() as session:
        read = read_list(
            session,
            asked,
            Saying(tongue, timezone),
            site_id=order.site_id,
            by=by,
            by_name=_NAME[tongue],
            now=now,
        )
    file = drawn(read)
    try:
        with sessions.begin() as session:
            slot = Slot(order.id, order.next_at)
            keep_list(session, uuid7(), read, file, site_id=order.site_id, by=by, slot=slot)
            session.execute(
                update(ListSchedule)
                .where(ListSchedule.id == order.id, ListSchedule.next_at == order.next_at)
                .values(next_at=next_hour(now, order.hours, timezone))
            )
    except IntegrityError:
        return False  # another deliverer was first
    return True
