"""Registers are asked about people: whose a card number is, and which doses somebody had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _kinds("'oru', 'health-book', 'area-figures', 'declarations', 'population', 'vaccination'")
    op.create_check_constraint(
        op.f("ck_destination_everybody"),
        "destination",
        "kind NOT IN ('population', 'vaccination') OR area_code IS NULL",
    )
    op.create_table(
        "asking",
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("looked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_person_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "(looked_until IS NULL) = (looked_person_id IS NULL)", name=op.f("ck_asking_looked")
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_asking_destination_id")
        ),
        sa.PrimaryKeyConstraint("destination_id", name=op.f("pk_asking")),
    )
    _person_question()
    op.add_column("case_triage", sa.Column("doses_answer_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_case_triage_doses_answer_id"),
        "case_triage",
        "person_question",
        ["doses_answer_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_case_triage_doses_answer"),
        "case_triage",
        "doses_answer_id IS NULL OR doses IS NOT NULL",
    )
    op.create_index(
        op.f("ix_case_triage_doses_answer_id"),
        "case_triage",
        ["doses_answer_id"],
        postgresql_where=sa.text("doses_answer_id IS NOT NULL"),
    )
    op.create_index(
        "ix_alert_member_provisional",
        "alert_member",
        ["site_id", "specimen_id"],
        postgresql_where=sa.text("state = 'provisional'"),
    )


def _kinds(kinds: str) -> None:
    op.drop_constraint("ck_destination_kind", "destination", type_="check")
    op.create_check_constraint(op.f("ck_destination_kind"), "destination", f"kind IN ({kinds})")


def _person_question() -> None:
    op.create_table(
        "person_question",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("differs", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("doses", sa.Integer(), nullable=True),
        sa.Column("dose_dates", postgresql.ARRAY(sa.Date()), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_by", sa.Text(), nullable=True),
        sa.Column("looked_note", sa.Text(), nullable=True),
        *_held(),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_person_question_destination_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_person_question_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_person_question_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_question")),
    )
    op.create_index(op.f("ix_person_question_person_id"), "person_question", ["person_id"])
    for name, columns, where, unique in (
        ("uq_person_question_current", ["destination_id", "person_id"], "current", True),
        (
            "ix_person_question_due",
            ["destination_id", "next_attempt_at", "id"],
            "state = 'owed'",
            False,
        ),
        (
            "ix_person_question_conflict",
            ["site_id", "ended_at"],
            "current AND verdict = 'conflict' AND looked_at IS NULL",
            False,
        ),
        (
            "ix_person_question_stand",
            ["destination_id", "state", "verdict"],
            "current",
            False,
        ),
    ):
        op.create_index(
            name, "person_question", columns, unique=unique, postgresql_where=sa.text(where)
        )


def _held() -> list[sa.CheckConstraint]:
    rules = {
        "kind": "kind IN ('identity', 'doses')",
        "state": "state IN ('owed', 'answered', 'refused', 'overtaken')",
        "verdict": "verdict IN ('verified', 'unverified', 'conflict')",
        "stamp": "stamp ~ '^[0-9a-f]{64}$'",
        "attempts": "attempts >= 0",
        "answered": "(state = 'answered') = (verdict IS NOT NULL)",
        "ended": "(state = 'owed') = (ended_at IS NULL)",
        "overtaken": "state <> 'overtaken' OR NOT current",
        "doses_of": "coalesce(kind = 'doses' AND verdict = 'verified', false)"
        " = (doses IS NOT NULL)",
        "doses": "doses BETWEEN 0 AND 20",
        "dose_dates": "(doses IS NULL) = (dose_dates IS NULL) AND cardinality(dose_dates) <= doses",
        "differs": "coalesce(verdict = 'conflict', false) = (differs IS NOT NULL)"
        " AND differs <@ ARRAY['name', 'birth']::text[]",
        "looked": "(looked_at IS NULL) = (looked_by IS NULL)"
        " AND (looked_at IS NULL) = (looked_note IS NULL)"
        " AND (looked_at IS NULL OR coalesce(verdict = 'conflict', false))",
    }
    return [
        sa.CheckConstraint(holds, name=op.f(f"ck_person_question_{name}"))
        for name, holds in rules.items()
    ]


def downgrade() -> None:
    op.drop_index("ix_alert_member_provisional", table_name="alert_member")
    op.drop_index(op.f("ix_case_triage_doses_answer_id"), table_name="case_triage")
    op.drop_column("case_triage", "doses_answer_id")
    op.drop_table("person_question")
    op.drop_table("asking")
    op.drop_constraint("ck_destination_everybody", "destination", type_="check")
    op.execute("DELETE FROM destination WHERE kind IN ('population', 'vaccination')")
    _kinds("'oru', 'health-book', 'area-figures', 'declarations'")
