"""Result slips."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slip",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.UUID(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9A-HJ-NP-Z]{20}$'", name=op.f("ck_slip_code")),
        sa.CheckConstraint("language IN ('vi', 'en')", name=op.f("ck_slip_language")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_slip_finding_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_slip_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip")),
        sa.UniqueConstraint("code", name=op.f("uq_slip_code")),
        sa.UniqueConstraint("finding_id", "language", name=op.f("uq_slip_finding_id_language")),
    )
    op.create_index(op.f("ix_slip_site_id_issued_at"), "slip", ["site_id", "issued_at"])
    op.execute(
        """
        CREATE FUNCTION refuse_slip_of_no_release() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM finding f WHERE f.id = NEW.finding_id
                           AND f.site_id = NEW.site_id AND f.status IN ('F', 'C')) THEN
                RAISE EXCEPTION 'a slip is of a released finding' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER of_a_release BEFORE INSERT ON slip"
        " FOR EACH ROW EXECUTE FUNCTION refuse_slip_of_no_release()"
    )
    op.execute(
        "CREATE TRIGGER as_issued BEFORE UPDATE ON slip"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("slip")
    op.execute("DROP FUNCTION refuse_slip_of_no_release()")
