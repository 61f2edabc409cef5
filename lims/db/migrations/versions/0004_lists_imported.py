"""Imported lists: the file, its columns, its bad rows, and which swab came with which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_mapping",
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("mapped", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "fingerprint ~ '^[0-9a-f]{64}$'", name=op.f("ck_import_mapping_fingerprint")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_import_mapping_site_id")),
        sa.PrimaryKeyConstraint("site_id", "fingerprint", name=op.f("pk_import_mapping")),
    )
    op.create_table(
        "import_job",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("ask_columns", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("heading_line", sa.Integer(), nullable=True),
        sa.Column("outline", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("mapped", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("rows_again", sa.Integer(), nullable=False),
        sa.Column("rows_bad", sa.Integer(), nullable=False),
        sa.Column("rows_passed", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undo_reason", sa.Text(), nullable=True),
        sa.Column("rows_undone", sa.Integer(), nullable=False),
        sa.Column("rows_kept", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(state = 'undone') = (undone_at IS NOT NULL)", name=op.f("ck_import_job_undone")
        ),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_import_job_digest")),
        sa.CheckConstraint(
            "state <> 'done' OR rows_done = rows_total", name=op.f("ck_import_job_done")
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR failure IS NOT NULL", name=op.f("ck_import_job_failure")
        ),
        sa.CheckConstraint(
            "state IN ('uploaded', 'mapping', 'queued', 'running', 'done', 'failed', 'undone')",
            name=op.f("ck_import_job_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('queued', 'running', 'done') OR (mapped IS NOT NULL AND outline IS NOT NULL)",
            name=op.f("ck_import_job_mapped"),
        ),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL) AND (undone_at IS NULL) = (undo_reason IS NULL)",
            name=op.f("ck_import_job_undone_by"),
        ),
        sa.CheckConstraint(
            "length(file_name) BETWEEN 1 AND 200", name=op.f("ck_import_job_file_name")
        ),
        sa.CheckConstraint(
            "rows_done <= rows_total AND rows_in + rows_again + rows_bad + rows_passed = rows_done AND least(rows_in, rows_again, rows_bad, rows_passed) >= 0",
            name=op.f("ck_import_job_rows"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_import_job_campaign_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_import_job_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_index(
        op.f("ix_import_job_site_id_uploaded_at"),
        "import_job",
        ["site_id", "uploaded_at"],
        unique=False,
    )
    op.create_index(
        "ix_import_job_waiting",
        "import_job",
        ["site_id", "uploaded_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('uploaded', 'queued', 'running')"),
    )
    op.create_index(
        "uq_import_job_digest",
        "import_job",
        ["site_id", "digest"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('failed', 'undone')"),
    )
    op.create_table(
        "import_fault",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("line > 0", name=op.f("ck_import_fault_line")),
        sa.ForeignKeyConstraint(["job_id"], ["import_job.id"], name=op.f("fk_import_fault_job_id")),
        sa.PrimaryKeyConstraint("job_id", "line", name=op.f("pk_import_fault")),
    )
    op.create_table(
        "import_file",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["import_job.id"], name=op.f("fk_import_file_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_import_file")),
    )
    op.create_index(
        op.f("ix_card_doubt_became_id"),
        "card_doubt",
        ["became_id"],
        unique=False,
        postgresql_where=sa.text("became_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_measurement_tube_id"),
        "measurement",
        ["tube_id"],
        unique=False,
        postgresql_where=sa.text("tube_id IS NOT NULL"),
    )
    op.add_column("specimen", sa.Column("import_job_id", sa.UUID(), nullable=True))
    op.create_index(
        op.f("ix_specimen_import_job_id"),
        "specimen",
        ["import_job_id"],
        unique=False,
        postgresql_where=sa.text("import_job_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_specimen_import_job_id"), "specimen", "import_job", ["import_job_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_specimen_import_job_id"), "specimen", type_="foreignkey")
    op.drop_index(
        op.f("ix_specimen_import_job_id"),
        table_name="specimen",
        postgresql_where=sa.text("import_job_id IS NOT NULL"),
    )
    op.drop_column("specimen", "import_job_id")
    op.drop_index(
        op.f("ix_measurement_tube_id"),
        table_name="measurement",
        postgresql_where=sa.text("tube_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_card_doubt_became_id"),
        table_name="card_doubt",
        postgresql_where=sa.text("became_id IS NOT NULL"),
    )
    op.drop_table("import_file")
    op.drop_table("import_fault")
    op.drop_index(
        "uq_import_job_digest",
        table_name="import_job",
        postgresql_where=sa.text("state NOT IN ('failed', 'undone')"),
    )
    op.drop_index(
        "ix_import_job_waiting",
        table_name="import_job",
        postgresql_where=sa.text("state IN ('uploaded', 'queued', 'running')"),
    )
    op.drop_index(op.f("ix_import_job_site_id_uploaded_at"), table_name="import_job")
    op.drop_table("import_job")
    op.drop_table("import_mapping")
