"""Why each finding passed or waits, the first of two signatures, and the site's policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As the rules of the day name them; a later word joins by a later migration.
HOLDS = (
    "'positive', 'discordant', 'inconclusive', 'identity_conflict', 'delta_check', "
    "'replaces_final', 'near_cut_off', 'controls_late', 'pool_not_resolved', 'swab_again', "
    "'antigen_not_confirmed'"
)


def upgrade() -> None:
    for switch in ("second_reviewer", "identity_holds"):
        op.add_column(
            "site", sa.Column(switch, sa.Boolean(), server_default="false", nullable=False)
        )
    op.create_table(
        "policy_change",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        sa.Column("was", sa.Integer(), nullable=False),
        sa.Column("became", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "setting IN ('second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size')",
            name=op.f("ck_policy_change_setting"),
        ),
        sa.CheckConstraint("was <> became", name=op.f("ck_policy_change_changed")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_policy_change_reason")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_policy_change_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
    )
    op.create_index(
        op.f("ix_policy_change_site_id_changed_at"), "policy_change", ["site_id", "changed_at"]
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON policy_change"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.add_column(
        "finding",
        sa.Column("holds", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("finding", sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("finding", sa.Column("signed_by", sa.Text(), nullable=True))
    op.execute(
        "UPDATE finding SET holds = CASE outcome"
        " WHEN 'positive' THEN ARRAY['positive'] WHEN 'discordant' THEN ARRAY['discordant']"
        " WHEN 'inconclusive' THEN ARRAY['inconclusive']"
        " WHEN 'preliminary' THEN ARRAY['pool_not_resolved']"
        " WHEN 'recollect' THEN ARRAY['swab_again']"
        " WHEN 'presumptive' THEN ARRAY['antigen_not_confirmed']"
        " ELSE ARRAY['replaces_final'] END"
        " WHERE status = 'P' OR outcome = 'positive'"
    )
    for name, condition in (
        ("holds", f"holds <@ ARRAY[{HOLDS}]::text[]"),
        ("waits_for_a_reason", "status <> 'P' OR cardinality(holds) > 0"),
        ("autoverified", "released_by <> rule OR cardinality(holds) = 0"),
        ("signed", "(signed_at IS NULL) = (signed_by IS NULL)"),
        ("two_reviewers", "signed_by <> released_by"),
    ):
        op.create_check_constraint(op.f(f"ck_finding_{name}"), "finding", condition)
    op.drop_index("ix_finding_review", table_name="finding")
    op.create_index(
        "ix_finding_waiting",
        "finding",
        ["site_id", "outcome", "created_at", "id"],
        postgresql_where=sa.text("current AND status = 'P'"),
    )


def downgrade() -> None:
    op.drop_index("ix_finding_waiting", table_name="finding")
    op.create_index(
        "ix_finding_review",
        "finding",
        ["site_id", "created_at"],
        postgresql_where=sa.text("current AND status = 'P'"),
    )
    for name in ("two_reviewers", "signed", "autoverified", "waits_for_a_reason", "holds"):
        op.drop_constraint(op.f(f"ck_finding_{name}"), "finding", type_="check")
    for column in ("signed_by", "signed_at", "holds"):
        op.drop_column("finding", column)
    op.drop_table("policy_change")
    for switch in ("identity_holds", "second_reviewer"):
        op.drop_column("site", switch)
