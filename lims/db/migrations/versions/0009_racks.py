"""racks.

Racks handed over at the door, with the list of what should be in them and what was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rack",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_rack_closed")
        ),
        sa.CheckConstraint("length(sender) BETWEEN 1 AND 200", name=op.f("ck_rack_sender")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_rack_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rack")),
    )
    op.create_index(op.f("ix_rack_site_id_created_at"), "rack", ["site_id", "created_at"])
    op.create_index(
        "ix_rack_open", "rack", ["site_id"], postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_table(
        "rack_tube",
        sa.Column("rack_id", sa.UUID(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("tube_id", sa.UUID(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scanned_by", sa.Text(), nullable=True),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('here', 'unlisted', 'other_rack', 'received_before', 'unregistered',"
            " 'rejected')",
            name=op.f("ck_rack_tube_verdict"),
        ),
        sa.CheckConstraint(
            "(verdict IS NULL) = (scanned_at IS NULL) AND (verdict IS NULL) = (scanned_by IS NULL)",
            name=op.f("ck_rack_tube_scanned"),
        ),
        sa.CheckConstraint("listed OR verdict IS NOT NULL", name=op.f("ck_rack_tube_known")),
        sa.CheckConstraint("listed OR verdict <> 'here'", name=op.f("ck_rack_tube_here")),
        sa.CheckConstraint(
            "NOT missing OR (listed AND verdict IS NULL)", name=op.f("ck_rack_tube_missing")
        ),
        sa.CheckConstraint("position ~ '^[A-P][0-9]{2}$'", name=op.f("ck_rack_tube_position")),
        sa.ForeignKeyConstraint(["rack_id"], ["rack.id"], name=op.f("fk_rack_tube_rack_id")),
        sa.ForeignKeyConstraint(["tube_id"], ["tube.id"], name=op.f("fk_rack_tube_tube_id")),
        sa.PrimaryKeyConstraint("rack_id", "barcode", name=op.f("pk_rack_tube")),
    )
    op.create_index(
        op.f("ix_rack_tube_tube_id"),
        "rack_tube",
        ["tube_id"],
        postgresql_where=sa.text("tube_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("rack_tube")
    op.drop_table("rack")
