"""Where: administrative areas by (scheme, code), and the laboratories (sites)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.policy import Setting
from lims.domain.pooling.choice import Resolution
from lims.tables.base import Base, RowId, SiteRef, one_of


class Area(Base):
    """A province or commune. Codes are reused between schemes, so the key carries both."""

    __tablename__ = "area"
    __table_args__ = (
        CheckConstraint("level IN ('province', 'ward')", name="level"),
        CheckConstraint("(level = 'province') = (parent_code IS NULL)", name="parent"),
        ForeignKeyConstraint(["scheme", "parent_code"], ["area.scheme", "area.code"]),
        Index(None, "scheme", "name_key"),
        Index(None, "scheme", "parent_code"),
    )
    scheme: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]
    parent_code: Mapped[str | None]
    name: Mapped[str]
    name_key: Mapped[str]
    full_name: Mapped[str]


class Site(Base):
    """A laboratory node and its policy. ``prefix`` opens every barcode it prints.

    ``second_reviewer``: a positive takes two people's signatures. ``identity_holds``: nothing is
    released of a person whose identity conflict is open. A draw into a pool or sub-pool takes
    ``pool_draw_ul`` of a tube, a test of its own ``test_draw_ul``.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("prefix"),
        CheckConstraint("prefix ~ '^[0-9A-Z]{2}$'", name="prefix"),
        CheckConstraint("max_pool_size BETWEEN 2 AND 100", name="max_pool_size"),
        CheckConstraint("pool_draw_ul BETWEEN 1 AND 2000", name="pool_draw_ul"),
        CheckConstraint("test_draw_ul BETWEEN 1 AND 2000", name="test_draw_ul"),
    )
    id: Mapped[RowId]
    prefix: Mapped[str]
    name: Mapped[str]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    max_pool_size: Mapped[int] = mapped_column(default=20)
    pools_of_pools: Mapped[bool] = mapped_column(default=False)
    second_reviewer: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    pool_draw_ul: Mapped[int] = mapped_column(default=50, server_default="50")
    test_draw_ul: Mapped[int] = mapped_column(default=200, server_default="200")
    identity_holds: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime]


class PolicyChange(Base):
    """One setting of a site's policy as it was and became; rows are only ever added."""

    __tablename__ = "policy_change"
    __table_args__ = (
        one_of("setting", Setting),
        CheckConstraint("was <> became", name="changed"),
        CheckConstraint("reason <> ''", name="reason"),
        Index(None, "site_id", "changed_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    setting: Mapped[str]
    was: Mapped[int]
    became: Mapped[int]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class Campaign(Base):
    """One testing order of an authority: who is tested, by which assay, in pools of what size.

    ``resolution``: how its positive pools are resolved. A change touches no pool that is open.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("pool_size BETWEEN 1 AND 100", name="pool_size"),
        CheckConstraint("answer_within_min BETWEEN 30 AND 14400", name="answer_within_min"),
        one_of("resolution", Resolution),
        UniqueConstraint("site_id", "name"),
        ForeignKeyConstraint(["site_id"], ["site.id"]),
    )
    id: Mapped[RowId]
    site_id: Mapped[UUID]
    name: Mapped[str]
    assay_code: Mapped[str] = mapped_column(default="sars-cov-2")
    pool_size: Mapped[int] = mapped_column(default=10)
    answer_within_min: Mapped[int] = mapped_column(default=1440, server_default="1440")
    resolution: Mapped[str] = mapped_column(
        default=Resolution.DORFMAN, server_default=Resolution.DORFMAN
    )
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
