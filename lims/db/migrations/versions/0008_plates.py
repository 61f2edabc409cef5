"""plates.

Plates of 96 and of 384 wells, where their controls stand, and which tubes wait for a pool.

What was laid out before was a 96-well plate with its controls in H11 and H12: that is every site's
first template, and the one its runs name from now on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FITS_THE_FORMAT = (
    "CASE format WHEN 96 THEN position ~ '^[A-H](0[1-9]|1[0-2])$'"
    " WHEN 384 THEN position ~ '^[A-P](0[1-9]|1[0-9]|2[0-4])$' ELSE false END"
)


def upgrade() -> None:
    _templates()
    _formats()
    op.drop_index(
        "ix_test_order_queue",
        table_name="test_order",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_test_order_queue",
        "test_order",
        ["site_id", "assay_code", sa.literal_column("priority DESC"), "created_at", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    _awaits_pool()


def _templates() -> None:
    op.create_table(
        "control_template",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("assay_code", sa.Text(), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("format IN (96, 384)", name=op.f("ck_control_template_format")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_control_template_version")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 80", name=op.f("ck_control_template_name")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_control_template_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control_template")),
        sa.UniqueConstraint(
            "site_id",
            "assay_code",
            "format",
            "name",
            "version",
            name=op.f("uq_control_template_site_id_assay_code_format_name_version"),
        ),
        sa.UniqueConstraint("id", "format", name=op.f("uq_control_template_id_format")),
        sa.UniqueConstraint(
            "id",
            "site_id",
            "assay_code",
            "format",
            name=op.f("uq_control_template_id_site_id_assay_code_format"),
        ),
    )
    op.create_table(
        "control_template_well",
        sa.Column("template_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(FITS_THE_FORMAT, name=op.f("ck_control_template_well_position")),
        sa.CheckConstraint(
            "role IN ('negative_control', 'positive_control', 'extraction_control')",
            name=op.f("ck_control_template_well_role"),
        ),
        sa.ForeignKeyConstraint(
            ["template_id", "format"],
            ["control_template.id", "control_template.format"],
            name=op.f("fk_control_template_well_template_id_format"),
        ),
        sa.PrimaryKeyConstraint("template_id", "position", name=op.f("pk_control_template_well")),
    )
    op.execute(
        """
        INSERT INTO control_template (id, site_id, assay_code, format, name, version, created_at,
                                      created_by)
        SELECT mint_uuid7(now()), s.id, 'sars-cov-2', f.wells, 'Standard', 1, s.created_at,
               'founding'
        FROM site s CROSS JOIN (VALUES (96), (384)) f(wells)
        """
    )
    op.execute(
        """
        INSERT INTO control_template_well (template_id, position, format, role)
        SELECT c.id, w.position, c.format, w.role
        FROM control_template c JOIN (VALUES
            (96, 'H11', 'negative_control'), (96, 'H12', 'positive_control'),
            (384, 'O23', 'negative_control'), (384, 'P23', 'negative_control'),
            (384, 'O24', 'positive_control'), (384, 'P24', 'positive_control')
        ) w(format, position, role) ON w.format = c.format
        """
    )


def _formats() -> None:
    op.add_column("run", sa.Column("format", sa.Integer(), nullable=False, server_default="96"))
    op.add_column("run", sa.Column("control_template_id", sa.UUID(), nullable=True))
    op.execute(
        "UPDATE run SET control_template_id = c.id FROM control_template c"
        " WHERE c.site_id = run.site_id AND c.assay_code = run.assay_code AND c.format = 96"
    )
    op.alter_column("run", "control_template_id", nullable=False)
    op.alter_column("run", "format", server_default=None)
    op.create_check_constraint(op.f("ck_run_format"), "run", "format IN (96, 384)")
    op.create_unique_constraint(op.f("uq_run_id_format"), "run", ["id", "format"])
    op.create_foreign_key(
        "fk_run_control_template",
        "run",
        "control_template",
        ["control_template_id", "site_id", "assay_code", "format"],
        ["id", "site_id", "assay_code", "format"],
    )
    op.add_column("well", sa.Column("format", sa.Integer(), nullable=False, server_default="96"))
    op.alter_column("well", "format", server_default=None)
    op.drop_constraint(op.f("ck_well_position"), "well", type_="check")
    op.create_check_constraint(op.f("ck_well_position"), "well", FITS_THE_FORMAT)
    op.drop_constraint(op.f("fk_well_run_id"), "well", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_well_run_id_format"), "well", "run", ["run_id", "format"], ["id", "format"]
    )


def _awaits_pool() -> None:
    """A received tube of a pooling campaign, in no pool and without a test of its own.

    Kept by triggers, since every verb that tests or draws from a tube ends the wait.
    """
    op.add_column(
        "tube",
        sa.Column("awaits_pool", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.execute(
        """
        UPDATE tube t SET awaits_pool = true
        WHERE t.state = 'received' AND t.kind = 'individual'
          AND EXISTS (SELECT FROM campaign c WHERE c.id = t.campaign_id AND c.pool_size > 1)
          AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = t.id)
          AND NOT EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id)
        """
    )
    op.create_check_constraint(
        op.f("ck_tube_awaits_pool"),
        "tube",
        "NOT awaits_pool OR (state = 'received' AND kind = 'individual'"
        " AND campaign_id IS NOT NULL)",
    )
    op.create_index(
        "ix_tube_awaits_pool",
        "tube",
        ["site_id", "received_at"],
        postgresql_where=sa.text("awaits_pool"),
    )
    op.execute(
        """
        CREATE FUNCTION begin_or_end_pool_wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.awaits_pool := NEW.state = 'received' AND NEW.kind = 'individual'
                AND EXISTS (SELECT FROM campaign c WHERE c.id = NEW.campaign_id AND c.pool_size > 1)
                AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = NEW.id)
                AND NOT EXISTS (SELECT FROM test_order o WHERE o.tube_id = NEW.id);
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER pool_wait_of_a_new_tube BEFORE INSERT ON tube FOR EACH ROW"
        " WHEN (NEW.state = 'received') EXECUTE FUNCTION begin_or_end_pool_wait()"
    )
    op.execute(
        "CREATE TRIGGER pool_wait_of_a_moved_tube BEFORE UPDATE OF state ON tube FOR EACH ROW"
        " WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION begin_or_end_pool_wait()"
    )
    for table, tube in (("test_order", "tube_id"), ("tube_source", "source_id")):
        op.execute(
            f"""
            CREATE FUNCTION end_pool_wait_by_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE tube SET awaits_pool = false FROM fresh
                WHERE tube.id = fresh.{tube} AND tube.awaits_pool;
                RETURN NULL;
            END $$
            """  # noqa: S608 - the two names above
        )
        op.execute(
            f"CREATE TRIGGER ends_pool_wait AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh"
            f" FOR EACH STATEMENT EXECUTE FUNCTION end_pool_wait_by_{table}()"
        )


