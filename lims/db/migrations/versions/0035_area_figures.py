"""Figures of communes by day, and the systems that are told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_COUNTS = (
    "opened",
    "open",
    "presumptive",
    "closed",
    "pcr_answered",
    "pcr_positive",
    "antigen_read",
    "antigen_positive",
)


def upgrade() -> None:
    op.create_table(
        "area_day",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area_scheme", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "opened = open + closed AND least(open, closed) >= 0", name=op.f("ck_area_day_opened")
        ),
        sa.CheckConstraint("presumptive BETWEEN 0 AND open", name=op.f("ck_area_day_presumptive")),
        sa.CheckConstraint("pcr_positive BETWEEN 0 AND pcr_answered", name=op.f("ck_area_day_pcr")),
        sa.CheckConstraint(
            "antigen_positive BETWEEN 0 AND antigen_read", name=op.f("ck_area_day_antigen")
        ),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_area_day_sequence")),
        sa.ForeignKeyConstraint(
            ["area_scheme", "area_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_area_day_area_scheme_area_code"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_area_day_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_day")),
        sa.UniqueConstraint(
            "site_id",
            "day",
            "area_scheme",
            "area_code",
            name=op.f("uq_area_day_site_id_day_area_scheme_area_code"),
        ),
    )
    op.create_index(op.f("ix_area_day_site_id_changed_at"), "area_day", ["site_id", "changed_at"])
    op.create_index(op.f("ix_f0_case_site_id_changed_at"), "f0_case", ["site_id", "changed_at"])
    _kinds("'oru', 'health-book', 'area-figures'", "kind = 'oru'", "'finding', 'area-day'")


def downgrade() -> None:
    op.execute("DELETE FROM outbound WHERE kind = 'area-day'")
    op.execute(
        "DELETE FROM comparison_gap WHERE comparison_id IN (SELECT c.id FROM comparison c"
        " JOIN destination d ON d.id = c.destination_id WHERE d.kind = 'area-figures')"
    )
    op.execute(
        "DELETE FROM comparison WHERE destination_id IN"
        " (SELECT id FROM destination WHERE kind = 'area-figures')"
    )
    op.execute("DELETE FROM destination WHERE kind = 'area-figures'")
    _kinds("'oru', 'health-book'", "kind <> 'health-book'", "'finding'")
    op.drop_index(op.f("ix_f0_case_site_id_changed_at"), table_name="f0_case")
    op.drop_table("area_day")


def _kinds(destinations: str, without_url: str, outbound: str) -> None:
    op.drop_constraint("ck_destination_kind", "destination", type_="check")
    op.create_check_constraint(
        op.f("ck_destination_kind"), "destination", f"kind IN ({destinations})"
    )
    op.drop_constraint("ck_destination_url", "destination", type_="check")
    op.create_check_constraint(
        op.f("ck_destination_url"), "destination", f"{without_url} OR address ~ '^https?://[^/]+'"
    )
    op.drop_constraint("ck_outbound_kind", "outbound", type_="check")
    op.create_check_constraint(op.f("ck_outbound_kind"), "outbound", f"kind IN ({outbound})")
