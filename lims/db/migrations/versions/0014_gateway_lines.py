"""How each gateway's lines stand: the latest heartbeat only."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_STATES = "'unreadable', 'unplugged', 'queueing', 'silent', 'up'"


def upgrade() -> None:
    op.create_table(
        "gateway_line",
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_byte_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("journal_bytes", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("dead", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_gateway_line_state")),
        sa.CheckConstraint(
            "length(gateway) BETWEEN 1 AND 60", name=op.f("ck_gateway_line_gateway")
        ),
        sa.CheckConstraint(
            "length(instrument) BETWEEN 1 AND 60", name=op.f("ck_gateway_line_instrument")
        ),
        sa.CheckConstraint(
            "journal_bytes >= 0 AND waiting >= 0 AND dead >= 0 AND quarantined >= 0",
            name=op.f("ck_gateway_line_counts"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_gateway_line_site_id")),
        sa.PrimaryKeyConstraint("site_id", "gateway", "instrument", name=op.f("pk_gateway_line")),
    )


def downgrade() -> None:
    op.drop_table("gateway_line")
