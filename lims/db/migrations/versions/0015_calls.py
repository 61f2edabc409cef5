"""What the analyser itself said of a test, understood, and whether it may stand for a Ct."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

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


def downgrade() -> None:
    op.drop_constraint(op.f("ck_measurement_called_as_sent"), "measurement")
    op.drop_constraint(op.f("ck_measurement_called"), "measurement")
    op.drop_column("measurement", "closed_system")
    op.drop_column("measurement", "called")
