"""How soon a positive pool's people are to be named and confirmed: choices of the laboratory."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SETTINGS = "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size'"
_HOURS = "'hours_to_name', 'hours_to_confirm'"


def upgrade() -> None:
    for column, hours in (("hours_to_name", 4), ("hours_to_confirm", 8)):
        op.add_column(
            "site", sa.Column(column, sa.Integer(), nullable=False, server_default=str(hours))
        )
    op.create_check_constraint(
        op.f("ck_site_hours_to_name"), "site", "hours_to_name BETWEEN 1 AND 48"
    )
    op.create_check_constraint(
        op.f("ck_site_hours_to_confirm"), "site", "hours_to_confirm BETWEEN hours_to_name AND 96"
    )
    _settings(f"{_SETTINGS}, {_HOURS}")


def downgrade() -> None:
    op.execute(f"DELETE FROM policy_change WHERE setting IN ({_HOURS})")  # noqa: S608 - the words above
    _settings(_SETTINGS)
    op.drop_column("site", "hours_to_confirm")
    op.drop_column("site", "hours_to_name")


def _settings(named: str) -> None:
    op.drop_constraint(op.f("ck_policy_change_setting"), "policy_change", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_change_setting"), "policy_change", f"setting IN ({named})"
    )
