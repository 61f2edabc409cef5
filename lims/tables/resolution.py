"""How a positive pool is resolved: the choice that was made, and the sub-pools that it asks for."""

from datetime import datetime
from typing import Any
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

from lims.domain.lifecycle import SubPoolState
from lims.domain.pooling.choice import Because, StrategyName
from lims.tables.base import Base, RowId, SiteRef, one_of


class PoolResolution(Base):
    """The strategy of one pool, chosen when it first could not clear its people, or by a person.

    Evidence like a result: never edited, and another choice is another row. ``facts`` are the
    numbers that it was chosen by; ``said`` is the person's reason.
    """

    __tablename__ = "pool_resolution"
    __table_args__ = (
        one_of("strategy", StrategyName),
        one_of("because", Because),
        CheckConstraint("(because = 'person') = (said IS NOT NULL)", name="said"),
        CheckConstraint("said <> ''", name="reason"),
        UniqueConstraint("id", "pool_id"),
        Index(
            "uq_pool_resolution_current",
            "pool_id",
            unique=True,
            postgresql_where=text("current"),
        ),
        Index(None, "pool_id", "chosen_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"))
    strategy: Mapped[str]
    because: Mapped[str]
    said: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    chosen_by: Mapped[str]
    chosen_at: Mapped[datetime]
    current: Mapped[bool]


class SubPool(Base):
    """Draws wanted from some of a pool's tubes into one new tube; ``tube_id`` once it is made.

    ``position`` is what the bench calls it ("row 2"); one of a name is wanted at a time.
    """

    __tablename__ = "sub_pool"
    __table_args__ = (
        one_of("state", SubPoolState),
        CheckConstraint("(state = 'prepared') = (tube_id IS NOT NULL)", name="prepared"),
        CheckConstraint("(state = 'wanted') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("stage BETWEEN 1 AND 9", name="stage"),
        CheckConstraint("position <> ''", name="position"),
        UniqueConstraint("id", "master_id"),
        UniqueConstraint("tube_id"),
        ForeignKeyConstraint(
            ["resolution_id", "master_id"], ["pool_resolution.id", "pool_resolution.pool_id"]
        ),
        ForeignKeyConstraint(
            ["tube_id", "master_id"], ["tube.id", "tube.master_id"], name="fk_sub_pool_tube"
        ),
        Index(
            "uq_sub_pool_wanted",
            "master_id",
            "stage",
            "position",
            unique=True,
            postgresql_where=text("state = 'wanted'"),
        ),
        Index(None, "master_id"),
        Index(
            "ix_sub_pool_to_prepare",
            "site_id",
            "wanted_at",
            postgresql_where=text("state = 'wanted'"),
        ),
        Index(  # how long pipetting lately took
            "ix_sub_pool_prepared",
            "site_id",
            "ended_at",
            postgresql_where=text("state = 'prepared'"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    master_id: Mapped[UUID]
    resolution_id: Mapped[UUID]
    stage: Mapped[int]
    position: Mapped[str]
    state: Mapped[str]
    tube_id: Mapped[UUID | None]
    wanted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class SubPoolSource(Base):
    """One draw of a sub-pool. Its source is one of the master's own, or it cannot be stored."""

    __tablename__ = "sub_pool_source"
    __table_args__ = (
        ForeignKeyConstraint(["sub_pool_id", "master_id"], ["sub_pool.id", "sub_pool.master_id"]),
        ForeignKeyConstraint(
            ["master_id", "source_id"], ["tube_source.pool_id", "tube_source.source_id"]
        ),
        UniqueConstraint("sub_pool_id", "place"),
        CheckConstraint("place BETWEEN 1 AND 100", name="place"),
        CheckConstraint("volume_ul > 0", name="volume_ul"),
        Index(None, "source_id"),
    )
    sub_pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    master_id: Mapped[UUID]
    place: Mapped[int]
    volume_ul: Mapped[int]
