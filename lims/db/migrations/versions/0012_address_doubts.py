"""An F0's address that no commune of today answers to waits for somebody to choose one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "address_doubt",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("became_scheme", sa.Text(), nullable=True),
        sa.Column("became_code", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('home', 'work')", name=op.f("ck_address_doubt_kind")),
        sa.CheckConstraint("(scheme IS NULL) = (code IS NULL)", name=op.f("ck_address_doubt_came")),
        sa.CheckConstraint(
            "kind = 'home' OR code IS NOT NULL", name=op.f("ck_address_doubt_workplace")
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL) AND"
            " (settled_at IS NULL) = (became_scheme IS NULL) AND"
            " (settled_at IS NULL) = (became_code IS NULL)",
            name=op.f("ck_address_doubt_settled"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_address_doubt_site_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_address_doubt_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme", "code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_address_doubt_scheme_code"),
        ),
        sa.ForeignKeyConstraint(
            ["became_scheme", "became_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_address_doubt_became_scheme_became_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_doubt")),
    )
    op.create_index(
        "uq_address_doubt_open",
        "address_doubt",
        ["person_id", "kind"],
        unique=True,
        postgresql_where=_OPEN,
    )
    op.create_index(op.f("ix_address_doubt_person_id"), "address_doubt", ["person_id"])
    op.create_index(
        "ix_address_doubt_waiting",
        "address_doubt",
        ["site_id", "created_at"],
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("address_doubt")
