"""A measurement may be the reading of a rapid test's strip, which knows no tube and no order."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_MATCHED = "ck_measurement_matched"
_STRIP = "ck_measurement_strip"


def upgrade() -> None:
    op.add_column("measurement", sa.Column("strip_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_measurement_strip_id"), "measurement", "strip", ["strip_id"], ["id"]
    )
    op.drop_constraint(op.f(_MATCHED), "measurement", type_="check")
    op.create_check_constraint(
        op.f(_MATCHED),
        "measurement",
        "standing <> 'matched' OR (role = 'specimen' AND (strip_id IS NOT NULL"
        " OR (order_id IS NOT NULL AND tube_id IS NOT NULL)))",
    )
    op.create_check_constraint(
        op.f(_STRIP),
        "measurement",
        "strip_id IS NULL OR (run_id IS NULL AND order_id IS NULL AND tube_id IS NULL)",
    )
    op.create_index(
        op.f("ix_measurement_strip_id"),
        "measurement",
        ["strip_id"],
        postgresql_where=sa.text("strip_id IS NOT NULL"),
    )
    op.create_index(
        "uq_measurement_strip",
        "measurement",
        ["strip_id"],
        unique=True,
        postgresql_where=sa.text("strip_id IS NOT NULL AND standing = 'matched'"),
    )


def downgrade() -> None:
    # What was read stays with its rapid test; the release before knows no measurement of a strip.
    op.execute(
        "UPDATE measurement SET standing = 'dismissed', why = 'the reading of a rapid test'"
        " WHERE strip_id IS NOT NULL AND standing IN ('matched', 'correction')"
    )
    op.drop_index("uq_measurement_strip", table_name="measurement")
    op.drop_index(op.f("ix_measurement_strip_id"), table_name="measurement")
    op.drop_constraint(op.f(_STRIP), "measurement", type_="check")
    op.drop_constraint(op.f(_MATCHED), "measurement", type_="check")
    op.create_check_constraint(
        op.f(_MATCHED),
        "measurement",
        "standing <> 'matched' OR"
        " (role = 'specimen' AND order_id IS NOT NULL AND tube_id IS NOT NULL)",
    )
    op.drop_column("measurement", "strip_id")
