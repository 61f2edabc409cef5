"""Other systems that are told of results, and what each of them is owed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.exchange import ComparisonState, DestinationKind, Gap, OutboundKind, Says
from lims.domain.lifecycle import NoticeState
from lims.tables.base import Base, RowId, SiteRef, one_of


class Destination(Base):
    """A system of somebody else's that wants the results of an area (none = of everybody), or a
    register that is asked about people.

    ``address`` is a URL whose scheme its kind understands (``mllp://host:port``); ``options`` are
    that kind's own. One sender at a time holds ``leased_until``, so that what it is owed arrives in
    order. While nobody answers, ``failures`` in a row push ``next_attempt_at`` away; nothing that
    it is owed dies of that. Of one that is pulled, ``cursor`` is its own word for how far we are.
    """

    __tablename__ = "destination"
    __table_args__ = (
        one_of("kind", DestinationKind),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint("kind <> 'oru' OR address ~ '^mllps?://[^/]+:[0-9]+$'", name="address"),
        CheckConstraint("kind = 'oru' OR address ~ '^https?://[^/]+'", name="url"),
        CheckConstraint("cursor IS NULL OR kind = 'declarations'", name="cursor"),
        CheckConstraint("(area_code IS NULL) = (area_scheme IS NULL)", name="area"),
        CheckConstraint(
            "kind NOT IN ('population', 'vaccination') OR area_code IS NULL", name="everybody"
        ),
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="failing"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        UniqueConstraint("site_id", "name"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    kind: Mapped[str]
    address: Mapped[str]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    options: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    cursor: Mapped[str | None]


class Outbound(Base):
    """Something owed to one destination; written with the result, sent later, in order of
    ``sequence`` for each subject, at least once.

    ``payload_digest`` is the SHA-256 of what was last sent. ``attempts`` counts answers that were
    no: that nobody answered is the destination's matter.
    """

    __tablename__ = "outbound"
    __table_args__ = (
        one_of("kind", OutboundKind),
        one_of("says", Says),
        one_of("state", NoticeState),
        CheckConstraint("(kind = 'finding') = (finding_id IS NOT NULL)", name="about"),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered"),
        CheckConstraint("delivered_at IS NULL OR payload_digest IS NOT NULL", name="sent"),
        CheckConstraint("payload_digest ~ '^[0-9a-f]{64}$'", name="payload_digest"),
        UniqueConstraint("subject_id", "destination_id", "sequence"),
        Index(None, "finding_id", postgresql_where=sql("finding_id IS NOT NULL")),
        Index(None, "destination_id", "created_at"),
        Index(
            "ix_outbound_due",
            "destination_id",
            "next_attempt_at",
            "id",
            postgresql_where=sql("state = 'owed'"),
        ),
        Index("ix_outbound_dead", "destination_id", postgresql_where=sql("state = 'dead'")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    sequence: Mapped[int]
    says: Mapped[str]
    finding_id: Mapped[UUID | None] = mapped_column(ForeignKey("finding.id"))
    state: Mapped[str] = mapped_column(default=NoticeState.OWED)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    payload_digest: Mapped[str | None]
    answer: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Comparison(Base):
    """One asking of a destination what it holds of what it took from ``since`` to before ``until``.

    ``told`` is how many records it took last words of then, ``held`` how many it has. One at a time
    is open for each destination; who makes it holds ``leased_until``.
    """

    __tablename__ = "comparison"
    __table_args__ = (
        one_of("state", ComparisonState),
        CheckConstraint("since < until", name="period"),
        CheckConstraint("(state = 'asked') = (ended_at IS NULL)", name="ended"),
        CheckConstraint(
            "(state = 'done') = (told IS NOT NULL) AND (told IS NULL) = (held IS NULL)",
            name="counted",
        ),
        CheckConstraint("told >= 0 AND held >= 0 AND tries >= 0", name="counts"),
        Index(
            "uq_comparison_open",
            "destination_id",
            unique=True,
            postgresql_where=sql("state = 'asked'"),
        ),
        Index(None, "destination_id", "asked_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    told: Mapped[int | None]
    held: Mapped[int | None]
    said: Mapped[str | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    leased_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ComparisonGap(Base):
    """One record that is not there as it was taken, or not here as it is there.

    ``ours`` and ``theirs`` are sequences, or versions of what is pulled. ``wanted``: it is to be
    fetched once more.
    """

    __tablename__ = "comparison_gap"
    __table_args__ = (
        one_of("gap", Gap),
        CheckConstraint(
            "CASE gap WHEN 'stranger' THEN ours IS NULL WHEN 'untaken' THEN true"
            " ELSE ours IS NOT NULL END",
            name="ours",
        ),
        CheckConstraint("(gap IN ('missing', 'vanished')) = (theirs IS NULL)", name="theirs"),
        CheckConstraint("gap = 'untaken' OR NOT wanted", name="wanted"),
        Index("ix_comparison_gap_wanted", "comparison_id", postgresql_where=sql("wanted")),
    )
    comparison_id: Mapped[UUID] = mapped_column(ForeignKey("comparison.id"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    gap: Mapped[str]
    ours: Mapped[int | None]
    theirs: Mapped[int | None]
    wanted: Mapped[bool] = mapped_column(default=False, server_default=sql("false"))
