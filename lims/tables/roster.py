"""Who is told beside the communes (zones), who is on duty when, and what was done when nobody came.

Rows of ``escalation_step`` and ``voice_call`` are only ever added.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.escalation import Reached, Step
from lims.domain.zones import Tie, ZoneKind
from lims.tables.base import Base, RowId, SiteRef, one_of

_PHONE = r"phone ~ '^\+[0-9]{8,15}$'"


class Zone(Base):
    """A place with people of many communes, and a team that wants to hear of them."""

    __tablename__ = "zone"
    __table_args__ = (
        one_of("kind", ZoneKind),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint("closed_at >= created_at", name="closed"),
        UniqueConstraint("site_id", "name_key"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kind: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    closed_at: Mapped[datetime | None]


class PersonZone(Base):
    """Somebody lives or works at a zone, from when it was said until it was said otherwise."""

    __tablename__ = "person_zone"
    __table_args__ = (
        one_of("tie", Tie),
        CheckConstraint("ended_at >= created_at", name="ended"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by"),
        Index(
            "uq_person_zone_open",
            "person_id",
            "zone_id",
            "tie",
            unique=True,
            postgresql_where=sql("ended_at IS NULL"),
        ),
        Index(None, "zone_id"),
        Index(None, "person_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    person_id: Mapped[UUID] = mapped_column(  # a list that is taken back takes it along
        ForeignKey("person.id", ondelete="CASCADE")
    )
    zone_id: Mapped[UUID] = mapped_column(ForeignKey("zone.id"))
    tie: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class Contact(Base):
    """Somebody of a team who can be rung: a name and a number of the office, nobody's account."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint(_PHONE, name="phone"),
        CheckConstraint("left_at >= created_at", name="left"),
        UniqueConstraint("id", "team_id"),
        Index(None, "team_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    name: Mapped[str]
    phone: Mapped[str]
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class Duty(Base):
    """A contact is on call for the team, first or second, from one moment up to another."""

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint("place BETWEEN 1 AND 2", name="place"),
        CheckConstraint(
            "ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'", name="span"
        ),
        ForeignKeyConstraint(["contact_id", "team_id"], ["contact.id", "contact.team_id"]),
        Index(None, "contact_id"),
        Index(None, "team_id", "ends_at"),
        UniqueConstraint("team_id", "place", "starts_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    contact_id: Mapped[UUID]
    place: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class EscalationStep(Base):
    """Nobody had claimed the case, so somebody more was to hear of it.

    ``since``: when it began to wait (it was opened, or given back), so that a case given back goes
    through the steps again. ``roster`` names the contact to be rung, none when nobody was on duty;
    ``voice`` names nobody: everyone who was told is rung in turn.
    """

    __tablename__ = "escalation_step"
    __table_args__ = (
        one_of("step", Step),
        CheckConstraint("(step = 'voice') = (team_id IS NULL)", name="whom"),
        CheckConstraint("contact_id IS NULL OR step = 'roster'", name="contact"),
        CheckConstraint("unclaimed_min >= 0", name="unclaimed_min"),
        CheckConstraint("at >= since", name="at"),
        ForeignKeyConstraint(["contact_id", "team_id"], ["contact.id", "contact.team_id"]),
        Index(
            "uq_escalation_step",
            "case_id",
            "since",
            "step",
            "team_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "site_id", "at"),
        Index(None, "contact_id", postgresql_where=sql("contact_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("f0_case.id"))
    since: Mapped[datetime]
    step: Mapped[str]
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    contact_id: Mapped[UUID | None]
    unclaimed_min: Mapped[int]
    at: Mapped[datetime]


class VoiceCall(Base):
    """A call to a team about its cases, and what came of it. Without a contact: the team's line."""

    __tablename__ = "voice_call"
    __table_args__ = (
        one_of("outcome", Reached),
        CheckConstraint(_PHONE, name="phone"),
        CheckConstraint("note <> ''", name="note"),
        ForeignKeyConstraint(["contact_id", "team_id"], ["contact.id", "contact.team_id"]),
        Index(None, "team_id", "at"),
        Index(None, "site_id", "at"),
        Index(None, "contact_id", postgresql_where=sql("contact_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    contact_id: Mapped[UUID | None]
    phone: Mapped[str]
    outcome: Mapped[str]
    note: Mapped[str | None]
    at: Mapped[datetime]
    by: Mapped[str]


class VoiceCallCase(Base):
    """One of the cases that a call was about."""

    __tablename__ = "voice_call_case"
    __table_args__ = (Index(None, "case_id"),)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("voice_call.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("f0_case.id"), primary_key=True)
