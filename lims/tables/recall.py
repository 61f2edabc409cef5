"""Recalls: what was not to be believed, who said so, and everything it took back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.recall import ReagentKind, RecallKind
from lims.tables.base import Base, RowId, SiteRef, one_of


class ReagentLot(Base):
    """A lot of what plates are made with, as somebody wrote it from the box."""

    __tablename__ = "reagent_lot"
    __table_args__ = (
        one_of("kind", ReagentKind),
        UniqueConstraint("site_id", "kind", "lot"),
        CheckConstraint("lot = upper(btrim(lot)) AND length(lot) BETWEEN 1 AND 60", name="lot"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kind: Mapped[str]
    lot: Mapped[str]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]


class RunLot(Base):
    """A lot that a run was made with."""

    __tablename__ = "run_lot"
    __table_args__ = (Index(None, "lot_id"),)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("reagent_lot.id"), primary_key=True)
    said_at: Mapped[datetime]
    said_by: Mapped[str]


class Recall(Base):
    """One recall. It stands: what is said later under it is taken back as it comes.

    ``figures`` is the receipt, so that a replay answers the same.
    """

    __tablename__ = "recall"
    __table_args__ = (
        one_of("kind", RecallKind),
        CheckConstraint(
            "num_nonnulls(run_id, reagent_lot_id, kit_lot_id, instrument_id) = 1"
            " AND CASE kind WHEN 'run' THEN run_id IS NOT NULL"
            " WHEN 'reagent_lot' THEN reagent_lot_id IS NOT NULL"
            " WHEN 'kit_lot' THEN kit_lot_id IS NOT NULL ELSE instrument_id IS NOT NULL END",
            name="subject",
        ),
        CheckConstraint("(kind = 'instrument') = (from_at IS NOT NULL)", name="from_at"),
        CheckConstraint("to_at IS NULL OR to_at > from_at", name="to_at"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
        Index(None, "site_id", "recalled_at"),
        Index(None, "instrument_id", postgresql_where=text("instrument_id IS NOT NULL")),
        Index(None, "kit_lot_id", postgresql_where=text("kit_lot_id IS NOT NULL")),
        Index(None, "reagent_lot_id", postgresql_where=text("reagent_lot_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kind: Mapped[str]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("run.id"))
    reagent_lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("reagent_lot.id"))
    kit_lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("kit_lot.id"))
    instrument_id: Mapped[UUID | None] = mapped_column(ForeignKey("instrument.id"))
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]
    reason: Mapped[str]
    body_digest: Mapped[str]
    figures: Mapped[dict[str, Any]]
    recalled_at: Mapped[datetime]
    recalled_by: Mapped[str]


class RecallRun(Base):
    """A run that a recall took back; a run is taken back once."""

    __tablename__ = "recall_run"
    __table_args__ = (Index(None, "recall_id"),)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"))


class RecallStrip(Base):
    """A rapid test that a recall took back."""

    __tablename__ = "recall_strip"
    __table_args__ = (Index(None, "recall_id"),)
    rapid_test_id: Mapped[UUID] = mapped_column(ForeignKey("rapid_test.id"), primary_key=True)
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"))


class RecallFinding(Base):
    """A finding that stood on what was recalled; a slip of it is worth nothing."""

    __tablename__ = "recall_finding"
    __table_args__ = (Index(None, "recall_id"),)
    finding_id: Mapped[UUID] = mapped_column(ForeignKey("finding.id"), primary_key=True)
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"))
