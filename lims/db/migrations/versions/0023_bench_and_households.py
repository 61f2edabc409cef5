"""What sub-pools are planned by: how households infect one another, and what the bench can draw."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("secondary_attack_percent", 25, "0 AND 60"),
    ("sub_pool_draws", 32, "2 AND 100"),
    ("run_draws", 400, "20 AND 999"),
)
_SETTINGS = (
    "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size', 'hours_to_name',"
    " 'hours_to_confirm'"
)
_NEW_SETTINGS = "'secondary_attack_percent', 'sub_pool_draws', 'run_draws'"
_RULES = (
    "'campaign', 'wells_free', 'wells_scarce', 'few_tubes', 'weak_pool', 'no_answer',"
    " 'not_single_tubes', 'volume'"
)
_OTHERS = "'person', 'before_choices'"


def upgrade() -> None:
    for column, usual, between in _COLUMNS:
        op.add_column(
            "site", sa.Column(column, sa.Integer(), nullable=False, server_default=str(usual))
        )
        op.create_check_constraint(op.f(f"ck_site_{column}"), "site", f"{column} BETWEEN {between}")
    _one_of("policy_change", "setting", f"{_SETTINGS}, {_NEW_SETTINGS}")
    _one_of("pool_resolution", "because", f"{_RULES}, 'pipetting', {_OTHERS}")


def downgrade() -> None:
    op.execute("ALTER TABLE policy_change DISABLE TRIGGER append_only")
    op.execute(
        "DELETE FROM policy_change"
        " WHERE setting IN ('secondary_attack_percent', 'sub_pool_draws', 'run_draws')"
    )
    op.execute("ALTER TABLE policy_change ENABLE TRIGGER append_only")
    op.execute("UPDATE pool_resolution SET because = 'volume' WHERE because = 'pipetting'")
    _one_of("policy_change", "setting", _SETTINGS)
    _one_of("pool_resolution", "because", f"{_RULES}, {_OTHERS}")
    for column, _, _ in reversed(_COLUMNS):
        op.drop_constraint(op.f(f"ck_site_{column}"), "site", type_="check")
        op.drop_column("site", column)


def _one_of(table: str, column: str, values: str) -> None:
    name = op.f(f"ck_{table}_{column}")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({values})")
