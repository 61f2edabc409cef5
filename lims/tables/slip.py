"""Result slips that were issued: the code on the paper, and the finding it speaks for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lims.tables.base import Base, RowId, SiteRef


class Slip(Base):
    """One slip. A finding has one in each language; only a released finding may have any (trigger
    ``of_a_release``), since paper cannot be called back by a screen."""

    __tablename__ = "slip"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("finding_id", "language"),
        CheckConstraint("code ~ '^[0-9A-HJ-NP-Z]{20}$'", name="code"),
        CheckConstraint("language IN ('vi', 'en')", name="language"),
        Index(None, "site_id", "issued_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    code: Mapped[str]
    finding_id: Mapped[UUID] = mapped_column(ForeignKey("finding.id"))
    language: Mapped[str]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
