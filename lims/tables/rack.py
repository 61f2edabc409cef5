"""A rack of tubes handed over at the laboratory's door: what its list says, and what was in it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.rack_verdict import RackVerdict
from lims.tables.base import Base, RowId, SiteRef


def _words(kind: type[StrEnum]) -> str:
    return ", ".join(f"'{word}'" for word in kind)


class Rack(Base):
    """One rack from its opening to its closing; then it is a document."""

    __tablename__ = "rack"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
        CheckConstraint("length(sender) BETWEEN 1 AND 200", name="sender"),
        Index(None, "site_id", "created_at"),
        Index("ix_rack_open", "site_id", postgresql_where=text("closed_at IS NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    sender: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    body_digest: Mapped[str]


class RackTube(Base):
    """A tube that the rack's list names, or that was scanned out of it, or both.

    ``tube_id`` is empty for a barcode that nobody registered. ``missing`` is set when the rack is
    closed, and stays when the tube comes later.
    """

    __tablename__ = "rack_tube"
    __table_args__ = (
        CheckConstraint(f"verdict IN ({_words(RackVerdict)})", name="verdict"),
        CheckConstraint(
            "(verdict IS NULL) = (scanned_at IS NULL) AND (verdict IS NULL) = (scanned_by IS NULL)",
            name="scanned",
        ),
        CheckConstraint("listed OR verdict IS NOT NULL", name="known"),
        CheckConstraint("listed OR verdict <> 'here'", name="here"),
        CheckConstraint("NOT missing OR (listed AND verdict IS NULL)", name="missing"),
        CheckConstraint("position ~ '^[A-P][0-9]{2}$'", name="position"),
        Index(None, "tube_id", postgresql_where=text("tube_id IS NOT NULL")),
    )
    rack_id: Mapped[UUID] = mapped_column(ForeignKey("rack.id"), primary_key=True)
    barcode: Mapped[str] = mapped_column(primary_key=True)
    tube_id: Mapped[UUID | None] = mapped_column(ForeignKey("tube.id"))
    listed: Mapped[bool]
    position: Mapped[str | None]
    verdict: Mapped[str | None]
    scanned_at: Mapped[datetime | None]
    scanned_by: Mapped[str | None]
    missing: Mapped[bool] = mapped_column(default=False)
