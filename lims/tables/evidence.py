"""What the instruments said and what it means: bytes, measurements, results, findings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.called import Called
from lims.domain.lifecycle import MessageState, ResultStatus, Standing
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.verification import Hold
from lims.tables.base import Base, ChangedAt, RowId, SiteRef, one_of

_HOLDS = ", ".join(f"'{hold}'" for hold in Hold)


class RawMessage(Base):
    """The bytes as they came, once per digest, and the receipt that every replay gets again.

    ``sent_text`` is when the message says it was sent, by the instrument's clock; ``clock_ahead_s``
    how far that lies after ``captured_at``, which is by the gateway's. A part of a message and the
    whole of it are found by their first record, whose digest is indexed.
    """

    __tablename__ = "raw_message"
    __table_args__ = (
        one_of("state", MessageState),
        UniqueConstraint("digest"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("clock_ahead_s IS NULL OR sent_text IS NOT NULL", name="clock"),
        Index(None, "site_id", "stored_at"),
        Index(
            "ix_raw_message_opening",
            "instrument_id",
            text("sha256(SUBSTRING(body FROM 1 FOR POSITION(('\\x0d'::bytea) IN (body))))"),
            "stored_at",
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    instrument_id: Mapped[UUID] = mapped_column(ForeignKey("instrument.id"))
    digest: Mapped[str]
    driver: Mapped[str]
    driver_version: Mapped[str]
    body: Mapped[bytes]
    state: Mapped[str]
    reason: Mapped[str | None]
    captured_at: Mapped[datetime]
    sent_text: Mapped[str | None]
    clock_ahead_s: Mapped[int | None] = mapped_column(BigInteger)
    stored_at: Mapped[datetime]
    receipt: Mapped[dict[str, Any]]


class Measurement(Base):
    """One well, cartridge or strip as the instrument reported it: values immutable, standing not.

    ``targets`` is a list of {"target", "ct_cycles", "call", "called"}; a null Ct is no
    amplification, or that none was sent. ``call`` is the machine's own word for the whole test,
    ``called`` what it was understood to mean, ``closed_system`` whether it may stand for a Ct.
    What came before these were kept has neither, and is read by its numbers. ``flags`` are the
    instrument's own, as sent; ``measured_text`` is by its clock, and nothing is ordered by it.
    """

    __tablename__ = "measurement"
    __table_args__ = (
        one_of("standing", Standing),
        one_of("called", Called),
        CheckConstraint("called IS NULL OR call IS NOT NULL", name="called_as_sent"),
        CheckConstraint(
            "role IN ('specimen', 'negative_control', 'positive_control', 'extraction_control')",
            name="role",
        ),
        CheckConstraint(
            "standing <> 'matched' OR (role = 'specimen' AND (strip_id IS NOT NULL"
            " OR (order_id IS NOT NULL AND tube_id IS NOT NULL)))",
            name="matched",
        ),
        CheckConstraint(
            "strip_id IS NULL OR (run_id IS NULL AND order_id IS NULL AND tube_id IS NULL)",
            name="strip",
        ),
        CheckConstraint(
            "standing <> 'control' OR (role <> 'specimen' AND order_id IS NULL)", name="control"
        ),
        ForeignKeyConstraint(["order_id", "tube_id"], ["test_order.id", "test_order.tube_id"]),
        UniqueConstraint("message_id", "path"),
        Index(None, "run_id", "well"),
        Index(None, "order_id"),
        Index(None, "strip_id", postgresql_where=text("strip_id IS NOT NULL")),
        Index(
            "uq_measurement_strip",
            "strip_id",
            unique=True,
            postgresql_where=text("strip_id IS NOT NULL AND standing = 'matched'"),
        ),
        Index(None, "tube_id", postgresql_where=text("tube_id IS NOT NULL")),
        Index(None, "specimen_text", postgresql_where=text("standing = 'unmatched'")),
        Index(
            "ix_measurement_attention",
            "site_id",
            "received_at",
            postgresql_where=text("standing IN ('unmatched', 'held', 'correction')"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("raw_message.id"))
    instrument_id: Mapped[UUID] = mapped_column(ForeignKey("instrument.id"))
    path: Mapped[str]
    specimen_text: Mapped[str]
    role: Mapped[str]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("run.id"))
    run_text: Mapped[str | None]
    well: Mapped[str | None]
    tube_id: Mapped[UUID | None] = mapped_column(ForeignKey("tube.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("test_order.id"))
    strip_id: Mapped[UUID | None] = mapped_column(ForeignKey("strip.id"))
    assay_text: Mapped[str]
    call: Mapped[str | None]
    called: Mapped[str | None]
    closed_system: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    error: Mapped[str | None]
    targets: Mapped[list[Any]]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    content: Mapped[str]
    standing: Mapped[str]
    why: Mapped[str | None]
    measured_text: Mapped[str | None]
    received_at: Mapped[datetime]


class Result(Base):
    """What one measurement means for its order, under one rule version. Superseded, not edited."""

    __tablename__ = "result"
    __table_args__ = (
        one_of("outcome", Outcome),
        one_of("status", ResultStatus),
        CheckConstraint("NOT (current AND status = 'X')", name="cancelled"),
        CheckConstraint("current OR NOT held", name="held"),
        ForeignKeyConstraint(["order_id", "tube_id"], ["test_order.id", "test_order.tube_id"]),
        CheckConstraint("ct_cycles IS NULL OR ct_cycles BETWEEN 0 AND 60", name="ct_cycles"),
        Index("uq_result_current", "order_id", unique=True, postgresql_where=text("current")),
        Index(None, "tube_id"),
        Index(None, "run_id"),
        Index(
            "ix_result_review", "site_id", "created_at", postgresql_where=text("current AND held")
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    order_id: Mapped[UUID]
    tube_id: Mapped[UUID]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("run.id"))
    measurement_id: Mapped[UUID] = mapped_column(ForeignKey("measurement.id"))
    outcome: Mapped[str]
    ct_cycles: Mapped[float | None]
    rule: Mapped[str]
    why: Mapped[str]
    status: Mapped[str] = mapped_column(default=ResultStatus.PRELIMINARY)
    current: Mapped[bool] = mapped_column(default=True)
    held: Mapped[bool] = mapped_column(default=False)
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("result.id"))
    created_at: Mapped[datetime]


class Finding(Base):
    """What is known of one specimen, derived from evidence (result ids), never copied.

    A current finding is about the specimen's person (``about_id`` makes it so); a superseded one
    keeps whom it was said of, also when the swab turns out to be another person's (S16).
    ``holds`` say why ``rule`` did not release it by itself; ``signed_by`` is the first of two
    reviewers, ``released_by`` the one whose word made it final.
    """

    __tablename__ = "finding"
    __table_args__ = (
        Index(None, "site_id", "changed_at", "id"),
        one_of("outcome", FindingOutcome),
        one_of("status", ResultStatus),
        CheckConstraint("(status IN ('F', 'C')) = (released_at IS NOT NULL)", name="released"),
        CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released_by"),
        CheckConstraint(f"holds <@ ARRAY[{_HOLDS}]::text[]", name="holds"),
        CheckConstraint("status <> 'P' OR cardinality(holds) > 0", name="waits_for_a_reason"),
        CheckConstraint("released_by <> rule OR cardinality(holds) = 0", name="autoverified"),
        CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed"),
        CheckConstraint("signed_by <> released_by", name="two_reviewers"),
        UniqueConstraint("id", "person_id"),
        ForeignKeyConstraint(["specimen_id", "about_id"], ["specimen.id", "specimen.person_id"]),
        Index("uq_finding_current", "specimen_id", unique=True, postgresql_where=text("current")),
        Index(  # what was said of a swab before; nothing of a day's clean negatives is in it
            "ix_finding_ended", "specimen_id", postgresql_where=text("NOT current")
        ),
        Index(None, "person_id"),
        Index(
            "ix_finding_waiting",
            "site_id",
            "outcome",
            "created_at",
            "id",
            postgresql_where=text("current AND status = 'P'"),
        ),
        Index("ix_finding_day", "site_id", "created_at", "id", postgresql_where=text("current")),
        Index(  # a page of a day's positives reads nothing else
            "ix_finding_outcome",
            "site_id",
            "outcome",
            "created_at",
            "id",
            postgresql_where=text("current AND outcome <> 'negative'"),
        ),
        Index(  # nor a page of what is not final, or was corrected
            "ix_finding_exceptions",
            "site_id",
            "created_at",
            "id",
            postgresql_where=text("current AND status <> 'F'"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    about_id: Mapped[UUID | None] = mapped_column(
        Computed("CASE WHEN current THEN person_id ELSE NULL::uuid END", persisted=True)
    )
    outcome: Mapped[str]
    status: Mapped[str]
    rule: Mapped[str]
    evidence: Mapped[list[UUID]] = mapped_column(ARRAY(PgUUID(as_uuid=True)))
    ct_cycles: Mapped[float | None]
    holds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    current: Mapped[bool] = mapped_column(default=True)
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("finding.id"))
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    created_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    changed_at: Mapped[ChangedAt]


class ReviewDecision(Base):
    """A reviewer's word on a tube, kept as evidence so that concluding again keeps it."""

    __tablename__ = "review_decision"
    __table_args__ = (
        CheckConstraint("kind IN ('discordance_closed')", name="kind"),
        UniqueConstraint("tube_id", "kind"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    tube_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"))
    kind: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