def downgrade() -> None:
    for table in ("test_order", "tube_source"):
        op.execute(f"DROP TRIGGER ends_pool_wait ON {table}")
        op.execute(f"DROP FUNCTION end_pool_wait_by_{table}()")
    op.execute("DROP TRIGGER pool_wait_of_a_new_tube ON tube")
    op.execute("DROP TRIGGER pool_wait_of_a_moved_tube ON tube")
    op.execute("DROP FUNCTION begin_or_end_pool_wait()")
    op.drop_index("ix_tube_awaits_pool", table_name="tube", postgresql_where=sa.text("awaits_pool"))
    op.drop_constraint(op.f("ck_tube_awaits_pool"), "tube", type_="check")
    op.drop_column("tube", "awaits_pool")
    op.drop_index(
        "ix_test_order_queue",
        table_name="test_order",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_test_order_queue",
        "test_order",
        ["site_id", "assay_code", sa.literal_column("priority DESC"), "created_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_constraint(op.f("fk_well_run_id_format"), "well", type_="foreignkey")
    op.drop_constraint(op.f("ck_well_position"), "well", type_="check")
    op.drop_column("well", "format")
    op.create_check_constraint(op.f("ck_well_position"), "well", "position ~ '^[A-P][0-9]{2}$'")
    op.create_foreign_key(op.f("fk_well_run_id"), "well", "run", ["run_id"], ["id"])
    op.drop_constraint("fk_run_control_template", "run", type_="foreignkey")
    op.drop_constraint(op.f("uq_run_id_format"), "run", type_="unique")
    op.drop_constraint(op.f("ck_run_format"), "run", type_="check")
    op.drop_column("run", "control_template_id")
    op.drop_column("run", "format")
    op.drop_table("control_template_well")
    op.drop_table("control_template")
