"""The instrument's flags are kept, and how far its clock is off."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_SAID = ("message_id", "path", "specimen_text", "call", "error", "targets", "content")
_UNDERSTOOD = ("called", "closed_system")
_BYTES = ("body", "digest")


def upgrade() -> None:
    op.add_column(
        "measurement",
        sa.Column(
            "flags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("raw_message", sa.Column("sent_text", sa.Text(), nullable=True))
    op.add_column("raw_message", sa.Column("clock_ahead_s", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_raw_message_clock"),
        "raw_message",
        "clock_ahead_s IS NULL OR sent_text IS NOT NULL",
    )
    op.add_column("instrument", sa.Column("clock_ahead_s", sa.BigInteger(), nullable=True))
    _kept_as_it_came("measurement", *_SAID, *_UNDERSTOOD, "flags")
    _kept_as_it_came("raw_message", *_BYTES, "sent_text", "clock_ahead_s")


def downgrade() -> None:
    _kept_as_it_came("raw_message", *_BYTES)
    _kept_as_it_came("measurement", *_SAID, *_UNDERSTOOD)
    op.drop_column("instrument", "clock_ahead_s")
    op.drop_constraint(op.f("ck_raw_message_clock"), "raw_message")
    op.drop_column("raw_message", "clock_ahead_s")
    op.drop_column("raw_message", "sent_text")
    op.drop_column("measurement", "flags")


def _kept_as_it_came(table: str, *columns: str) -> None:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    op.execute(f"DROP TRIGGER as_it_came ON {table}")
    op.execute(
        f"CREATE TRIGGER as_it_came BEFORE UPDATE ON {table} FOR EACH ROW"
        f" WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION refuse_other_content()"
    )
