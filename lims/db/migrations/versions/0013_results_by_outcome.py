"""Results of a day by outcome: positives have their own place in the index, and need not be looked
for among the preliminary findings of every positive pool."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BEFORE = sa.text("current AND (outcome <> 'negative' OR status <> 'F')")
_EXCEPTIONS = sa.text("current AND status <> 'F'")
_NOT_NEGATIVE = sa.text("current AND outcome <> 'negative'")


def upgrade() -> None:
    op.create_index(
        "ix_finding_outcome",
        "finding",
        ["site_id", "outcome", "created_at", "id"],
        postgresql_where=_NOT_NEGATIVE,
    )
    _exceptions(_EXCEPTIONS)


def downgrade() -> None:
    _exceptions(_BEFORE)
    op.drop_index("ix_finding_outcome", table_name="finding")


def _exceptions(those: sa.TextClause) -> None:
    op.drop_index("ix_finding_exceptions", table_name="finding")
    op.create_index(
        "ix_finding_exceptions", "finding", ["site_id", "created_at", "id"], postgresql_where=those
    )
