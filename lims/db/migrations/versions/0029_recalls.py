"""Recalls, the lots that runs are made with, and what the discordance monitors expect."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


_SETTINGS = (
    "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size', 'hours_to_name',"
    " 'hours_to_confirm', 'secondary_attack_percent', 'sub_pool_draws', 'run_draws',"
    " 'release_from_day', 'release_ct', 'reinfection_days'"
)
_EXPECTED = "'monitor_window_days', 'expected_refuted_percent', 'expected_empty_pools_percent'"


def upgrade() -> None:
    _lots()
    _recall()
    _taken_back()
    _ended()
    _expected()


def _lots() -> None:
    op.create_table(
        "reagent_lot",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('pcr', 'extraction')", name=op.f("ck_reagent_lot_kind")),
        sa.CheckConstraint(
            "lot = upper(btrim(lot)) AND length(lot) BETWEEN 1 AND 60",
            name=op.f("ck_reagent_lot_lot"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_reagent_lot_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reagent_lot")),
        sa.UniqueConstraint("site_id", "kind", "lot", name=op.f("uq_reagent_lot_site_id_kind_lot")),
    )
    op.create_table(
        "run_lot",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("lot_id", sa.UUID(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["reagent_lot.id"], name=op.f("fk_run_lot_lot_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_lot_run_id")),
        sa.PrimaryKeyConstraint("run_id", "lot_id", name=op.f("pk_run_lot")),
    )
    op.create_index(op.f("ix_run_lot_lot_id"), "run_lot", ["lot_id"], unique=False)


def _recall() -> None:
    op.create_table(
        "recall",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("reagent_lot_id", sa.UUID(), nullable=True),
        sa.Column("kit_lot_id", sa.UUID(), nullable=True),
        sa.Column("instrument_id", sa.UUID(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recalled_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'instrument') = (from_at IS NOT NULL)", name=op.f("ck_recall_from_at")
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_recall_reason")),
        sa.CheckConstraint(
            "kind IN ('run', 'reagent_lot', 'kit_lot', 'instrument')", name=op.f("ck_recall_kind")
        ),
        sa.CheckConstraint(
            "num_nonnulls(run_id, reagent_lot_id, kit_lot_id, instrument_id) = 1 AND CASE kind WHEN 'run' THEN run_id IS NOT NULL WHEN 'reagent_lot' THEN reagent_lot_id IS NOT NULL WHEN 'kit_lot' THEN kit_lot_id IS NOT NULL ELSE instrument_id IS NOT NULL END",
            name=op.f("ck_recall_subject"),
        ),
        sa.CheckConstraint("to_at IS NULL OR to_at > from_at", name=op.f("ck_recall_to_at")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_recall_instrument_id")
        ),
        sa.ForeignKeyConstraint(["kit_lot_id"], ["kit_lot.id"], name=op.f("fk_recall_kit_lot_id")),
        sa.ForeignKeyConstraint(
            ["reagent_lot_id"], ["reagent_lot.id"], name=op.f("fk_recall_reagent_lot_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_recall_run_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_recall_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(
        op.f("ix_recall_instrument_id"),
        "recall",
        ["instrument_id"],
        unique=False,
        postgresql_where=sa.text("instrument_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_recall_kit_lot_id"),
        "recall",
        ["kit_lot_id"],
        unique=False,
        postgresql_where=sa.text("kit_lot_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_recall_reagent_lot_id"),
        "recall",
        ["reagent_lot_id"],
        unique=False,
        postgresql_where=sa.text("reagent_lot_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_recall_site_id_recalled_at"), "recall", ["site_id", "recalled_at"], unique=False
    )


def _taken_back() -> None:
    op.create_table(
        "recall_run",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("recall_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_run_recall_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_recall_run_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_recall_run")),
    )
    op.create_index(op.f("ix_recall_run_recall_id"), "recall_run", ["recall_id"], unique=False)
    op.create_table(
        "recall_finding",
        sa.Column("finding_id", sa.UUID(), nullable=False),
        sa.Column("recall_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_recall_finding_finding_id")
        ),
        sa.ForeignKeyConstraint(
            ["recall_id"], ["recall.id"], name=op.f("fk_recall_finding_recall_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_recall_finding")),
    )
    op.create_index(
        op.f("ix_recall_finding_recall_id"), "recall_finding", ["recall_id"], unique=False
    )
    op.create_table(
        "recall_strip",
        sa.Column("rapid_test_id", sa.UUID(), nullable=False),
        sa.Column("recall_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rapid_test_id"], ["rapid_test.id"], name=op.f("fk_recall_strip_rapid_test_id")
        ),
        sa.ForeignKeyConstraint(
            ["recall_id"], ["recall.id"], name=op.f("fk_recall_strip_recall_id")
        ),
        sa.PrimaryKeyConstraint("rapid_test_id", name=op.f("pk_recall_strip")),
    )
    op.create_index(op.f("ix_recall_strip_recall_id"), "recall_strip", ["recall_id"], unique=False)


def _ended() -> None:
    op.create_index(
        op.f("ix_alert_member_site_id_raised_at"), "alert_member", ["site_id", "raised_at"]
    )
    op.create_index(
        "ix_rapid_test_positive",
        "rapid_test",
        ["site_id", "read_at"],
        postgresql_where=sa.text("outcome = 'positive'"),
    )


def _expected() -> None:
    op.add_column(
        "site", sa.Column("monitor_window_days", sa.Integer(), server_default="14", nullable=False)
    )
    op.add_column(
        "site",
        sa.Column("expected_refuted_percent", sa.Integer(), server_default="10", nullable=False),
    )
    op.add_column(
        "site",
        sa.Column("expected_empty_pools_percent", sa.Integer(), server_default="5", nullable=False),
    )
    for name, column, least, most in (
        ("monitor_window_days", "monitor_window_days", 1, 90),
        ("expected_refuted", "expected_refuted_percent", 1, 99),
        ("expected_empty", "expected_empty_pools_percent", 1, 99),
    ):
        op.create_check_constraint(
            op.f(f"ck_site_{name}"), "site", f"{column} BETWEEN {least} AND {most}"
        )
    _settings(f"{_SETTINGS}, {_EXPECTED}")


def _settings(words: str) -> None:
    op.drop_constraint(op.f("ck_policy_change_setting"), "policy_change", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_change_setting"), "policy_change", f"setting IN ({words})"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE policy_change DISABLE TRIGGER append_only")
    op.execute(f"DELETE FROM policy_change WHERE setting IN ({_EXPECTED})")  # noqa: S608 - the words above
    op.execute("ALTER TABLE policy_change ENABLE TRIGGER append_only")
    _settings(_SETTINGS)
    for column in (
        "monitor_window_days",
        "expected_refuted_percent",
        "expected_empty_pools_percent",
    ):
        op.drop_column("site", column)
    op.drop_index("ix_rapid_test_positive", "rapid_test")
    op.drop_index(op.f("ix_alert_member_site_id_raised_at"), "alert_member")
    for table in (
        "recall_finding",
        "recall_strip",
        "recall_run",
        "recall",
        "run_lot",
        "reagent_lot",
    ):
        op.drop_table(table)
