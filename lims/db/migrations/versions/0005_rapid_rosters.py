"""Kits, lots and rosters; every rapid test refers to its lot and to its PCR swab.

The lots that tests named as text become lots that were told, without an expiry date, of one kit
without a name. The PCR swab of a positive was found by its moment; now it is written down.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kit",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("reads_from_min", sa.Integer(), nullable=False),
        sa.Column("reads_to_min", sa.Integer(), nullable=False),
        sa.Column("window_source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("gtin ~ '^[0-9]{14}$'", name=op.f("ck_kit_gtin")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_kit_name")),
        sa.CheckConstraint(
            "reads_from_min >= 1 AND reads_to_min > reads_from_min AND reads_to_min <= 240",
            name=op.f("ck_kit_window"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_kit_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit")),
        sa.UniqueConstraint("site_id", "gtin", name=op.f("uq_kit_site_id_gtin")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_kit_site_id_name")),
    )
    op.create_table(
        "kit_lot",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("kit_id", sa.UUID(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "expires_on IS NOT NULL OR source = 'told'", name=op.f("ck_kit_lot_expires_on")
        ),
        sa.CheckConstraint(
            "source IN ('scanned', 'typed', 'told')", name=op.f("ck_kit_lot_source")
        ),
        sa.CheckConstraint("length(lot) BETWEEN 1 AND 60", name=op.f("ck_kit_lot_lot")),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_kit_lot_kit_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_kit_lot_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_lot")),
        sa.UniqueConstraint("kit_id", "lot", name=op.f("uq_kit_lot_kit_id_lot")),
    )
    op.create_index(op.f("ix_kit_lot_site_id_lot"), "kit_lot", ["site_id", "lot"], unique=False)
    op.create_table(
        "roster",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("area_scheme", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("exposure", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "exposure IN ('none', 'factor', 'contact')", name=op.f("ck_roster_exposure")
        ),
        sa.CheckConstraint("kind IN ('class', 'shift', 'lane')", name=op.f("ck_roster_kind")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_roster_name")),
        sa.ForeignKeyConstraint(
            ["area_scheme", "area_code"],
            ["area.scheme", "area.code"],
            name=op.f("fk_roster_area_scheme_area_code"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_roster_campaign_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_roster_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster")),
    )
    op.create_index(
        op.f("ix_roster_site_id_name_key_opened_at"),
        "roster",
        ["site_id", "name_key", "opened_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_roster_site_id_opened_at"), "roster", ["site_id", "opened_at"], unique=False
    )
    op.create_table(
        "roster_member",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("roster_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 500", name=op.f("ck_roster_member_position")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_roster_member_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["roster_id"], ["roster.id"], name=op.f("fk_roster_member_roster_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_roster_member_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_member")),
        sa.UniqueConstraint("id", "roster_id", name=op.f("uq_roster_member_id_roster_id")),
        sa.UniqueConstraint(
            "roster_id", "person_id", name=op.f("uq_roster_member_roster_id_person_id")
        ),
        sa.UniqueConstraint(
            "roster_id", "position", name=op.f("uq_roster_member_roster_id_position")
        ),
    )
    op.create_index(
        op.f("ix_roster_member_person_id"), "roster_member", ["person_id"], unique=False
    )
    op.create_table(
        "strip_timer",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("roster_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kit_lot_id", sa.UUID(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kit_lot_id"], ["kit_lot.id"], name=op.f("fk_strip_timer_kit_lot_id")
        ),
        sa.ForeignKeyConstraint(
            ["roster_id"], ["roster.id"], name=op.f("fk_strip_timer_roster_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_strip_timer_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strip_timer")),
        sa.UniqueConstraint("id", "roster_id", name=op.f("uq_strip_timer_id_roster_id")),
        sa.UniqueConstraint("roster_id", "number", name=op.f("uq_strip_timer_roster_id_number")),
    )
    op.create_index(op.f("ix_strip_timer_kit_lot_id"), "strip_timer", ["kit_lot_id"], unique=False)
    op.create_table(
        "strip",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("roster_id", sa.UUID(), nullable=False),
        sa.Column("timer_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("exposure", sa.Text(), nullable=True),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "exposure IN ('none', 'factor', 'contact')", name=op.f("ck_strip_exposure")
        ),
        sa.CheckConstraint("mark IN ('positive', 'invalid')", name=op.f("ck_strip_mark")),
        sa.CheckConstraint("state IN ('running', 'read', 'missed')", name=op.f("ck_strip_state")),
        sa.ForeignKeyConstraint(
            ["member_id", "roster_id"],
            ["roster_member.id", "roster_member.roster_id"],
            name=op.f("fk_strip_member_id_roster_id"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_strip_site_id")),
        sa.ForeignKeyConstraint(
            ["timer_id", "roster_id"],
            ["strip_timer.id", "strip_timer.roster_id"],
            name=op.f("fk_strip_timer_id_roster_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strip")),
        sa.UniqueConstraint("timer_id", "member_id", name=op.f("uq_strip_timer_id_member_id")),
    )
    op.create_index(op.f("ix_strip_roster_id"), "strip", ["roster_id"], unique=False)
    op.create_index(
        "uq_strip_running",
        "strip",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.add_column("rapid_test", sa.Column("kit_lot_id", sa.UUID(), nullable=True))
    op.add_column(
        "rapid_test", sa.Column("exposure", sa.Text(), nullable=False, server_default="none")
    )
    op.add_column(
        "rapid_test", sa.Column("suspect", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column("rapid_test", sa.Column("pcr_specimen_id", sa.UUID(), nullable=True))
    op.alter_column("rapid_test", "exposure", server_default=None)
    op.alter_column("rapid_test", "suspect", server_default=None)
    op.execute(_TOLD_KIT)
    op.execute(_TOLD_LOTS)
    op.execute(_LOT_OF_TEST)
    op.execute(_SWAB_OF_TEST)
    op.alter_column("rapid_test", "kit_lot_id", nullable=False)
    op.drop_column("rapid_test", "kit_lot")
    op.create_check_constraint(
        op.f("ck_rapid_test_exposure"), "rapid_test", "exposure IN ('none', 'factor', 'contact')"
    )
    op.create_check_constraint(
        op.f("ck_rapid_test_pcr"),
        "rapid_test",
        "pcr_specimen_id IS NULL OR outcome = 'positive'",
    )
    op.create_foreign_key(
        op.f("fk_rapid_test_kit_lot_id"), "rapid_test", "kit_lot", ["kit_lot_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_rapid_test_pcr_specimen_id"), "rapid_test", "specimen", ["pcr_specimen_id"], ["id"]
    )
    op.create_index(op.f("ix_rapid_test_kit_lot_id"), "rapid_test", ["kit_lot_id"])
    op.create_index(
        op.f("ix_rapid_test_pcr_specimen_id"),
        "rapid_test",
        ["pcr_specimen_id"],
        unique=True,
        postgresql_where=sa.text("pcr_specimen_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rapid_test_tube_owed",
        "rapid_test",
        ["site_id", "read_at"],
        postgresql_where=sa.text("outcome = 'positive' AND pcr_specimen_id IS NULL"),
    )
    op.drop_constraint(op.f("ck_f0_case_basis"), "f0_case", type_="check")
    op.create_check_constraint(op.f("ck_f0_case_basis"), "f0_case", f"basis IN ({_BASES})")


_BASES = "'pcr', 'antigen_presumptive', 'antigen_contact', 'antigen_suspect', 'antigen_twice'"

_TOLD_KIT = """
INSERT INTO kit (id, site_id, name, reads_from_min, reads_to_min, window_source, created_at)
SELECT mint_uuid7(now()), site_id, '—', 15, 30, '15 to 30 minutes, as most inserts of 2021', now()
FROM (SELECT DISTINCT site_id FROM rapid_test) s
"""

_TOLD_LOTS = """
INSERT INTO kit_lot (id, site_id, kit_id, lot, source, registered_at, registered_by)
SELECT mint_uuid7(now()), q.site_id, k.id, q.kit_lot, 'told', q.first, 'migration rapid_rosters'
FROM (SELECT site_id, kit_lot, min(read_at) AS first FROM rapid_test GROUP BY 1, 2) q
JOIN kit k ON k.site_id = q.site_id
"""

_LOT_OF_TEST = """
UPDATE rapid_test r SET kit_lot_id = l.id FROM kit_lot l
WHERE l.site_id = r.site_id AND l.lot = r.kit_lot
"""

_SWAB_OF_TEST = """
UPDATE rapid_test r SET pcr_specimen_id = f.swab FROM (
    SELECT DISTINCT ON (s.id) q.id, s.id AS swab
    FROM rapid_test q
    JOIN specimen seen ON seen.id = q.specimen_id
    JOIN specimen s ON s.person_id = seen.person_id AND s.collected_at = q.read_at
                   AND s.material = 'swab'
    JOIN tube_specimen ts ON ts.specimen_id = s.id
    JOIN test_order o ON o.tube_id = ts.tube_id AND o.why = 'confirm'
    WHERE q.outcome = 'positive' ORDER BY s.id, q.id
) f WHERE f.id = r.id
"""


def downgrade() -> None:
    op.drop_constraint(op.f("ck_f0_case_basis"), "f0_case", type_="check")
    op.create_check_constraint(
        op.f("ck_f0_case_basis"), "f0_case", "basis IN ('pcr', 'antigen_presumptive')"
    )
    op.add_column("rapid_test", sa.Column("kit_lot", sa.Text(), nullable=True))
    op.execute("UPDATE rapid_test r SET kit_lot = l.lot FROM kit_lot l WHERE l.id = r.kit_lot_id")
    op.alter_column("rapid_test", "kit_lot", nullable=False)
    for column in ("pcr_specimen_id", "suspect", "exposure", "kit_lot_id"):
        op.drop_column("rapid_test", column)
    op.drop_index(
        "uq_strip_running", table_name="strip", postgresql_where=sa.text("state = 'running'")
    )
    op.drop_index(op.f("ix_strip_roster_id"), table_name="strip")
    op.drop_table("strip")
    op.drop_index(op.f("ix_strip_timer_kit_lot_id"), table_name="strip_timer")
    op.drop_table("strip_timer")
    op.drop_index(op.f("ix_roster_member_person_id"), table_name="roster_member")
    op.drop_table("roster_member")
    op.drop_index(op.f("ix_roster_site_id_opened_at"), table_name="roster")
    op.drop_index(op.f("ix_roster_site_id_name_key_opened_at"), table_name="roster")
    op.drop_table("roster")
    op.drop_index(op.f("ix_kit_lot_site_id_lot"), table_name="kit_lot")
    op.drop_table("kit_lot")
    op.drop_table("kit")
