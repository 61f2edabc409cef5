"""A team's word that it knows of a correction, apart from the case having been fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
    # Until now a correction that was read counted as known; what was settled stays settled.
    op.execute("""
UPDATE notice SET acknowledged_at = fetched_at
WHERE kind = 'case.corrected' AND fetched_at IS NOT NULL
""")
    op.create_check_constraint(
        op.f("ck_notice_acknowledged_at"),
        "notice",
        "acknowledged_at IS NULL OR kind = 'case.corrected'",
    )
    op.create_index(
        "ix_notice_unacknowledged",
        "notice",
        ["site_id"],
        postgresql_where=sa.text("kind = 'case.corrected' AND acknowledged_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notice_unacknowledged", "notice")
    op.drop_constraint(op.f("ck_notice_acknowledged_at"), "notice", type_="check")
    op.drop_column("notice", "acknowledged_at")
