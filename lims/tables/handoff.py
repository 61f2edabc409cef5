"""F0 cases, the teams that are told, what is owed to them, and who has claimed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import CaseState, NoticeState
from lims.domain.outcomes import Basis, MemberState, NoticeKind
from lims.domain.telling import Channel, Failure
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
    """A team wants the cases of an area or a zone (neither: the whole country) by a channel.

    With `gather_s` at most one message goes out in so many seconds and holds everything owed by
    then. `failures` in a row let it rest until `rests_until`. During a change of secrets the old
    one signs too, until `old_secret_until`.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        one_of("channel", Channel),
        CheckConstraint("(channel = 'webhook') = (url IS NOT NULL)", name="url"),
        CheckConstraint("(channel = 'webhook') = (secret IS NOT NULL)", name="secret"),
        CheckConstraint("(channel = 'email') = (email IS NOT NULL)", name="email"),
        CheckConstraint(
            "(old_secret IS NULL) = (old_secret_until IS NULL)"
            " AND (old_secret IS NULL OR secret IS NOT NULL)",
            name="old_secret",
        ),
        CheckConstraint("gather_s BETWEEN 10 AND 86400", name="gather_s"),
        CheckConstraint("gather_s IS NULL OR channel <> 'board'", name="gathers"),
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="failing_since"),
        CheckConstraint("rests_until IS NULL OR failures > 0", name="rests_until"),
        CheckConstraint("(area_code IS NULL) = (area_scheme IS NULL)", name="area"),
        CheckConstraint("area_code IS NULL OR zone_id IS NULL", name="zone"),
        CheckConstraint(  # a case is never routed nowhere: the national desk's board stays
            "disabled_at IS NULL OR area_code IS NOT NULL OR zone_id IS NOT NULL"
            " OR channel <> 'board'",
            name="desk",
        ),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        Index(None, "area_scheme", "area_code", postgresql_where=sql("disabled_at IS NULL")),
        Index(None, "zone_id", postgresql_where=sql("zone_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zone.id"))
    channel: Mapped[str]
    url: Mapped[str | None]
    secret: Mapped[str | None]
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[datetime | None]
    email: Mapped[str | None]
    gather_s: Mapped[int | None]
    gathered_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_why: Mapped[str | None]


class F0Case(Base):
    """A person known, or presumed, to be infected, and the basis on which we say so.

    ``ended_by_id``: the release test that closed it. ``reopened_at``: when a case that was over was
    taken up again; it waits for a team from then on, as one that has just been opened."""

    __tablename__ = "f0_case"
    __table_args__ = (
        one_of("state", CaseState),
        one_of("basis", Basis),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("ended_by_id IS NULL OR state = 'closed'", name="ended_by"),
        ForeignKeyConstraint(["finding_id", "person_id"], ["finding.id", "finding.person_id"]),
        Index(
            "uq_f0_case_open",
            "person_id",
            unique=True,
            postgresql_where=sql("state IN ('presumptive', 'confirmed')"),
        ),
        Index(None, "person_id"),
        Index(None, "site_id", "opened_at"),
        Index(None, "site_id", "changed_at"),
        Index(
            "ix_f0_case_live",
            "site_id",
            "opened_at",
            postgresql_where=sql("state IN ('presumptive', 'confirmed')"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    finding_id: Mapped[UUID]
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("finding.id"))
    state: Mapped[str]
    basis: Mapped[str]
    definition: Mapped[str]
    sequence: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    reopened_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class AlertMember(Base):
    """One person of a positive pool: provisional until cleared or confirmed (S2)."""

    __tablename__ = "alert_member"
    __table_args__ = (
        one_of("state", MemberState),
        Index(None, "specimen_id"),
        Index(None, "site_id", "raised_at"),
        Index(
            "ix_alert_member_provisional",
            "site_id",
            "specimen_id",
            postgresql_where=sql("state = 'provisional'"),
        ),
    )
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"), primary_key=True)
    site_id: Mapped[SiteRef]
    state: Mapped[str] = mapped_column(default=MemberState.PROVISIONAL)
    raised_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Digest(Base):
    """One message that holds several notices of one recipient; its id and what it holds stay."""

    __tablename__ = "digest"
    __table_args__ = (UniqueConstraint("id", "subscription_id"),)
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscription.id"))
    gathered_at: Mapped[datetime]


class Notice(Base):
    """Something owed to one recipient; written with the result, sent later, sent at least once.

    ``fetched_at``: the case was read, by a person or a program. ``acknowledged_at``: somebody of
    the team said that they know of the correction."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", NoticeKind),
        one_of("state", NoticeState),
        CheckConstraint("(case_id IS NULL) <> (pool_id IS NULL)", name="about"),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered"),
        CheckConstraint(
            "acknowledged_at IS NULL OR kind = 'case.corrected'", name="acknowledged_at"
        ),
        one_of("failure", Failure),
        CheckConstraint("resent_at >= created_at", name="resent_at"),
        ForeignKeyConstraint(
            ["digest_id", "subscription_id"], ["digest.id", "digest.subscription_id"]
        ),
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
        Index(
            "ix_notice_owed",
            "subscription_id",
            "next_attempt_at",
            "id",
            postgresql_where=sql("state = 'owed'"),
        ),
        Index(None, "subscription_id", "id"),
        Index(
            "ix_notice_digest",
            "digest_id",
            postgresql_where=sql("state = 'owed' AND digest_id IS NOT NULL"),
        ),
        Index(None, "site_id", "created_at"),
        Index("ix_notice_case", "case_id", postgresql_where=sql("case_id IS NOT NULL")),
        Index("ix_notice_pool", "pool_id", postgresql_where=sql("pool_id IS NOT NULL")),
        Index(
            "ix_notice_unacknowledged",
            "site_id",
            postgresql_where=sql("kind = 'case.corrected' AND acknowledged_at IS NULL"),
        ),
        Index("ix_notice_dead", "site_id", "failure", postgresql_where=sql("state = 'dead'")),
        {"postgresql_with": {"fillfactor": 80}},  # leased in place: no index is written
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
    digest_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    resent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


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
        Index(None, "case_id", "ended_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("f0_case.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    claimed_by: Mapped[str]
    claimed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
