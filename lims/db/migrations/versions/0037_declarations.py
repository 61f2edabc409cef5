"""What people declare of themselves elsewhere is pulled, and the desk expects them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declaration",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("household_id", sa.UUID(), nullable=True),
        sa.Column("door", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("area_scheme", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("commune_came", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CASE state WHEN 'declared' THEN kind IS NOT NULL AND code IS NOT NULL ELSE num_nonnulls(kind, code, door, address, area_code, commune_came) = 0 END",
            name=op.f("ck_declaration_withdrawn"),
        ),
        sa.CheckConstraint(
            "kind <> 'household' OR household_id IS NOT NULL", name=op.f("ck_declaration_household")
        ),
        sa.CheckConstraint("kind IN ('health', 'household')", name=op.f("ck_declaration_kind")),
        sa.CheckConstraint("state IN ('declared', 'withdrawn')", name=op.f("ck_declaration_state")),
        sa.CheckConstraint(
            "(area_code IS NULL) = (area_scheme IS NULL)", name=op.f("ck_declaration_area")
        ),
        sa.CheckConstraint(
            "area_code IS NULL OR commune_came IS NULL", name=op.f("ck_declaration_commune")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_declaration_version")),
        sa.ForeignKeyConstraint(
            ["area_scheme", "area_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_declaration_area_scheme_area_code"),
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_declaration_destination_id")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_declaration_household_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_declaration_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration")),
        sa.UniqueConstraint(
            "destination_id", "subject_id", name=op.f("uq_declaration_destination_id_subject_id")
        ),
    )
    op.create_index(
        "ix_declaration_commune_came",
        "declaration",
        ["destination_id"],
        unique=False,
        postgresql_where=sa.text("commune_came IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_declaration_destination_id_declared_at"),
        "declaration",
        ["destination_id", "declared_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_declaration_household_id"),
        "declaration",
        ["household_id"],
        unique=False,
        postgresql_where=sa.text("household_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_declaration_site_id_code"),
        "declaration",
        ["site_id", "code"],
        unique=False,
        postgresql_where=sa.text("code IS NOT NULL"),
    )
    op.create_table(
        "declaration_fault",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("entry", sa.Text(), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_declaration_fault_digest")),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (entry IS NOT NULL)", name=op.f("ck_declaration_fault_entry")
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL)", name=op.f("ck_declaration_fault_settled")
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_declaration_fault_destination_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_declaration_fault_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration_fault")),
        sa.UniqueConstraint(
            "destination_id", "digest", name=op.f("uq_declaration_fault_destination_id_digest")
        ),
    )
    op.create_index(
        op.f("ix_declaration_fault_destination_id_subject_id"),
        "declaration_fault",
        ["destination_id", "subject_id"],
        unique=False,
        postgresql_where=sa.text("subject_id IS NOT NULL"),
    )
    op.create_index(
        "ix_declaration_fault_open",
        "declaration_fault",
        ["destination_id", "seen_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "declared_person",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("declaration_id", sa.UUID(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("national_id", sa.Text(), nullable=True),
        sa.Column("old_id", sa.Text(), nullable=True),
        sa.Column("qid", sa.Text(), nullable=True),
        sa.Column("symptoms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("exposure", sa.Text(), nullable=False),
        sa.Column("specimen_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "exposure IN ('none', 'factor', 'contact')", name=op.f("ck_declared_person_exposure")
        ),
        sa.CheckConstraint(
            "national_id ~ '^[0-9]{12}$'", name=op.f("ck_declared_person_national_id")
        ),
        sa.CheckConstraint("old_id ~ '^[0-9]{9}$'", name=op.f("ck_declared_person_old_id")),
        sa.CheckConstraint("phone ~ '^\\+[0-9]{8,15}$'", name=op.f("ck_declared_person_phone")),
        sa.CheckConstraint("sex IN ('male', 'female')", name=op.f("ck_declared_person_sex")),
        sa.CheckConstraint(
            "birth_date IS NULL OR extract(year FROM birth_date) = birth_year",
            name=op.f("ck_declared_person_birth_date"),
        ),
        sa.CheckConstraint(
            "birth_year BETWEEN 1880 AND 2100", name=op.f("ck_declared_person_birth_year")
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_declared_person_name")),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name=op.f("fk_declared_person_declaration_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_declared_person_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declared_person")),
        sa.UniqueConstraint(
            "declaration_id", "member", name=op.f("uq_declared_person_declaration_id_member")
        ),
    )
    op.create_index(
        op.f("ix_declared_person_site_id_national_id"),
        "declared_person",
        ["site_id", "national_id"],
        unique=False,
        postgresql_where=sa.text("national_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_declared_person_site_id_phone"),
        "declared_person",
        ["site_id", "phone"],
        unique=False,
        postgresql_where=sa.text("phone IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_declared_person_site_id_qid"),
        "declared_person",
        ["site_id", "qid"],
        unique=False,
        postgresql_where=sa.text("qid IS NOT NULL"),
    )
    op.add_column(
        "comparison_gap",
        sa.Column("wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_comparison_gap_wanted",
        "comparison_gap",
        ["comparison_id"],
        unique=False,
        postgresql_where=sa.text("wanted"),
    )
    op.add_column("destination", sa.Column("cursor", sa.Text(), nullable=True))

    _check("destination", "kind", "kind IN ('oru', 'health-book', 'area-figures', 'declarations')")
    op.create_check_constraint(
        op.f("ck_destination_cursor"), "destination", "cursor IS NULL OR kind = 'declarations'"
    )
    _check(
        "comparison_gap",
        "gap",
        "gap IN ('missing', 'behind', 'other', 'stranger', 'untaken', 'unread', 'vanished')",
    )
    _check(
        "comparison_gap",
        "ours",
        "CASE gap WHEN 'stranger' THEN ours IS NULL WHEN 'untaken' THEN true"
        " ELSE ours IS NOT NULL END",
    )
    _check("comparison_gap", "theirs", "(gap IN ('missing', 'vanished')) = (theirs IS NULL)")
    op.create_check_constraint(
        op.f("ck_comparison_gap_wanted"), "comparison_gap", "gap = 'untaken' OR NOT wanted"
    )


def _check(table: str, name: str, said: str) -> None:
    """In place of the one of that name."""
    op.drop_constraint(f"ck_{table}_{name}", table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, said)


def downgrade() -> None:
    for table in ("declared_person", "declaration_fault", "declaration"):
        op.drop_table(table)
    op.execute("""
DELETE FROM comparison_gap g USING comparison c, destination d
WHERE c.id = g.comparison_id AND d.id = c.destination_id AND d.kind = 'declarations'
""")
    op.execute("""
DELETE FROM comparison c USING destination d
WHERE d.id = c.destination_id AND d.kind = 'declarations'
""")
    op.execute("DELETE FROM destination WHERE kind = 'declarations'")
    op.drop_column("comparison_gap", "wanted")
    op.drop_column("destination", "cursor")
    _check("destination", "kind", "kind IN ('oru', 'health-book', 'area-figures')")
    _check("comparison_gap", "gap", "gap IN ('missing', 'behind', 'other', 'stranger')")
    _check("comparison_gap", "ours", "(gap = 'stranger') = (ours IS NULL)")
    _check("comparison_gap", "theirs", "(gap = 'missing') = (theirs IS NULL)")
