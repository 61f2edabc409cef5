"""Other systems that are told of results, what each is owed, and when each row last changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_STAMPED = ("finding", "person", "test_order", "tube")


def upgrade() -> None:
    op.create_table(
        "destination",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("area_scheme", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind <> 'oru' OR address ~ '^mllps?://[^/]+:[0-9]+$'",
            name=op.f("ck_destination_address"),
        ),
        sa.CheckConstraint("kind IN ('oru')", name=op.f("ck_destination_kind")),
        sa.CheckConstraint(
            "(area_code IS NULL) = (area_scheme IS NULL)", name=op.f("ck_destination_area")
        ),
        sa.CheckConstraint(
            "(failures = 0) = (failing_since IS NULL)", name=op.f("ck_destination_failing")
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_destination_failures")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_destination_name")),
        sa.ForeignKeyConstraint(
            ["area_scheme", "area_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_destination_area_scheme_area_code"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_destination_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destination")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_destination_site_id_name")),
    )
    op.create_table(
        "outbound",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.UUID(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'finding') = (finding_id IS NOT NULL)", name=op.f("ck_outbound_about")
        ),
        sa.CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_outbound_delivered")
        ),
        sa.CheckConstraint("kind IN ('finding')", name=op.f("ck_outbound_kind")),
        sa.CheckConstraint(
            "payload_digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_outbound_payload_digest")
        ),
        sa.CheckConstraint("says IN ('P', 'F', 'C', 'X', 'W')", name=op.f("ck_outbound_says")),
        sa.CheckConstraint(
            "state IN ('owed', 'delivered', 'dead')", name=op.f("ck_outbound_state")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbound_attempts")),
        sa.CheckConstraint(
            "delivered_at IS NULL OR payload_digest IS NOT NULL", name=op.f("ck_outbound_sent")
        ),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_outbound_sequence")),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_outbound_destination_id")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_outbound_finding_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_outbound_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound")),
        sa.UniqueConstraint(
            "subject_id",
            "destination_id",
            "sequence",
            name=op.f("uq_outbound_subject_id_destination_id_sequence"),
        ),
    )
    op.create_index(
        "ix_outbound_dead",
        "outbound",
        ["destination_id"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        op.f("ix_outbound_destination_id_created_at"),
        "outbound",
        ["destination_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_outbound_due",
        "outbound",
        ["destination_id", "next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'owed'"),
    )
    op.create_index(
        op.f("ix_outbound_finding_id"),
        "outbound",
        ["finding_id"],
        unique=False,
        postgresql_where=sa.text("finding_id IS NOT NULL"),
    )
    op.create_index(
        "ix_finding_ended", "finding", ["specimen_id"], postgresql_where=sa.text("NOT current")
    )
    _changed_at()


def _changed_at() -> None:
    """When the database learnt of it, by its own clock: what a reader pages by. Kept by triggers,
    since every verb changes rows, and none may forget."""
    op.execute(
        """
        CREATE FUNCTION stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_at := clock_timestamp();
            RETURN NEW;
        END $$
        """
    )
    for table in _STAMPED:
        op.add_column(
            table,
            sa.Column(
                "changed_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("clock_timestamp()"),
                nullable=False,
            ),
        )
        op.create_index(
            op.f(f"ix_{table}_site_id_changed_at_id"), table, ["site_id", "changed_at", "id"]
        )
        op.execute(
            f"CREATE TRIGGER changed BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION stamp_change()"
        )


def downgrade() -> None:
    for table in _STAMPED:
        op.execute(f"DROP TRIGGER changed ON {table}")
        op.drop_index(op.f(f"ix_{table}_site_id_changed_at_id"), table_name=table)
        op.drop_column(table, "changed_at")
    op.execute("DROP FUNCTION stamp_change()")
    op.drop_index("ix_finding_ended", table_name="finding")
    op.drop_index(
        op.f("ix_outbound_finding_id"),
        table_name="outbound",
        postgresql_where=sa.text("finding_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_outbound_due", table_name="outbound", postgresql_where=sa.text("state = 'owed'")
    )
    op.drop_index(op.f("ix_outbound_destination_id_created_at"), table_name="outbound")
    op.drop_index(
        "ix_outbound_dead", table_name="outbound", postgresql_where=sa.text("state = 'dead'")
    )
    op.drop_table("outbound")
    op.drop_table("destination")
