"""The plastic: tubes, what they hold, and what they were made from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import TubeKind, TubeState
from lims.tables.base import Base, ChangedAt, RowId, SiteRef, one_of


class Tube(Base):
    """One labelled tube. A laboratory pool is a tube too: it stands on the rack like any other.

    ``master_id``: the pool that this one, a sub-pool, was made to resolve. ``volume_ul``: what it
    held when it was received; unknown means enough.
    """

    __tablename__ = "tube"
    __table_args__ = (
        Index(None, "site_id", "changed_at", "id"),
        one_of("kind", TubeKind),
        one_of("state", TubeState),
        UniqueConstraint("barcode"),
        CheckConstraint("barcode ~ '^[0-9A-Z]{4,24}$'", name="barcode"),
        CheckConstraint(
            "(state = 'collected') = (received_at IS NULL AND rejected_at IS NULL)", name="received"
        ),
        CheckConstraint("(rejected_at IS NULL) = (reject_reason IS NULL)", name="rejected"),
        CheckConstraint("(received_at IS NULL) = (received_by IS NULL)", name="received_by"),
        CheckConstraint(
            "CASE state WHEN 'rejected' THEN rejected_at IS NOT NULL"
            " WHEN 'discarded' THEN true ELSE rejected_at IS NULL END",
            name="rejected_state",
        ),
        CheckConstraint("capacity BETWEEN 1 AND 100", name="capacity"),
        CheckConstraint(
            "master_id IS NULL OR (kind = 'lab_pool' AND master_id <> id)", name="master_id"
        ),
        CheckConstraint("volume_ul BETWEEN 0 AND 100000", name="volume_ul"),
        UniqueConstraint("id", "master_id"),
        Index(None, "master_id", postgresql_where=text("master_id IS NOT NULL")),
        CheckConstraint(
            "NOT awaits_pool OR (state = 'received' AND kind = 'individual'"
            " AND campaign_id IS NOT NULL)",
            name="awaits_pool",
        ),
        Index(None, "site_id", "created_at", postgresql_where=text("state = 'collected'")),
        Index(None, "site_id", "received_at"),
        # What people read aloud of a label is its end.
        Index(
            "ix_tube_ending",
            literal_column("reverse(barcode)").label("ending"),
            postgresql_ops={"ending": "text_pattern_ops"},
        ),
        Index(
            "ix_tube_awaits_pool", "site_id", "received_at", postgresql_where=text("awaits_pool")
        ),
        Index(
            "ix_tube_pools", "site_id", "created_at", postgresql_where=text("kind <> 'individual'")
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    barcode: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default=TubeState.COLLECTED)
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    assay_code: Mapped[str]
    capacity: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    received_at: Mapped[datetime | None]
    received_by: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    reject_reason: Mapped[str | None]
    body_digest: Mapped[str | None]
    master_id: Mapped[UUID | None] = mapped_column(ForeignKey("tube.id"))
    volume_ul: Mapped[int | None]
    changed_at: Mapped[ChangedAt]
    awaits_pool: Mapped[bool] = mapped_column(  # kept by triggers (migration "plates")
        default=False, server_default=text("false")
    )


class TubeSpecimen(Base):
    """The closure: every specimen a tube holds, through every level of pooling."""

    __tablename__ = "tube_specimen"
    __table_args__ = (Index(None, "specimen_id"),)
    tube_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"), primary_key=True)


class TubeSource(Base):
    """A draw from one tube into a pool. A tube enters a pool once, and one pool only.

    What is drawn later, to part the people of that pool, are the sources of its sub-pools
    (resolution.py).
    """

    __tablename__ = "tube_source"
    __table_args__ = (
        UniqueConstraint("source_id"),
        CheckConstraint("pool_id <> source_id", name="not_itself"),
        CheckConstraint("volume_ul > 0", name="volume_ul"),
    )
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    position: Mapped[int]
    drawn_at: Mapped[datetime]
    volume_ul: Mapped[int | None]
