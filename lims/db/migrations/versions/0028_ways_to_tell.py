"""E-mail, digests, two secrets during a change, recipients that rest, and why a notice failed."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)
_FAILURES = (
    "'unreachable', 'too_slow', 'certificate', 'private', 'redirected', 'gone', 'busy',"
    " 'refused', 'broken', 'ours'"
)
_OLD_AND_NEW = (
    "(old_secret IS NULL) = (old_secret_until IS NULL)"
    " AND (old_secret IS NULL OR secret IS NOT NULL)"
)


def upgrade() -> None:
    _subscriptions()
    op.create_table(
        "digest",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("subscription_id", sa.UUID(), nullable=False),
        sa.Column("gathered_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_digest_site_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_digest_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest")),
        sa.UniqueConstraint("id", "subscription_id", name=op.f("uq_digest_id_subscription_id")),
    )
    _notices()


def _subscriptions() -> None:
    for name, kind in (
        ("old_secret", sa.Text()),
        ("old_secret_until", _WHEN),
        ("email", sa.Text()),
        ("gather_s", sa.Integer()),
        ("gathered_at", _WHEN),
        ("failing_since", _WHEN),
        ("rests_until", _WHEN),
    ):
        op.add_column("subscription", sa.Column(name, kind, nullable=True))
    op.add_column(
        "subscription", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.drop_constraint(op.f("ck_subscription_channel"), "subscription")
    for name, says in (
        ("channel", "channel IN ('board', 'webhook', 'email')"),
        ("email", "(channel = 'email') = (email IS NOT NULL)"),
        ("old_secret", _OLD_AND_NEW),
        ("gather_s", "gather_s BETWEEN 10 AND 86400"),
        ("gathers", "gather_s IS NULL OR channel <> 'board'"),
        ("failures", "failures >= 0"),
        ("failing_since", "(failures = 0) = (failing_since IS NULL)"),
        ("rests_until", "rests_until IS NULL OR failures > 0"),
    ):
        op.create_check_constraint(op.f(f"ck_subscription_{name}"), "subscription", says)


def _notices() -> None:
    op.add_column("notice", sa.Column("digest_id", sa.UUID(), nullable=True))
    op.add_column("notice", sa.Column("failure", sa.Text(), nullable=True))
    op.add_column("notice", sa.Column("resent_at", _WHEN, nullable=True))
    op.create_check_constraint(op.f("ck_notice_failure"), "notice", f"failure IN ({_FAILURES})")
    op.create_check_constraint(op.f("ck_notice_resent_at"), "notice", "resent_at >= created_at")
    op.create_foreign_key(
        op.f("fk_notice_digest_id_subscription_id"),
        "notice",
        "digest",
        ["digest_id", "subscription_id"],
        ["id", "subscription_id"],
    )
    owed = sa.text("state = 'owed'")
    op.drop_index("ix_notice_due", table_name="notice", postgresql_where=owed)
    op.create_index(
        "ix_notice_owed",
        "notice",
        ["subscription_id", "next_attempt_at", "id"],
        postgresql_where=owed,
    )
    op.create_index(op.f("ix_notice_subscription_id_id"), "notice", ["subscription_id", "id"])
    dead = sa.text("state = 'dead'")
    op.drop_index("ix_notice_dead", table_name="notice", postgresql_where=dead)
    op.create_index("ix_notice_dead", "notice", ["site_id", "failure"], postgresql_where=dead)
    op.execute("ALTER TABLE notice SET (fillfactor = 80)")
    op.create_index(
        "ix_notice_digest",
        "notice",
        ["digest_id"],
        postgresql_where=sa.text("state = 'owed' AND digest_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Who was told by e-mail has a board from then on: nobody is told of nothing."""
    owed, dead = sa.text("state = 'owed'"), sa.text("state = 'dead'")
    op.drop_index("ix_notice_digest", table_name="notice")
    op.execute("ALTER TABLE notice RESET (fillfactor)")
    op.drop_index("ix_notice_dead", table_name="notice")
    op.create_index("ix_notice_dead", "notice", ["site_id", "created_at"], postgresql_where=dead)
    op.drop_index(op.f("ix_notice_subscription_id_id"), table_name="notice")
    op.drop_index("ix_notice_owed", table_name="notice")
    op.create_index("ix_notice_due", "notice", ["next_attempt_at"], postgresql_where=owed)
    for column in ("digest_id", "failure", "resent_at"):
        op.drop_column("notice", column)
    op.drop_table("digest")
    op.drop_constraint(op.f("ck_subscription_channel"), "subscription")
    op.drop_constraint(op.f("ck_subscription_email"), "subscription")
    op.execute("UPDATE subscription SET channel = 'board' WHERE channel = 'email'")
    for column in (
        "old_secret",
        "old_secret_until",
        "email",
        "gather_s",
        "gathered_at",
        "failures",
        "failing_since",
        "rests_until",
    ):
        op.drop_column("subscription", column)
    op.create_check_constraint(
        op.f("ck_subscription_channel"), "subscription", "channel IN ('webhook', 'board')"
    )
