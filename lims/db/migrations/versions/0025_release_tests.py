"""The release test that ended a case, and the laboratory's choices about the end of isolation."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_SETTINGS = (
    "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size', 'hours_to_name',"
    " 'hours_to_confirm', 'secondary_attack_percent', 'sub_pool_draws', 'run_draws'"
)
_ENDS = "'release_from_day', 'release_ct', 'reinfection_days'"
_CHOICES = (
    ("release_from_day", 7, "BETWEEN 1 AND 60"),
    ("release_ct", 30, "BETWEEN 20 AND 45"),
    ("reinfection_days", 90, "BETWEEN 1 AND 365"),
)
_KINDS = (
    "'case.opened', 'case.confirmed', 'case.corrected', {closed}'alert.raised', 'alert.updated'"
)


def upgrade() -> None:
    for column, stands, bounds in _CHOICES:
        op.add_column(
            "site", sa.Column(column, sa.Integer(), nullable=False, server_default=str(stands))
        )
        op.create_check_constraint(op.f(f"ck_site_{column}"), "site", f"{column} {bounds}")
    _again("policy_change", "setting", f"{_SETTINGS}, {_ENDS}")
    _again("notice", "kind", _KINDS.format(closed="'case.closed', "))
    op.add_column("f0_case", sa.Column("ended_by_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_f0_case_ended_by_id"), "f0_case", "finding", ["ended_by_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_f0_case_ended_by"), "f0_case", "ended_by_id IS NULL OR state = 'closed'"
    )


def downgrade() -> None:
    op.drop_column("f0_case", "ended_by_id")
    op.execute("UPDATE notice SET kind = 'case.corrected' WHERE kind = 'case.closed'")
    _again("notice", "kind", _KINDS.format(closed=""))
    op.execute("ALTER TABLE policy_change DISABLE TRIGGER append_only")
    op.execute(f"DELETE FROM policy_change WHERE setting IN ({_ENDS})")  # noqa: S608 - the words above
    op.execute("ALTER TABLE policy_change ENABLE TRIGGER append_only")
    _again("policy_change", "setting", _SETTINGS)
    for column, _, _ in _CHOICES:
        op.drop_column("site", column)


def _again(table: str, column: str, words: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({words})")
