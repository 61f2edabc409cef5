"""What a site has shown of its own pooling: the dilution series behind its largest pool."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.pooling.validation_panel import Bound
from lims.tables.base import Base, RowId, SiteRef, one_of


class ValidationPanel(Base):
    """A dilution series and what followed from it under ``rule``; the newest of an assay holds.

    Rows are only ever added: a pool was made under the panel of its day.
    """

    __tablename__ = "validation_panel"
    __table_args__ = (
        one_of("bound", Bound),
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint("lod_ct BETWEEN 20 AND 45", name="lod_ct"),
        CheckConstraint("weak_positive_ct BETWEEN 5 AND lod_ct", name="weak_positive_ct"),
        CheckConstraint("largest_pool BETWEEN 1 AND 100", name="largest_pool"),
        CheckConstraint("cycles_per_doubling > 0", name="cycles_per_doubling"),
        Index(None, "site_id", "assay_code", "entered_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    assay_code: Mapped[str]
    source: Mapped[str]
    lod_ct: Mapped[float]
    weak_positive_ct: Mapped[float]
    cycles_per_doubling: Mapped[float]
    largest_pool: Mapped[int]
    bound: Mapped[str]
    rule: Mapped[str]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str]


class ValidationPanelRow(Base):
    """One sample in pools of one size; ``ct_pooled`` is null where no replicate showed."""

    __tablename__ = "validation_panel_row"
    __table_args__ = (
        CheckConstraint("pool_size BETWEEN 2 AND 100", name="pool_size"),
        CheckConstraint("ct_undiluted BETWEEN 5 AND 45", name="ct_undiluted"),
        CheckConstraint("ct_pooled BETWEEN 5 AND 45", name="ct_pooled"),
        CheckConstraint("replicates BETWEEN 1 AND 1000", name="replicates"),
        CheckConstraint("detected BETWEEN 0 AND replicates", name="detected"),
        CheckConstraint("(detected = 0) = (ct_pooled IS NULL)", name="seen"),
    )
    panel_id: Mapped[UUID] = mapped_column(ForeignKey("validation_panel.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    pool_size: Mapped[int]
    ct_undiluted: Mapped[float]
    ct_pooled: Mapped[float | None]
    detected: Mapped[int]
    replicates: Mapped[int]
