"""What people declared elsewhere is forgotten after the days that the laboratory chose."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_SETTINGS = (
    "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size', 'hours_to_name',"
    " 'hours_to_confirm', 'secondary_attack_percent', 'sub_pool_draws', 'run_draws',"
    " 'release_from_day', 'release_ct', 'reinfection_days', 'monitor_window_days',"
    " 'expected_refuted_percent', 'expected_empty_pools_percent', 'roster_after_min',"
    " 'province_after_min', 'voice_after_min'"
)


def upgrade() -> None:
    op.add_column(
        "site", sa.Column("declaration_days", sa.Integer(), server_default="30", nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_site_declaration_days"), "site", "declaration_days BETWEEN 1 AND 365"
    )
    _settings(f"{_SETTINGS}, 'declaration_days'")
    op.add_column(
        "declaration", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_declaration_forgotten"),
        "declaration",
        "forgotten_at IS NULL OR state = 'withdrawn'",
    )
    op.create_index(
        "ix_declaration_kept",
        "declaration",
        ["site_id", "taken_at"],
        postgresql_where=sa.text("forgotten_at IS NULL"),
    )


def _settings(words: str) -> None:
    op.drop_constraint(op.f("ck_policy_change_setting"), "policy_change", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_change_setting"), "policy_change", f"setting IN ({words})"
    )


def downgrade() -> None:
    op.drop_index("ix_declaration_kept", "declaration")
    op.drop_constraint(op.f("ck_declaration_forgotten"), "declaration", type_="check")
    op.drop_column("declaration", "forgotten_at")
    op.execute("ALTER TABLE policy_change DISABLE TRIGGER append_only")
    op.execute("DELETE FROM policy_change WHERE setting = 'declaration_days'")
    op.execute("ALTER TABLE policy_change ENABLE TRIGGER append_only")
    _settings(_SETTINGS)
    op.drop_column("site", "declaration_days")
