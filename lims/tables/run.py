"""Tests wanted, plates, wells and the instruments that read them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.controls import Verdict
from lims.domain.lifecycle import OrderReason, OrderState, RunState
from lims.tables.base import Base, RowId, SiteRef, one_of


class TestOrder(Base):
    """One test wanted on one tube. ``round`` counts attempts; only one may be open at a time."""

    __test__ = False  # pytest: this is a laboratory's test, not ours
    __tablename__ = "test_order"
    __table_args__ = (
        one_of("state", OrderState),
        one_of("why", OrderReason),
        UniqueConstraint("tube_id", "assay_code", "round"),
        UniqueConstraint("id", "tube_id"),  # whoever names the order names its tube
        CheckConstraint("(state IN ('queued', 'plated')) = (closed_at IS NULL)", name="closed"),
        CheckConstraint("round >= 1", name="round"),
        CheckConstraint("priority BETWEEN 0 AND 9", name="priority"),
        Index(
            "uq_test_order_open",
            "tube_id",
            "assay_code",
            unique=True,
            postgresql_where=text("state IN ('queued', 'plated')"),
        ),
        Index(
            "ix_test_order_queue",
            "site_id",
            "assay_code",
            text("priority DESC"),
            "created_at",
            postgresql_where=text("state = 'queued'"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    tube_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"))
    assay_code: Mapped[str]
    round: Mapped[int] = mapped_column(default=1)
    priority: Mapped[int] = mapped_column(default=5)
    why: Mapped[str] = mapped_column(default=OrderReason.PRIMARY)
    because: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=OrderState.QUEUED)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Instrument(Base):
    """An analyser, by the name its gateway gives."""

    __tablename__ = "instrument"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    driver: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_message_at: Mapped[datetime | None]


class Run(Base):
    """One plate on one instrument, judged by its controls before any well is read."""

    __tablename__ = "run"
    __table_args__ = (
        one_of("state", RunState),
        one_of("verdict", Verdict),
        UniqueConstraint("plate"),
        CheckConstraint(
            "(state IN ('valid', 'held', 'invalid')) = (judged_at IS NOT NULL)", name="judged"
        ),
        CheckConstraint("(judged_at IS NULL) = (verdict_why IS NULL)", name="verdict_why"),
        CheckConstraint(  # a run that a person withdrew may never have had its controls read
            "state NOT IN ('valid', 'held') OR verdict IS NOT NULL", name="verdict_given"
        ),
        CheckConstraint("plate ~ '^[0-9A-Z-]{4,24}$'", name="plate"),
        Index(None, "site_id", "created_at"),
        Index(
            "ix_run_open",
            "site_id",
            "state",
            postgresql_where=text("state IN ('planned', 'measuring', 'held')"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    plate: Mapped[str]
    assay_code: Mapped[str]
    instrument_id: Mapped[UUID | None] = mapped_column(ForeignKey("instrument.id"))
    state: Mapped[str] = mapped_column(default=RunState.PLANNED)
    verdict: Mapped[str | None]
    verdict_why: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    measured_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]
    body_digest: Mapped[str]


class Well(Base):
    """One position of a plate: a tube under an order, or a control."""

    __tablename__ = "well"
    __table_args__ = (
        UniqueConstraint("order_id"),
        CheckConstraint("position ~ '^[A-P][0-9]{2}$'", name="position"),
        CheckConstraint(
            "role IN ('specimen', 'negative_control', 'positive_control', 'extraction_control')",
            name="role",
        ),
        CheckConstraint("(role = 'specimen') = (order_id IS NOT NULL)", name="order"),
        CheckConstraint("(role = 'specimen') = (tube_id IS NOT NULL)", name="tube"),
        ForeignKeyConstraint(["order_id", "tube_id"], ["test_order.id", "test_order.tube_id"]),
        Index(None, "tube_id"),
    )
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    order_id: Mapped[UUID | None]
    tube_id: Mapped[UUID | None]
