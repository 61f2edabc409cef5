"""Rapid tests: kits and their lots, rosters, timers and strips, and what was read of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import StripState
from lims.domain.rapid_test import Exposure, LotSource, RapidOutcome, RosterKind
from lims.tables.base import Base, RowId, SiteRef, one_of


class Kit(Base):
    """One manufacturer's test and its read window in minutes, as the insert prints it."""

    __tablename__ = "kit"
    __table_args__ = (
        CheckConstraint("gtin ~ '^[0-9]{14}$'", name="gtin"),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint(
            "reads_from_min >= 1 AND reads_to_min > reads_from_min AND reads_to_min <= 240",
            name="window",
        ),
        UniqueConstraint("site_id", "gtin"),
        UniqueConstraint("site_id", "name"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    gtin: Mapped[str | None]
    reads_from_min: Mapped[int]
    reads_to_min: Mapped[int]
    window_source: Mapped[str]
    created_at: Mapped[datetime]


class KitLot(Base):
    """One lot of a kit. Only a lot that a reading named, and nobody saw, may lack its expiry."""

    __tablename__ = "kit_lot"
    __table_args__ = (
        one_of("source", LotSource),
        CheckConstraint("length(lot) BETWEEN 1 AND 60", name="lot"),
        CheckConstraint("expires_on IS NOT NULL OR source = 'told'", name="expires_on"),
        UniqueConstraint("kit_id", "lot"),
        Index(None, "site_id", "lot"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kit_id: Mapped[UUID] = mapped_column(ForeignKey("kit.id"))
    lot: Mapped[str]
    expires_on: Mapped[date | None]
    source: Mapped[str]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]


class RapidTest(Base):
    """A rapid antigen test that was read: outcome, kit lot, the minutes to reading, and what the
    case definition asks of the person. A positive's PCR swab may come a minute later."""

    __tablename__ = "rapid_test"
    __table_args__ = (
        one_of("outcome", RapidOutcome),
        one_of("exposure", Exposure),
        CheckConstraint("read_at >= started_at", name="read_at"),
        CheckConstraint("pcr_specimen_id IS NULL OR outcome = 'positive'", name="pcr"),
        Index(None, "specimen_id", unique=True),
        Index(None, "kit_lot_id"),
        Index(
            None,
            "pcr_specimen_id",
            unique=True,
            postgresql_where=sql("pcr_specimen_id IS NOT NULL"),
        ),
        Index(
            "ix_rapid_test_positive",
            "site_id",
            "read_at",
            postgresql_where=sql("outcome = 'positive'"),
        ),
        Index(
            "ix_rapid_test_tube_owed",
            "site_id",
            "read_at",
            postgresql_where=sql("outcome = 'positive' AND pcr_specimen_id IS NULL"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"))
    kit_lot_id: Mapped[UUID] = mapped_column(ForeignKey("kit_lot.id"))
    outcome: Mapped[str]
    exposure: Mapped[str] = mapped_column(default=Exposure.NONE)
    suspect: Mapped[bool] = mapped_column(default=False)
    pcr_specimen_id: Mapped[UUID | None] = mapped_column(ForeignKey("specimen.id"))
    started_at: Mapped[datetime]
    read_at: Mapped[datetime]


class Roster(Base):
    """A class, a shift or a lane on one grid, one testing day."""

    __tablename__ = "roster"
    __table_args__ = (
        one_of("kind", RosterKind),
        one_of("exposure", Exposure),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        Index(None, "site_id", "opened_at"),
        Index(None, "site_id", "name_key", "opened_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kind: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    place: Mapped[str | None]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    exposure: Mapped[str] = mapped_column(default=Exposure.NONE)
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    body_digest: Mapped[str]


class RosterMember(Base):
    """Somebody at a number of the grid. ``card`` is kept where it disagrees with the person that
    is registered under its number: it becomes a card doubt with the first strip (S16)."""

    __tablename__ = "roster_member"
    __table_args__ = (
        CheckConstraint("position BETWEEN 1 AND 500", name="position"),
        UniqueConstraint("roster_id", "position"),
        UniqueConstraint("roster_id", "person_id"),
        UniqueConstraint("id", "roster_id"),
        Index(None, "person_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    roster_id: Mapped[UUID] = mapped_column(ForeignKey("roster.id"))
    position: Mapped[int]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    card: Mapped[dict[str, Any] | None]
    added_at: Mapped[datetime]


class StripTimer(Base):
    """Strips dropped together: one start, one kit lot, one read window."""

    __tablename__ = "strip_timer"
    __table_args__ = (
        UniqueConstraint("roster_id", "number"),
        UniqueConstraint("id", "roster_id"),
        Index(None, "kit_lot_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    roster_id: Mapped[UUID] = mapped_column(ForeignKey("roster.id"))
    number: Mapped[int]
    kit_lot_id: Mapped[UUID] = mapped_column(ForeignKey("kit_lot.id"))
    started_at: Mapped[datetime]
    started_by: Mapped[str]


class Strip(Base):
    """One strip of one member; its id becomes the specimen's when it is read.

    ``mark`` is what somebody saw and nobody confirmed yet; a person has one running strip.
    """

    __tablename__ = "strip"
    __table_args__ = (
        one_of("state", StripState),
        one_of("exposure", Exposure),
        CheckConstraint("mark IN ('positive', 'invalid')", name="mark"),
        ForeignKeyConstraint(
            ["timer_id", "roster_id"], ["strip_timer.id", "strip_timer.roster_id"]
        ),
        ForeignKeyConstraint(
            ["member_id", "roster_id"], ["roster_member.id", "roster_member.roster_id"]
        ),
        Index(
            "uq_strip_running", "member_id", unique=True, postgresql_where=sql("state = 'running'")
        ),
        UniqueConstraint("timer_id", "member_id"),
        Index(None, "roster_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    roster_id: Mapped[UUID]
    timer_id: Mapped[UUID]
    member_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default=StripState.RUNNING)
    mark: Mapped[str | None]
    exposure: Mapped[str | None]
    suspect: Mapped[bool] = mapped_column(default=False)
