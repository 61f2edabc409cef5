"""A list of F0 may be of a zone instead of an area; the next one of that zone goes on from it."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tracing_list", sa.Column("zone_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_tracing_list_zone_id"), "tracing_list", "zone", ["zone_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_tracing_list_zone"), "tracing_list", "area_code IS NULL OR zone_id IS NULL"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_tracing_list_zone"), "tracing_list", type_="check")
    op.drop_constraint(op.f("fk_tracing_list_zone_id"), "tracing_list", type_="foreignkey")
    op.drop_column("tracing_list", "zone_id")
