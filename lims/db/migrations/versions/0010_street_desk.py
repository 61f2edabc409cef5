"""What the street desk needs: registrations taken back, names found by their words, old numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taken_back",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("specimen_id", sa.UUID(), nullable=False),
        sa.Column("tube_id", sa.UUID(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('individual', 'field_pool', 'lab_pool')", name=op.f("ck_taken_back_kind")
        ),
        sa.CheckConstraint(
            "taken_back_at >= registered_at", name=op.f("ck_taken_back_taken_back_at")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_taken_back_campaign_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_taken_back_person_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_taken_back_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_back")),
        sa.UniqueConstraint("specimen_id", name=op.f("uq_taken_back_specimen_id")),
    )
    op.create_index(op.f("ix_taken_back_barcode"), "taken_back", ["barcode"], unique=False)
    op.create_index(op.f("ix_taken_back_person_id"), "taken_back", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_taken_back_registered_by_registered_at"),
        "taken_back",
        ["registered_by", "registered_at"],
        unique=False,
    )
    op.create_index(op.f("ix_taken_back_tube_id"), "taken_back", ["tube_id"], unique=False)
    op.add_column("person", sa.Column("old_id", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_person_old_id"), "person", "old_id ~ '^[0-9]{9}$'")
    op.drop_index(op.f("ix_person_name_key_birth_year"), table_name="person")
    op.create_index(
        "ix_person_given",
        "person",
        ["site_id", sa.literal_column("substring(name_key, '[^ ]+$')").label("given"), "name_key"],
        unique=False,
        postgresql_ops={"given": "text_pattern_ops", "name_key": "text_pattern_ops"},
    )
    op.create_index(
        "ix_person_name",
        "person",
        ["site_id", "name_key", "birth_year"],
        unique=False,
        postgresql_ops={"name_key": "text_pattern_ops"},
    )
    op.create_index(
        op.f("ix_person_old_id"),
        "person",
        ["old_id"],
        unique=False,
        postgresql_where=sa.text("old_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tube_ending",
        "tube",
        [sa.literal_column("reverse(barcode)").label("ending")],
        unique=False,
        postgresql_ops={"ending": "text_pattern_ops"},
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON taken_back"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("ix_tube_ending", table_name="tube")
    op.drop_index(
        op.f("ix_person_old_id"),
        table_name="person",
        postgresql_where=sa.text("old_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_person_name", table_name="person", postgresql_ops={"name_key": "text_pattern_ops"}
    )
    op.drop_index("ix_person_given", table_name="person")
    op.create_index(
        op.f("ix_person_name_key_birth_year"), "person", ["name_key", "birth_year"], unique=False
    )
    op.drop_constraint(op.f("ck_person_old_id"), "person")
    op.drop_column("person", "old_id")
    op.drop_index(op.f("ix_taken_back_tube_id"), table_name="taken_back")
    op.drop_index(op.f("ix_taken_back_registered_by_registered_at"), table_name="taken_back")
    op.drop_index(op.f("ix_taken_back_person_id"), table_name="taken_back")
    op.drop_index(op.f("ix_taken_back_barcode"), table_name="taken_back")
    op.drop_table("taken_back")
