"""Where: administrative areas by (scheme, code), and the laboratories (sites)."""

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
    ``pool_draw_ul`` of a tube, a test of its own ``test_draw_ul``. A positive pool's people are
    named within ``hours_to_name`` of its answer, and have their last word in ``hours_to_confirm``.
    ``secondary_attack_percent``: of a household who catch it from one. ``sub_pool_draws``: into one
    sub-pool at most; ``run_draws``: into all that a run takes.
    A case ends by a swab ``release_from_day`` after its own, negative or from ``release_ct`` on;
    until ``reinfection_days`` a positive is the same infection. ``expected_…``: what the
    discordance monitors hold the last ``monitor_window_days`` against.
    A case unclaimed for ``roster_after_min`` minutes goes a step further, and again after
    ``province_after_min`` and ``voice_after_min`` (S21). What people declared elsewhere is
    forgotten after ``declaration_days``.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("prefix"),
        CheckConstraint("prefix ~ '^[0-9A-Z]{2}$'", name="prefix"),
        CheckConstraint("max_pool_size BETWEEN 2 AND 100", name="max_pool_size"),
        CheckConstraint("pool_draw_ul BETWEEN 1 AND 2000", name="pool_draw_ul"),
        CheckConstraint("test_draw_ul BETWEEN 1 AND 2000", name="test_draw_ul"),
        CheckConstraint("hours_to_name BETWEEN 1 AND 48", name="hours_to_name"),
        CheckConstraint("hours_to_confirm BETWEEN hours_to_name AND 96", name="hours_to_confirm"),
        CheckConstraint(
            "secondary_attack_percent BETWEEN 0 AND 60", name="secondary_attack_percent"
        ),
        CheckConstraint("sub_pool_draws BETWEEN 2 AND 100", name="sub_pool_draws"),
        CheckConstraint("run_draws BETWEEN 20 AND 999", name="run_draws"),
        CheckConstraint("release_from_day BETWEEN 1 AND 60", name="release_from_day"),
        CheckConstraint("release_ct BETWEEN 20 AND 45", name="release_ct"),
        CheckConstraint("reinfection_days BETWEEN 1 AND 365", name="reinfection_days"),
        CheckConstraint("roster_after_min BETWEEN 1 AND 1440", name="roster_after_min"),
        CheckConstraint("province_after_min BETWEEN 1 AND 1440", name="province_after_min"),
        CheckConstraint("voice_after_min BETWEEN 1 AND 1440", name="voice_after_min"),
        CheckConstraint("monitor_window_days BETWEEN 1 AND 90", name="monitor_window_days"),
        CheckConstraint("expected_refuted_percent BETWEEN 1 AND 99", name="expected_refuted"),
        CheckConstraint("expected_empty_pools_percent BETWEEN 1 AND 99", name="expected_empty"),
        CheckConstraint("declaration_days BETWEEN 1 AND 365", name="declaration_days"),
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
    hours_to_name: Mapped[int] = mapped_column(default=4, server_default="4")
    hours_to_confirm: Mapped[int] = mapped_column(default=8, server_default="8")
    secondary_attack_percent: Mapped[int] = mapped_column(default=25, server_default="25")
    sub_pool_draws: Mapped[int] = mapped_column(default=32, server_default="32")
    run_draws: Mapped[int] = mapped_column(default=400, server_default="400")
    release_from_day: Mapped[int] = mapped_column(default=7, server_default="7")
    release_ct: Mapped[int] = mapped_column(default=30, server_default="30")
    reinfection_days: Mapped[int] = mapped_column(default=90, server_default="90")
    roster_after_min: Mapped[int] = mapped_column(default=15, server_default="15")
    province_after_min: Mapped[int] = mapped_column(default=30, server_default="30")
    voice_after_min: Mapped[int] = mapped_column(default=45, server_default="45")
    monitor_window_days: Mapped[int] = mapped_column(default=14, server_default="14")
    expected_refuted_percent: Mapped[int] = mapped_column(default=10, server_default="10")
    expected_empty_pools_percent: Mapped[int] = mapped_column(default=5, server_default="5")
    declaration_days: Mapped[int] = mapped_column(default=30, server_default="30")
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
    ``zone_id``: held at a zone, whose people those swabbed are for a while (domain/zones.py).
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("pool_size BETWEEN 1 AND 100", name="pool_size"),
        CheckConstraint("answer_within_min BETWEEN 30 AND 14400", name="answer_within_min"),
        one_of("resolution", Resolution),
        UniqueConstraint("site_id", "name"),
        ForeignKeyConstraint(["site_id"], ["site.id"]),
        Index(None, "zone_id", postgresql_where=text("zone_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[UUID]
    name: Mapped[str]
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zone.id"))
    assay_code: Mapped[str] = mapped_column(default="sars-cov-2")
    pool_size: Mapped[int] = mapped_column(default=10)
    answer_within_min: Mapped[int] = mapped_column(default=1440, server_default="1440")
    resolution: Mapped[str] = mapped_column(
        default=Resolution.DORFMAN, server_default=Resolution.DORFMAN
    )
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
