"""Lists of F0 that left the laboratory: whose, of what, kept until they expire; and the standing
orders for them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.tracing_lists import Arrival, ListForm, ListKind
from lims.tables.base import Base, RowId, SiteRef, one_of


class ListSchedule(Base):
    """A team's standing order: what is new since the last one, at these whole hours of the site.

    By e-mail only a word goes out that a list is ready; the people on it stay behind the door.
    """

    __tablename__ = "list_schedule"
    __table_args__ = (
        one_of("form", ListForm),
        one_of("arrival", Arrival),
        CheckConstraint("language IN ('vi', 'en')", name="language"),
        CheckConstraint("(arrival = 'email') = (email IS NOT NULL)", name="email"),
        CheckConstraint(
            "cardinality(hours) BETWEEN 1 AND 24 AND 0 <= ALL (hours) AND 23 >= ALL (hours)",
            name="hours",
        ),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("ix_list_schedule_due", "next_at", postgresql_where=sql("ended_at IS NULL")),
        Index(None, "team_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    form: Mapped[str]
    language: Mapped[str]
    hours: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    arrival: Mapped[str] = mapped_column(default=Arrival.BOARD)
    email: Mapped[str | None]
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class TracingList(Base):
    """A list as it was drawn: the same file again until it expires, afterwards only that it was.

    ``team_id`` none: every team's. A progressive list holds whatever was told from ``since`` (none:
    every open case) up to ``complete_until``, and the taker's next one goes on from there. Of a
    standing order, ``slot_at`` is the hour it is for, and ``mailed_at`` when the word went out.
    """

    __tablename__ = "tracing_list"
    __table_args__ = (
        one_of("kind", ListKind),
        one_of("form", ListForm),
        CheckConstraint("language IN ('vi', 'en')", name="language"),
        CheckConstraint("(kind = 'day') = (from_day IS NOT NULL)", name="from_day"),
        CheckConstraint("(kind = 'day') = (to_day IS NOT NULL)", name="to_day"),
        CheckConstraint("from_day <= to_day", name="days"),
        CheckConstraint("(kind = 'since') = (complete_until IS NOT NULL)", name="complete_until"),
        CheckConstraint("since IS NULL OR since <= complete_until", name="since"),
        CheckConstraint("(area_code IS NULL) = (area_scheme IS NULL)", name="area"),
        CheckConstraint("area_code IS NULL OR zone_id IS NULL", name="zone"),
        CheckConstraint("cases >= 0", name="cases"),
        CheckConstraint("expires_at > taken_at", name="expires_at"),
        CheckConstraint("(file IS NULL) = (gone_at IS NOT NULL)", name="gone"),
        CheckConstraint("(schedule_id IS NULL) = (slot_at IS NULL)", name="slot"),
        CheckConstraint("mailed_at IS NULL OR schedule_id IS NOT NULL", name="mailed"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        Index(
            "uq_tracing_list_slot",
            "schedule_id",
            "slot_at",
            unique=True,
            postgresql_where=sql("schedule_id IS NOT NULL"),
        ),
        Index(
            "ix_tracing_list_progress",
            "taken_by",
            "complete_until",
            postgresql_where=sql("kind = 'since'"),
        ),
        Index("ix_tracing_list_kept", "expires_at", postgresql_where=sql("file IS NOT NULL")),
        Index(None, "site_id", "taken_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zone.id"))
    kind: Mapped[str]
    from_day: Mapped[date | None]
    to_day: Mapped[date | None]
    since: Mapped[datetime | None]
    complete_until: Mapped[datetime | None]
    form: Mapped[str]
    language: Mapped[str]
    for_laboratory: Mapped[bool]
    cases: Mapped[int]
    taken_by: Mapped[str]
    taken_by_name: Mapped[str]
    taken_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    file: Mapped[bytes | None]
    gone_at: Mapped[datetime | None]
    schedule_id: Mapped[UUID | None] = mapped_column(ForeignKey("list_schedule.id"))
    slot_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
