"""What a desk registered and took back before the tube reached the laboratory."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import TubeKind
from lims.tables.base import Base, RowId, SiteRef, one_of


class TakenBack(Base):
    """One swab as it was registered, kept when its registration was taken back.

    The label may then be used for another swab, so neither the tube nor the swab stands in its own
    table any more, and no other query has to know that a registration can be taken back. Its id
    is never used again: a late replay of the registration is refused by this row.
    ``card`` is the card doubt that came with the swab, as it stood.
    """

    __tablename__ = "taken_back"
    __table_args__ = (
        one_of("kind", TubeKind),
        CheckConstraint("taken_back_at >= registered_at", name="taken_back_at"),
        UniqueConstraint("specimen_id"),
        Index(None, "tube_id"),
        Index(None, "barcode"),
        Index(None, "person_id"),
        Index(None, "registered_by", "registered_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    specimen_id: Mapped[UUID]
    tube_id: Mapped[UUID]
    barcode: Mapped[str]
    kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    collected_at: Mapped[datetime]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    card: Mapped[dict[str, Any] | None]
    taken_back_at: Mapped[datetime]
    taken_back_by: Mapped[str]
