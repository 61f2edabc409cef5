"""A site's own dilution series, and the largest pool that follows from it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validation_panel",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("assay_code", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("lod_ct", sa.Float(), nullable=False),
        sa.Column("weak_positive_ct", sa.Float(), nullable=False),
        sa.Column("cycles_per_doubling", sa.Float(), nullable=False),
        sa.Column("largest_pool", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "bound IN ('limit_of_detection', 'largest_measured', 'detection')",
            name=op.f("ck_validation_panel_bound"),
        ),
        sa.CheckConstraint("source <> ''", name=op.f("ck_validation_panel_source")),
        sa.CheckConstraint("lod_ct BETWEEN 20 AND 45", name=op.f("ck_validation_panel_lod_ct")),
        sa.CheckConstraint(
            "weak_positive_ct BETWEEN 5 AND lod_ct",
            name=op.f("ck_validation_panel_weak_positive_ct"),
        ),
        sa.CheckConstraint(
            "largest_pool BETWEEN 1 AND 100", name=op.f("ck_validation_panel_largest_pool")
        ),
        sa.CheckConstraint(
            "cycles_per_doubling > 0", name=op.f("ck_validation_panel_cycles_per_doubling")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_validation_panel_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_panel")),
    )
    op.create_index(
        op.f("ix_validation_panel_site_id_assay_code_entered_at"),
        "validation_panel",
        ["site_id", "assay_code", "entered_at"],
    )
    op.create_table(
        "validation_panel_row",
        sa.Column("panel_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pool_size", sa.Integer(), nullable=False),
        sa.Column("ct_undiluted", sa.Float(), nullable=False),
        sa.Column("ct_pooled", sa.Float(), nullable=True),
        sa.Column("detected", sa.Integer(), nullable=False),
        sa.Column("replicates", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "pool_size BETWEEN 2 AND 100", name=op.f("ck_validation_panel_row_pool_size")
        ),
        sa.CheckConstraint(
            "ct_undiluted BETWEEN 5 AND 45", name=op.f("ck_validation_panel_row_ct_undiluted")
        ),
        sa.CheckConstraint(
            "ct_pooled BETWEEN 5 AND 45", name=op.f("ck_validation_panel_row_ct_pooled")
        ),
        sa.CheckConstraint(
            "replicates BETWEEN 1 AND 1000", name=op.f("ck_validation_panel_row_replicates")
        ),
        sa.CheckConstraint(
            "detected BETWEEN 0 AND replicates", name=op.f("ck_validation_panel_row_detected")
        ),
        sa.CheckConstraint(
            "(detected = 0) = (ct_pooled IS NULL)", name=op.f("ck_validation_panel_row_seen")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"],
            ["validation_panel.id"],
            name=op.f("fk_validation_panel_row_panel_id"),
        ),
        sa.PrimaryKeyConstraint("panel_id", "position", name=op.f("pk_validation_panel_row")),
    )


def downgrade() -> None:
    op.drop_table("validation_panel_row")
    op.drop_index(
        op.f("ix_validation_panel_site_id_assay_code_entered_at"), table_name="validation_panel"
    )
    op.drop_table("validation_panel")
