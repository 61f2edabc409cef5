"""What other systems are told of a commune: its F0 and its swabs of a day, in numbers alone."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lims.tables.base import Base, ChangedAt, RowId, SiteRef


class AreaDay(Base):
    """One commune on one calendar day of the site, as it was counted last.

    ``opened`` are the cases opened that day that stand, by where their people live now; ``open`` of
    them are open, ``presumptive`` of those not confirmed yet, ``closed`` over. Of the swabs taken
    that day ``pcr_answered`` have a final word by PCR, ``antigen_read`` a strip that was read.
    ``sequence`` counts how often the figures changed: the highest is the one that holds.
    """

    __tablename__ = "area_day"
    __table_args__ = (
        CheckConstraint("opened = open + closed AND least(open, closed) >= 0", name="opened"),
        CheckConstraint("presumptive BETWEEN 0 AND open", name="presumptive"),
        CheckConstraint("pcr_positive BETWEEN 0 AND pcr_answered", name="pcr"),
        CheckConstraint("antigen_positive BETWEEN 0 AND antigen_read", name="antigen"),
        CheckConstraint("sequence >= 1", name="sequence"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        UniqueConstraint("site_id", "day", "area_scheme", "area_code"),
        Index(None, "site_id", "changed_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    day: Mapped[date]
    area_scheme: Mapped[str]
    area_code: Mapped[str]
    opened: Mapped[int]
    open: Mapped[int]
    presumptive: Mapped[int]
    closed: Mapped[int]
    pcr_answered: Mapped[int]
    pcr_positive: Mapped[int]
    antigen_read: Mapped[int]
    antigen_positive: Mapped[int]
    sequence: Mapped[int] = mapped_column(default=1)
    counted_at: Mapped[datetime]
    changed_at: Mapped[ChangedAt]
