"""Health books are told of results, and other systems are asked what they hold of them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_destination_kind", "destination", type_="check")
    op.create_check_constraint(
        op.f("ck_destination_kind"), "destination", "kind IN ('oru', 'health-book')"
    )
    op.create_check_constraint(
        op.f("ck_destination_url"),
        "destination",
        "kind <> 'health-book' OR address ~ '^https?://[^/]+'",
    )
    op.create_table(
        "comparison",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.Column("held", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("since < until", name=op.f("ck_comparison_period")),
        sa.CheckConstraint(
            "(state = 'asked') = (ended_at IS NULL)", name=op.f("ck_comparison_ended")
        ),
        sa.CheckConstraint(
            "(state = 'done') = (told IS NOT NULL) AND (told IS NULL) = (held IS NULL)",
            name=op.f("ck_comparison_counted"),
        ),
        sa.CheckConstraint(
            "told >= 0 AND held >= 0 AND tries >= 0", name=op.f("ck_comparison_counts")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'done', 'failed')", name=op.f("ck_comparison_state")
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_comparison_destination_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_comparison_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
    )
    op.create_index(
        op.f("ix_comparison_destination_id_asked_at"), "comparison", ["destination_id", "asked_at"]
    )
    op.create_index(
        "uq_comparison_open",
        "comparison",
        ["destination_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "comparison_gap",
        sa.Column("comparison_id", sa.UUID(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("gap", sa.Text(), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=True),
        sa.Column("theirs", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "gap IN ('missing', 'behind', 'other', 'stranger')",
            name=op.f("ck_comparison_gap_gap"),
        ),
        sa.CheckConstraint(
            "(gap = 'stranger') = (ours IS NULL)", name=op.f("ck_comparison_gap_ours")
        ),
        sa.CheckConstraint(
            "(gap = 'missing') = (theirs IS NULL)", name=op.f("ck_comparison_gap_theirs")
        ),
        sa.ForeignKeyConstraint(
            ["comparison_id"], ["comparison.id"], name=op.f("fk_comparison_gap_comparison_id")
        ),
        sa.PrimaryKeyConstraint("comparison_id", "subject_id", name=op.f("pk_comparison_gap")),
    )


def downgrade() -> None:
    op.drop_table("comparison_gap")
    op.drop_table("comparison")
    op.drop_constraint("ck_destination_url", "destination", type_="check")
    op.drop_constraint("ck_destination_kind", "destination", type_="check")
    op.create_check_constraint(op.f("ck_destination_kind"), "destination", "kind IN ('oru')")
