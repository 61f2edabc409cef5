"""How long pipetting and swabbing again lately took is read from the newest that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ENDED = (
    ("ix_sub_pool_prepared", "sub_pool", "prepared"),
    ("ix_recollection_done", "recollection", "done"),
)


def upgrade() -> None:
    for name, table, state in _ENDED:
        op.create_index(
            name, table, ["site_id", "ended_at"], postgresql_where=sa.text(f"state = '{state}'")
        )


def downgrade() -> None:
    for name, table, _ in _ENDED:
        op.drop_index(name, table_name=table)
