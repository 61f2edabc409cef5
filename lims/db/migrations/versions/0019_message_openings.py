"""What belongs to a message that broke off is found by its first record, not by reading a week's."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INDEX, _BEFORE = "ix_raw_message_opening", "ix_raw_message_aside"
_OPENING = "sha256(substring(body FROM 1 FOR position('\\x0d'::bytea IN body)))"


def upgrade() -> None:
    op.create_index(_INDEX, "raw_message", ["instrument_id", sa.text(_OPENING), "stored_at"])
    op.drop_index(_BEFORE, table_name="raw_message")


def downgrade() -> None:
    op.create_index(
        _BEFORE,
        "raw_message",
        ["instrument_id", "stored_at"],
        postgresql_where=sa.text("state IN ('held', 'quarantined')"),
    )
    op.drop_index(_INDEX, table_name="raw_message")
