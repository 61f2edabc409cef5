"""A team's people with their numbers, and who of them is on call when.

Each verb holds the team's row, so that two who plan the same week see each other's work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import parse_phone
from lims.domain.refusals import Conflict, NotAPhoneNumber, NotFound
from lims.tables import Contact, Duty, Team
from lims.work.access import Fault, refuse
from lims.work.audit import record

LONGEST: Final = timedelta(hours=24)
WEEK: Final = timedelta(days=7)


class OnCallAlready(Conflict):
    slug = "on-call-already"
    expected = "hours in which nobody has this place, and the person has no other"
    todo = "take the duty that stands there away first, or choose other hours"


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment up to another, at most a day."""

    starts_at: datetime
    ends_at: datetime


def add_contact(
    session: Session,
    team_id: UUID,
    *,
    name: str,
    phone: str,
    site_id: UUID,
    by: str,
    now: datetime,
) -> UUID:
    """Somebody of the team who can be rung. The same name and number again is the same person.

    Raises NotFound, InvalidBody.
    """
    team = _locked_team(session, team_id, site_id)
    name, faults = " ".join(name.split()), dict[str, Fault]()
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    number = _number(phone, faults)
    refuse(faults, where="contact")
    there = session.scalars(
        select(Contact.id).where(
            Contact.team_id == team_id,
            Contact.name == name,
            Contact.phone == number,
            Contact.left_at.is_(None),
        )
    ).first()
    if there is not None:
        return there
    contact = Contact(
        id=uuid7(), site_id=site_id, team_id=team_id, name=name, phone=number, created_at=now
    )
    session.add(contact)
    _record(session, team, "contact-added", by, now, contact_id=str(contact.id))
    session.flush()
    return contact.id


