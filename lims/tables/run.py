"""Tests wanted, plates, wells and the instruments that read them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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
from lims.tables.base import Base, ChangedAt, RowId, SiteRef, one_of

FITS_THE_FORMAT = (
    "CASE format WHEN 96 THEN position ~ '^[A-H](0[1-9]|1[0-2])$'"
    " WHEN 384 THEN position ~ '^[A-P](0[1-9]|1[0-9]|2[0-4])$' ELSE false END"
)


class TestOrder(Base):
    """One test wanted on one tube. ``round`` counts attempts; only one may be open at a time."""

    __test__ = False  # pytest: this is a laboratory's test, not ours
    __tablename__ = "test_order"
    __table_args__ = (
        Index(None, "site_id", "changed_at", "id"),
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
        Index(  # a plate is filled by walking it: no sort, whatever waits
            "ix_test_order_queue",
            "site_id",
            "assay_code",
            text("priority DESC"),
            "created_at",
            "id",
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
    changed_at: Mapped[ChangedAt]


class Instrument(Base):
    """An analyser, by the name its gateway gives. ``clock_ahead_s``: how far its clock was ahead
    (or, below nought, behind) when a message last said when it was sent."""

    __tablename__ = "instrument"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    driver: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_message_at: Mapped[datetime | None]
    clock_ahead_s: Mapped[int | None] = mapped_column(BigInteger)


class ControlTemplate(Base):
    """Where the controls of an assay stand on a plate of one format, under a name and a version.

    Never edited: another arrangement is another version, and a run keeps the one it was laid out
    by. The first name of an assay and format is taken when nobody chooses.
    """

    __tablename__ = "control_template"
    __table_args__ = (
        UniqueConstraint("site_id", "assay_code", "format", "name", "version"),
        UniqueConstraint("id", "format"),
        UniqueConstraint("id", "site_id", "assay_code", "format"),  # what a run of it must agree to
        CheckConstraint("format IN (96, 384)", name="format"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 80", name="name"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    assay_code: Mapped[str]
    format: Mapped[int]
    name: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    retired_at: Mapped[datetime | None]


class ControlTemplateWell(Base):
    """One control of a template. ``role`` as a well has it."""

    __tablename__ = "control_template_well"
    __table_args__ = (
        ForeignKeyConstraint(
            ["template_id", "format"], ["control_template.id", "control_template.format"]
        ),
        CheckConstraint(FITS_THE_FORMAT, name="position"),
        CheckConstraint(
            "role IN ('negative_control', 'positive_control', 'extraction_control')", name="role"
        ),
    )
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    format: Mapped[int]
    role: Mapped[str]


class Run(Base):
    """One plate on one instrument, judged by its controls before any well is read."""

    __tablename__ = "run"
    __table_args__ = (
        one_of("state", RunState),
        one_of("verdict", Verdict),
        UniqueConstraint("plate"),
        UniqueConstraint("id", "format"),
        CheckConstraint("format IN (96, 384)", name="format"),
        ForeignKeyConstraint(
            ["control_template_id", "site_id", "assay_code", "format"],
            [
                "control_template.id",
                "control_template.site_id",
                "control_template.assay_code",
                "control_template.format",
            ],
            name="fk_run_control_template",
        ),
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
    format: Mapped[int]
    control_template_id: Mapped[UUID]
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
        CheckConstraint(FITS_THE_FORMAT, name="position"),
        ForeignKeyConstraint(["run_id", "format"], ["run.id", "run.format"]),
        CheckConstraint(
            "role IN ('specimen', 'negative_control', 'positive_control', 'extraction_control')",
            name="role",
        ),
        CheckConstraint("(role = 'specimen') = (order_id IS NOT NULL)", name="order"),
        CheckConstraint("(role = 'specimen') = (tube_id IS NOT NULL)", name="tube"),
        ForeignKeyConstraint(["order_id", "tube_id"], ["test_order.id", "test_order.tube_id"]),
        Index(None, "tube_id"),
    )
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    format: Mapped[int]
    role: Mapped[str]
    order_id: Mapped[UUID | None]
    tube_id: Mapped[UUID | None]
