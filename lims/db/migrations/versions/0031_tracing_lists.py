"""Lists of F0 that were taken, kept until they expire, and the standing orders for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_schedule",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("hours", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("arrival", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(arrival = 'email') = (email IS NOT NULL)", name=op.f("ck_list_schedule_email")
        ),
        sa.CheckConstraint("arrival IN ('board', 'email')", name=op.f("ck_list_schedule_arrival")),
        sa.CheckConstraint(
            "form IN ('pdf', 'xlsx', 'csv', 'sheet')", name=op.f("ck_list_schedule_form")
        ),
        sa.CheckConstraint("language IN ('vi', 'en')", name=op.f("ck_list_schedule_language")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_list_schedule_ended")
        ),
        sa.CheckConstraint(
            "cardinality(hours) BETWEEN 1 AND 24 AND 0 <= ALL (hours) AND 23 >= ALL (hours)",
            name=op.f("ck_list_schedule_hours"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_list_schedule_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_list_schedule_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_schedule")),
    )
    op.create_index(
        "ix_list_schedule_due",
        "list_schedule",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_list_schedule_team_id"), "list_schedule", ["team_id"], unique=False)
    op.create_table(
        "tracing_list",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=True),
        sa.Column("area_scheme", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complete_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("for_laboratory", sa.Boolean(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("taken_by_name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_id", sa.UUID(), nullable=True),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'day') = (from_day IS NOT NULL)", name=op.f("ck_tracing_list_from_day")
        ),
        sa.CheckConstraint(
            "(kind = 'day') = (to_day IS NOT NULL)", name=op.f("ck_tracing_list_to_day")
        ),
        sa.CheckConstraint(
            "(kind = 'since') = (complete_until IS NOT NULL)",
            name=op.f("ck_tracing_list_complete_until"),
        ),
        sa.CheckConstraint(
            "form IN ('pdf', 'xlsx', 'csv', 'sheet')", name=op.f("ck_tracing_list_form")
        ),
        sa.CheckConstraint("kind IN ('day', 'open', 'since')", name=op.f("ck_tracing_list_kind")),
        sa.CheckConstraint("language IN ('vi', 'en')", name=op.f("ck_tracing_list_language")),
        sa.CheckConstraint(
            "(area_code IS NULL) = (area_scheme IS NULL)", name=op.f("ck_tracing_list_area")
        ),
        sa.CheckConstraint(
            "(file IS NULL) = (gone_at IS NOT NULL)", name=op.f("ck_tracing_list_gone")
        ),
        sa.CheckConstraint(
            "(schedule_id IS NULL) = (slot_at IS NULL)", name=op.f("ck_tracing_list_slot")
        ),
        sa.CheckConstraint("cases >= 0", name=op.f("ck_tracing_list_cases")),
        sa.CheckConstraint("expires_at > taken_at", name=op.f("ck_tracing_list_expires_at")),
        sa.CheckConstraint("from_day <= to_day", name=op.f("ck_tracing_list_days")),
        sa.CheckConstraint(
            "mailed_at IS NULL OR schedule_id IS NOT NULL", name=op.f("ck_tracing_list_mailed")
        ),
        sa.CheckConstraint(
            "since IS NULL OR since <= complete_until", name=op.f("ck_tracing_list_since")
        ),
        sa.ForeignKeyConstraint(
            ["area_scheme", "area_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_tracing_list_area_scheme_area_code"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["list_schedule.id"], name=op.f("fk_tracing_list_schedule_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_tracing_list_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_tracing_list_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracing_list")),
    )
    op.create_index(
        "ix_tracing_list_kept",
        "tracing_list",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("file IS NOT NULL"),
    )
    op.create_index(
        "ix_tracing_list_progress",
        "tracing_list",
        ["taken_by", "complete_until"],
        unique=False,
        postgresql_where=sa.text("kind = 'since'"),
    )
    op.create_index(
        op.f("ix_tracing_list_site_id_taken_at"),
        "tracing_list",
        ["site_id", "taken_at"],
        unique=False,
    )
    op.create_index(
        "uq_tracing_list_slot",
        "tracing_list",
        ["schedule_id", "slot_at"],
        unique=True,
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_tracing_list_slot", table_name="tracing_list")
    op.drop_index(op.f("ix_tracing_list_site_id_taken_at"), table_name="tracing_list")
    op.drop_index("ix_tracing_list_progress", table_name="tracing_list")
    op.drop_index("ix_tracing_list_kept", table_name="tracing_list")
    op.drop_table("tracing_list")
    op.drop_index(op.f("ix_list_schedule_team_id"), table_name="list_schedule")
    op.drop_index("ix_list_schedule_due", table_name="list_schedule")
    op.drop_table("list_schedule")