def change_phone(
    session: Session, contact_id: UUID, phone: str, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Another number; what was said of the old one (wrong) is not said of it.

    Raises NotFound, InvalidBody.
    """
    contact, team = _locked_contact(session, contact_id, site_id)
    faults = dict[str, Fault]()
    number = _number(phone, faults)
    refuse(faults, where="contact")
    if contact.phone != number:
        contact.phone = number
        _record(session, team, "contact-phone", by, now, contact_id=str(contact.id))


def leave_team(
    session: Session, contact_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> None:
    """They are rung no more; duties to come are taken away. Twice changes nothing.

    Raises NotFound.
    """
    contact, team = _locked_contact(session, contact_id, site_id)
    if contact.left_at is None:
        contact.left_at = now
        session.flush()
        session.execute(_NO_MORE, {"contact": contact_id, "now": now})
        _record(session, team, "contact-left", by, now, contact_id=str(contact_id))


def plan_duty(
    session: Session,
    contact_id: UUID,
    place: int,
    spans: Sequence[Span],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> int:
    """Put a contact on call, first or second, in these hours: how many duties are new.

    The same again changes nothing. Raises NotFound, InvalidBody, and OnCallAlready, which plans
    none of them.
    """
    contact, team = _locked_contact(session, contact_id, site_id)
    if contact.left_at is not None:
        raise NotFound(came=str(contact_id), where="contacts")
    if place not in (1, 2) or not spans or not all(_holds(span) for span in spans):
        refuse({"hours": Fault.HOURS}, where="duty")
    fresh = [span for span in spans if not _there(session, contact, place, span)]
    for span in fresh:
        _refuse_overlap(session, contact, place, span)
        session.add(_duty(contact, place, span, by, now))
        session.flush()  # two spans of one request may meet each other too
    if fresh:
        _record(
            session, team, "duty-planned", by, now, contact_id=str(contact_id), spans=len(fresh)
        )
    return len(fresh)


def end_duty(session: Session, duty_id: UUID, *, site_id: UUID, by: str, now: datetime) -> None:
    """Take a duty away; one that has begun ends now, one that is over stays. Twice is once.

    Raises NotFound for another site's.
    """
    duty = session.get(Duty, duty_id)
    if duty is None:
        return
    team = _locked_team(session, duty.team_id, site_id)
    session.refresh(duty)
    if duty.starts_at >= now:
        session.delete(duty)
    elif duty.ends_at > now:
        duty.ends_at = now
    else:
        return
    _record(session, team, "duty-ended", by, now, contact_id=str(duty.contact_id))
    session.flush()


def repeat_week(
    session: Session, team_id: UUID, since: datetime, *, site_id: UUID, by: str, now: datetime
) -> int:
    """Plan the week from `since` as the one before it: how many duties are new.

    Who has left is left out, and so is what would meet a duty that stands. Raises NotFound.
    """
    team = _locked_team(session, team_id, site_id)
    values = {"team": team_id, "since": since, "week": WEEK, "by": by, "now": now}
    made = len(session.execute(_REPEAT, values).all())
    if made:
        _record(session, team, "duty-repeated", by, now, spans=made)
    return made


_NO_MORE = text("DELETE FROM duty WHERE contact_id = :contact AND starts_at >= :now")

_MEETS = text("""
SELECT EXISTS (
    SELECT FROM duty d
    WHERE d.team_id = :team AND d.starts_at < :ends AND d.ends_at > :starts
      AND (d.place = :place OR d.contact_id = :contact))
""")

_REPEAT = text("""
INSERT INTO duty (id, site_id, team_id, contact_id, place, starts_at, ends_at, created_at,
                  created_by)
SELECT mint_uuid7(:now), d.site_id, d.team_id, d.contact_id, d.place, d.starts_at + :week,
       d.ends_at + :week, :now, :by
FROM duty d JOIN contact k ON k.id = d.contact_id AND k.left_at IS NULL
WHERE d.team_id = :team AND d.starts_at >= cast(:since AS timestamptz) - :week
  AND d.starts_at < :since
  AND NOT EXISTS (SELECT FROM duty o
                  WHERE o.team_id = d.team_id AND o.starts_at < d.ends_at + :week
                    AND o.ends_at > d.starts_at + :week
                    AND (o.place = d.place OR o.contact_id = d.contact_id))
RETURNING id
""")


def _holds(span: Span) -> bool:
    return span.starts_at < span.ends_at <= span.starts_at + LONGEST


def _there(session: Session, contact: Contact, place: int, span: Span) -> bool:
    return (
        session.scalar(
            select(Duty.id).where(
                Duty.contact_id == contact.id,
                Duty.place == place,
                Duty.starts_at == span.starts_at,
                Duty.ends_at == span.ends_at,
            )
        )
        is not None
    )


def _refuse_overlap(session: Session, contact: Contact, place: int, span: Span) -> None:
    about = {
        "team": contact.team_id,
        "contact": contact.id,
        "place": place,
        "starts": span.starts_at,
        "ends": span.ends_at,
    }
    if session.scalar(_MEETS, about):
        raise OnCallAlready(
            came=f"{span.starts_at.isoformat(timespec='minutes')} to"
            f" {span.ends_at.isoformat(timespec='minutes')}",
            where=f"team {contact.team_id}",
        )


def _duty(contact: Contact, place: int, span: Span, by: str, now: datetime) -> Duty:
    return Duty(
        id=uuid7(),
        site_id=contact.site_id,
        team_id=contact.team_id,
        contact_id=contact.id,
        place=place,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        created_at=now,
        created_by=by,
    )


def _number(phone: str, faults: dict[str, Fault]) -> str:
    try:
        return parse_phone(phone)
    except NotAPhoneNumber:
        faults["phone"] = Fault.PHONE
        return ""


def _locked_team(session: Session, team_id: UUID, site_id: UUID) -> Team:
    team = session.get(Team, team_id, with_for_update={"key_share": True})
    if team is None or team.site_id != site_id:
        raise NotFound(came=str(team_id), where="teams")
    return team


def _locked_contact(session: Session, contact_id: UUID, site_id: UUID) -> tuple[Contact, Team]:
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(came=str(contact_id), where="contacts")
    team = _locked_team(session, contact.team_id, site_id)
    session.refresh(contact)
    return contact, team


def _record(
    session: Session, team: Team, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=team.site_id,
        actor=by,
        verb=verb,
        subject=str(team.id),
        now=now,
        **detail,
    )
