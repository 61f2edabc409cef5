"""Zones and who belongs to them, duty rosters, and each step of a case that nobody claims."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_MINUTES = ("roster_after_min", "province_after_min", "voice_after_min")
_SETTINGS = (
    "'second_reviewer', 'identity_holds', 'pools_of_pools', 'max_pool_size', 'hours_to_name',"
    " 'hours_to_confirm', 'secondary_attack_percent', 'sub_pool_draws', 'run_draws',"
    " 'release_from_day', 'release_ct', 'reinfection_days', 'monitor_window_days',"
    " 'expected_refuted_percent', 'expected_empty_pools_percent'"
)


def upgrade() -> None:
    op.create_table(
        "zone",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('industrial', 'hospital', 'quarantine', 'dormitory', 'school', 'market', 'other')",
            name=op.f("ck_zone_kind"),
        ),
        sa.CheckConstraint("closed_at >= created_at", name=op.f("ck_zone_closed")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_zone_name")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_zone_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone")),
        sa.UniqueConstraint("site_id", "name_key", name=op.f("uq_zone_site_id_name_key")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("phone ~ '^\\+[0-9]{8,15}$'", name=op.f("ck_contact_phone")),
        sa.CheckConstraint("left_at >= created_at", name=op.f("ck_contact_left")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_contact_name")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_contact_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_contact_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("id", "team_id", name=op.f("uq_contact_id_team_id")),
    )
    op.create_index(op.f("ix_contact_team_id"), "contact", ["team_id"], unique=False)
    op.create_table(
        "duty",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'",
            name=op.f("ck_duty_span"),
        ),
        sa.CheckConstraint("place BETWEEN 1 AND 2", name=op.f("ck_duty_place")),
        sa.ForeignKeyConstraint(
            ["contact_id", "team_id"],
            ["contact.id", "contact.team_id"],
            name=op.f("fk_duty_contact_id_team_id"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_duty_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_duty_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint(
            "team_id", "place", "starts_at", name=op.f("uq_duty_team_id_place_starts_at")
        ),
    )
    op.create_index(op.f("ix_duty_contact_id"), "duty", ["contact_id"], unique=False)
    op.create_index(op.f("ix_duty_team_id_ends_at"), "duty", ["team_id", "ends_at"], unique=False)
    op.create_table(
        "person_zone",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("zone_id", sa.UUID(), nullable=False),
        sa.Column("tie", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("tie IN ('resident', 'worker')", name=op.f("ck_person_zone_tie")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_person_zone_ended_by")
        ),
        sa.CheckConstraint("ended_at >= created_at", name=op.f("ck_person_zone_ended")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_person_zone_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_person_zone_site_id")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_person_zone_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_zone")),
    )
    op.create_index(op.f("ix_person_zone_person_id"), "person_zone", ["person_id"], unique=False)
    op.create_index(op.f("ix_person_zone_zone_id"), "person_zone", ["zone_id"], unique=False)
    op.create_index(
        "uq_person_zone_open",
        "person_zone",
        ["person_id", "zone_id", "tie"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    _steps()
    _zones()
    _waiting()


def _steps() -> None:
    op.create_table(
        "voice_call",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("note <> ''", name=op.f("ck_voice_call_note")),
        sa.CheckConstraint(
            "outcome IN ('reached', 'no_answer', 'wrong_number', 'calls_back')",
            name=op.f("ck_voice_call_outcome"),
        ),
        sa.CheckConstraint("phone ~ '^\\+[0-9]{8,15}$'", name=op.f("ck_voice_call_phone")),
        sa.ForeignKeyConstraint(
            ["contact_id", "team_id"],
            ["contact.id", "contact.team_id"],
            name=op.f("fk_voice_call_contact_id_team_id"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_voice_call_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_voice_call_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_call")),
    )
    op.create_index(
        op.f("ix_voice_call_contact_id"),
        "voice_call",
        ["contact_id"],
        unique=False,
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_voice_call_site_id_at"), "voice_call", ["site_id", "at"], unique=False)
    op.create_index(op.f("ix_voice_call_team_id_at"), "voice_call", ["team_id", "at"], unique=False)
    op.create_table(
        "escalation_step",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("unclaimed_min", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(step = 'voice') = (team_id IS NULL)", name=op.f("ck_escalation_step_whom")
        ),
        sa.CheckConstraint(
            "contact_id IS NULL OR step = 'roster'", name=op.f("ck_escalation_step_contact")
        ),
        sa.CheckConstraint(
            "step IN ('roster', 'ward', 'province', 'nation', 'voice')",
            name=op.f("ck_escalation_step_step"),
        ),
        sa.CheckConstraint("at >= since", name=op.f("ck_escalation_step_at")),
        sa.CheckConstraint("unclaimed_min >= 0", name=op.f("ck_escalation_step_unclaimed_min")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["f0_case.id"], name=op.f("fk_escalation_step_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id", "team_id"],
            ["contact.id", "contact.team_id"],
            name=op.f("fk_escalation_step_contact_id_team_id"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_escalation_step_site_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_escalation_step_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_step")),
    )
    op.create_index(
        op.f("ix_escalation_step_contact_id"),
        "escalation_step",
        ["contact_id"],
        unique=False,
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_escalation_step_site_id_at"), "escalation_step", ["site_id", "at"], unique=False
    )
    op.create_index(
        "uq_escalation_step",
        "escalation_step",
        ["case_id", "since", "step", "team_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "voice_call_case",
        sa.Column("call_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["voice_call.id"], name=op.f("fk_voice_call_case_call_id")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["f0_case.id"], name=op.f("fk_voice_call_case_case_id")
        ),
        sa.PrimaryKeyConstraint("call_id", "case_id", name=op.f("pk_voice_call_case")),
    )
    op.create_index(
        op.f("ix_voice_call_case_case_id"), "voice_call_case", ["case_id"], unique=False
    )


def _zones() -> None:
    op.add_column("campaign", sa.Column("zone_id", sa.UUID(), nullable=True))
    op.create_index(
        op.f("ix_campaign_zone_id"),
        "campaign",
        ["zone_id"],
        unique=False,
        postgresql_where=sa.text("zone_id IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_campaign_zone_id"), "campaign", "zone", ["zone_id"], ["id"])
    op.add_column("subscription", sa.Column("zone_id", sa.UUID(), nullable=True))
    op.create_index(
        op.f("ix_subscription_zone_id"),
        "subscription",
        ["zone_id"],
        unique=False,
        postgresql_where=sa.text("zone_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_subscription_zone_id"), "subscription", "zone", ["zone_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_subscription_zone"), "subscription", "area_code IS NULL OR zone_id IS NULL"
    )
    _desk(
        "disabled_at IS NULL OR area_code IS NOT NULL OR zone_id IS NOT NULL OR channel <> 'board'"
    )


def _waiting() -> None:
    op.create_index(
        op.f("ix_claim_case_id_ended_at"), "claim", ["case_id", "ended_at"], unique=False
    )
    op.create_index(
        "ix_f0_case_live",
        "f0_case",
        ["site_id", "opened_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('presumptive', 'confirmed')"),
    )
    op.add_column(
        "site", sa.Column("roster_after_min", sa.Integer(), server_default="15", nullable=False)
    )
    op.add_column(
        "site", sa.Column("province_after_min", sa.Integer(), server_default="30", nullable=False)
    )
    op.add_column(
        "site", sa.Column("voice_after_min", sa.Integer(), server_default="45", nullable=False)
    )
    for column in _MINUTES:
        op.create_check_constraint(
            op.f(f"ck_site_{column}"), "site", f"{column} BETWEEN 1 AND 1440"
        )
    _settings(_SETTINGS + "".join(f", '{column}'" for column in _MINUTES))


def _desk(stays: str) -> None:
    op.drop_constraint(op.f("ck_subscription_desk"), "subscription", type_="check")
    op.create_check_constraint(op.f("ck_subscription_desk"), "subscription", stays)


def _settings(listed: str) -> None:
    op.drop_constraint(op.f("ck_policy_change_setting"), "policy_change", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_change_setting"), "policy_change", f"setting IN ({listed})"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE policy_change DISABLE TRIGGER append_only")
    op.execute("DELETE FROM policy_change WHERE setting LIKE '%\\_after\\_min'")
    op.execute("ALTER TABLE policy_change ENABLE TRIGGER append_only")
    _settings(_SETTINGS)
    op.execute(
        "DELETE FROM delivery WHERE notice_id IN (SELECT n.id FROM notice n"
        " JOIN subscription s ON s.id = n.subscription_id WHERE s.zone_id IS NOT NULL)"
    )
    op.execute(
        "DELETE FROM notice WHERE subscription_id IN"
        " (SELECT id FROM subscription WHERE zone_id IS NOT NULL)"
    )
    op.execute("DELETE FROM subscription WHERE zone_id IS NOT NULL")
    _desk("disabled_at IS NULL OR area_code IS NOT NULL OR channel <> 'board'")
    op.drop_constraint(op.f("fk_subscription_zone_id"), "subscription", type_="foreignkey")
    op.drop_index(
        op.f("ix_subscription_zone_id"),
        table_name="subscription",
        postgresql_where=sa.text("zone_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("ck_subscription_zone"), "subscription", type_="check")
    op.drop_column("subscription", "zone_id")
    op.drop_column("site", "voice_after_min")
    op.drop_column("site", "province_after_min")
    op.drop_column("site", "roster_after_min")
    op.drop_index(
        "ix_f0_case_live",
        table_name="f0_case",
        postgresql_where=sa.text("state IN ('presumptive', 'confirmed')"),
    )
    op.drop_index(op.f("ix_claim_case_id_ended_at"), table_name="claim")
    op.drop_constraint(op.f("fk_campaign_zone_id"), "campaign", type_="foreignkey")
    op.drop_index(
        op.f("ix_campaign_zone_id"),
        table_name="campaign",
        postgresql_where=sa.text("zone_id IS NOT NULL"),
    )
    op.drop_column("campaign", "zone_id")
    op.drop_index(op.f("ix_voice_call_case_case_id"), table_name="voice_call_case")
    op.drop_table("voice_call_case")
    op.drop_index(
        "uq_escalation_step", table_name="escalation_step", postgresql_nulls_not_distinct=True
    )
    op.drop_index(op.f("ix_escalation_step_site_id_at"), table_name="escalation_step")
    op.drop_index(
        op.f("ix_escalation_step_contact_id"),
        table_name="escalation_step",
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.drop_table("escalation_step")
    op.drop_index(op.f("ix_voice_call_team_id_at"), table_name="voice_call")
    op.drop_index(op.f("ix_voice_call_site_id_at"), table_name="voice_call")
    op.drop_index(
        op.f("ix_voice_call_contact_id"),
        table_name="voice_call",
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.drop_table("voice_call")
    op.drop_index(
        "uq_person_zone_open",
        table_name="person_zone",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_person_zone_zone_id"), table_name="person_zone")
    op.drop_index(op.f("ix_person_zone_person_id"), table_name="person_zone")
    op.drop_table("person_zone")
    op.drop_index(op.f("ix_duty_team_id_ends_at"), table_name="duty")
    op.drop_index(op.f("ix_duty_contact_id"), table_name="duty")
    op.drop_table("duty")
    op.drop_index(op.f("ix_contact_team_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_table("zone")
