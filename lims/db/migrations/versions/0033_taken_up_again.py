"""When a case that was over was taken up again: it waits for a team from then on."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("f0_case", sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True))
    # What was told of a case says when: the first word after the last one that it was over.
    op.execute("""
UPDATE f0_case c SET reopened_at = again.at
FROM (SELECT n.case_id, min(n.created_at) AS at
      FROM (SELECT case_id, max(sequence) AS sequence FROM notice
            WHERE case_id IS NOT NULL
              AND facts ->> 'state' IN ('withdrawn', 'not_confirmed', 'closed')
            GROUP BY case_id) over
      JOIN notice n ON n.case_id = over.case_id AND n.sequence > over.sequence
      GROUP BY n.case_id) again
WHERE c.id = again.case_id AND c.state IN ('presumptive', 'confirmed')
""")


def downgrade() -> None:
    op.drop_column("f0_case", "reopened_at")
