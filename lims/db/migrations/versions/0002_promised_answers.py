"""A campaign promises its answers within so many minutes of the swab."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "campaign",
        sa.Column("answer_within_min", sa.Integer(), server_default="1440", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_campaign_answer_within_min"), "campaign", "answer_within_min BETWEEN 30 AND 14400"
    )


def downgrade() -> None:
    op.drop_column("campaign", "answer_within_min")
