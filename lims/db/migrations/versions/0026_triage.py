"""How dangerous a case may become: what was asked, the colour, and the tables that give it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "triage_table",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_triage_table_source")),
        sa.CheckConstraint(
            "jsonb_array_length(rules) BETWEEN 1 AND 40", name=op.f("ck_triage_table_rules")
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_triage_table_name")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_triage_table_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage_table")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_triage_table_site_id_name")),
    )
    op.create_index(
        op.f("ix_triage_table_site_id_added_at"),
        "triage_table",
        ["site_id", "added_at"],
        unique=False,
    )
    op.create_table(
        "case_triage",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("age_years", sa.Integer(), nullable=True),
        sa.Column("illnesses", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("doses", sa.Integer(), nullable=True),
        sa.Column("spo2_percent", sa.Integer(), nullable=True),
        sa.Column("signs", sa.Text(), nullable=True),
        sa.Column("onset_on", sa.Date(), nullable=True),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("missing", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("by_table", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "colour IN ('red', 'orange', 'yellow', 'green')", name=op.f("ck_case_triage_colour")
        ),
        sa.CheckConstraint(
            "colour IS NULL OR missing = '{}'", name=op.f("ck_case_triage_colour_or_missing")
        ),
        sa.CheckConstraint(
            "illnesses <@ ARRAY['diabetes', 'heart', 'lung', 'kidney', 'liver', 'cancer', 'immune',"
            " 'obesity', 'pregnancy', 'other']::text[]",
            name=op.f("ck_case_triage_illnesses"),
        ),
        sa.CheckConstraint(
            "missing <@ ARRAY['age', 'illness', 'doses', 'spo2', 'signs']::text[]",
            name=op.f("ck_case_triage_missing"),
        ),
        sa.CheckConstraint(
            "signs IN ('none', 'mild', 'severe')", name=op.f("ck_case_triage_signs")
        ),
        sa.CheckConstraint("age_years BETWEEN 0 AND 130", name=op.f("ck_case_triage_age_years")),
        sa.CheckConstraint("doses BETWEEN 0 AND 20", name=op.f("ck_case_triage_doses")),
        sa.CheckConstraint(
            "spo2_percent BETWEEN 50 AND 100", name=op.f("ck_case_triage_spo2_percent")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["f0_case.id"], name=op.f("fk_case_triage_case_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_case_triage_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_triage")),
    )
    op.create_index(
        "uq_case_triage_current",
        "case_triage",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_case_triage_current", table_name="case_triage", postgresql_where=sa.text("current")
    )
    op.drop_table("case_triage")
    op.drop_index(op.f("ix_triage_table_site_id_added_at"), table_name="triage_table")
    op.drop_table("triage_table")
