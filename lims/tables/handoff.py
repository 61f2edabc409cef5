"""F0 cases, the teams that are told, what is owed to them, and who has claimed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import CaseState, NoticeState
from lims.domain.outcomes import Basis, MemberState, NoticeKind
from lims.tables.base import Base, RowId, SiteRef, one_of


class Team(Base):
    """A tracing team: a commune's, a province's, or the national desk."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("site_id", "name"),)
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    phone: Mapped[str | None]
    created_at: Mapped[datetime]


class Subscription(Base):
    """A team wants the cases of an area (none = the whole country) by a channel."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("channel IN ('webhook', 'board')", name="channel"),
        CheckConstraint("(channel = 'webhook') = (url IS NOT NULL)", name="url"),
        CheckConstraint("(channel = 'webhook') = (secret IS NOT NULL)", name="secret"),
        CheckConstraint("(area_code IS NULL) = (area_scheme IS NULL)", name="area"),
        CheckConstraint(  # a case is never routed nowhere: the national desk's board stays
            "disabled_at IS NULL OR area_code IS NOT NULL OR channel <> 'board'", name="desk"
        ),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        Index(None, "area_scheme", "area_code", postgresql_where=sql("disabled_at IS NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    channel: Mapped[str]
    url: Mapped[str | None]
    secret: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_why: Mapped[str | None]


class F0Case(Base):
    """A person known, or presumed, to be infected, and the basis on which we say so."""

    __tablename__ = "f0_case"
    __table_args__ = (
        one_of("state", CaseState),
        one_of("basis", Basis),
        CheckConstraint("sequence >= 1", name="sequence"),
        ForeignKeyConstraint(["finding_id", "person_id"], ["finding.id", "finding.person_id"]),
        Index(
            "uq_f0_case_open",
            "person_id",
            unique=True,
            postgresql_where=sql("state IN ('presumptive', 'confirmed')"),
        ),
        Index(None, "person_id"),
        Index(None, "site_id", "opened_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    finding_id: Mapped[UUID]
    state: Mapped[str]
    basis: Mapped[str]
    definition: Mapped[str]
    sequence: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class AlertMember(Base):
    """One person of a positive pool: provisional until cleared or confirmed (S2)."""

    __tablename__ = "alert_member"
    __table_args__ = (one_of("state", MemberState), Index(None, "specimen_id"))
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"), primary_key=True)
    site_id: Mapped[SiteRef]
    state: Mapped[str] = mapped_column(default=MemberState.PROVISIONAL)
    raised_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Notice(Base):
    """Something owed to one recipient; written with the result, sent later, sent at least once."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", NoticeKind),
        one_of("state", NoticeState),
        CheckConstraint("(case_id IS NULL) <> (pool_id IS NULL)", name="about"),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered"),
        Index(
            "uq_notice_case",
            "subscription_id",
            "case_id",
            "sequence",
            unique=True,
            postgresql_where=sql("case_id IS NOT NULL"),
        ),
        Index(
            "uq_notice_pool",
            "subscription_id",
            "pool_id",
            "sequence",
            unique=True,
            postgresql_where=sql("pool_id IS NOT NULL"),
        ),
        Index("ix_notice_due", "next_attempt_at", postgresql_where=sql("state = 'owed'")),
        Index(None, "site_id", "created_at"),
        Index("ix_notice_case", "case_id", postgresql_where=sql("case_id IS NOT NULL")),
        Index("ix_notice_pool", "pool_id", postgresql_where=sql("pool_id IS NOT NULL")),
        Index("ix_notice_dead", "site_id", "created_at", postgresql_where=sql("state = 'dead'")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscription.id"))
    kind: Mapped[str]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("f0_case.id"))
    pool_id: Mapped[UUID | None] = mapped_column(ForeignKey("tube.id"))
    sequence: Mapped[int]
    facts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=NoticeState.OWED)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]


class Delivery(Base):
    """One attempt to hand a notice over, and what the other side answered."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("took_ms >= 0", name="took_ms"),
    )
    id: Mapped[RowId]
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"))
    attempt: Mapped[int]
    at: Mapped[datetime]
    status_code: Mapped[int | None]
    error: Mapped[str | None]
    took_ms: Mapped[int]


class Claim(Base):
    """A team has taken a case. Only one holds it at a time."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint("ended_at >= claimed_at", name="ended"),
        Index("uq_claim_held", "case_id", unique=True, postgresql_where=sql("ended_at IS NULL")),
        Index(None, "team_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("f0_case.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    claimed_by: Mapped[str]
    claimed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
