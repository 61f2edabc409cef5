"""What the analyser itself said of a test, understood, and whether it may stand for a Ct."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_CAME = ("message_id", "path", "specimen_text", "call", "error", "targets", "content")
_UNDERSTOOD = ("called", "closed_system")
_WORDS = "'detected', 'not_detected', 'inconclusive', 'invalid'"


def upgrade() -> None:
    op.add_column("measurement", sa.Column("called", sa.Text(), nullable=True))
    op.add_column(
        "measurement",
        sa.Column("closed_system", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_check_constraint(
        op.f("ck_measurement_called"), "measurement", f"called IN ({_WORDS})"
    )
    op.create_check_constraint(
        op.f("ck_measurement_called_as_sent"), "measurement", "called IS NULL OR call IS NOT NULL"
    )
    _kept_as_it_came(*_CAME, *_UNDERSTOOD)


def downgrade() -> None:
    _kept_as_it_came(*_CAME)
    op.drop_constraint(op.f("ck_measurement_called_as_sent"), "measurement")
    op.drop_constraint(op.f("ck_measurement_called"), "measurement")
    op.drop_column("measurement", "closed_system")
    op.drop_column("measurement", "called")


def _kept_as_it_came(*columns: str) -> None:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    op.execute("DROP TRIGGER as_it_came ON measurement")
    op.execute(
        "CREATE TRIGGER as_it_came BEFORE UPDATE ON measurement FOR EACH ROW"
        f" WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION refuse_other_content()"
    )
