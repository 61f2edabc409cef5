"""Results of a day by pages: the index ends in the id, what is not a plain negative has its own,
and a commune's people can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CURRENT = sa.text("current")
_EXCEPTIONS = sa.text("current AND (outcome <> 'negative' OR status <> 'F')")


def upgrade() -> None:
    op.drop_index("ix_finding_day", table_name="finding")
    op.create_index(
        "ix_finding_day", "finding", ["site_id", "created_at", "id"], postgresql_where=_CURRENT
    )
    op.create_index(
        "ix_finding_exceptions",
        "finding",
        ["site_id", "created_at", "id"],
        postgresql_where=_EXCEPTIONS,
    )
    op.create_index(
        op.f("ix_person_site_id_area_scheme_area_code"),
        "person",
        ["site_id", "area_scheme", "area_code"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_person_site_id_area_scheme_area_code"), table_name="person")
    op.drop_index("ix_finding_exceptions", table_name="finding")
    op.drop_index("ix_finding_day", table_name="finding")
    op.create_index(
        "ix_finding_day", "finding", ["site_id", "created_at"], postgresql_where=_CURRENT
    )
