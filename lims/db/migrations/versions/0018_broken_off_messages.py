"""What an analyser's broken-off messages left behind is looked for with each whole one."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEX = "ix_raw_message_aside"


def upgrade() -> None:
    op.create_index(
        _INDEX,
        "raw_message",
        ["instrument_id", "stored_at"],
        postgresql_where=sa.text("state IN ('held', 'quarantined')"),
    )


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="raw_message")
