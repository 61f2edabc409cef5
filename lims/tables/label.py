"""Which label serials were printed: the journal is the counter, so no barcode is printed twice."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lims.tables.base import Base, RowId, SiteRef


class LabelBatch(Base):
    """One print: serials ``first_serial`` up to, without, ``next_serial`` of a batch.

    Serials whose check character reads as a digit are passed over, so a print of 48 labels may
    span 51 serials.
    """

    __tablename__ = "label_batch"
    __table_args__ = (
        UniqueConstraint("site_id", "batch", "first_serial"),
        CheckConstraint("batch ~ '^[0-9A-HJ-NP-Z]{2}$'", name="batch"),
        CheckConstraint("next_serial > first_serial AND first_serial >= 0", name="serials"),
        CheckConstraint("labels BETWEEN 1 AND 10000", name="labels"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    batch: Mapped[str]
    first_serial: Mapped[int] = mapped_column(BigInteger)
    next_serial: Mapped[int] = mapped_column(BigInteger)
    labels: Mapped[int]
    title: Mapped[str]
    printed_by: Mapped[str]
    printed_at: Mapped[datetime]
