"""How each positive pool is resolved, and the sub-pools prepared for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_STRATEGIES = "'dorfman', 'hierarchical', 'grid', 'bayesian'"
_BECAUSE = (
    "'campaign', 'wells_free', 'wells_scarce', 'few_tubes', 'weak_pool', 'no_answer',"
    " 'not_single_tubes', 'volume', 'person', 'before_choices'"
)
_BASES = "'pcr', 'antigen_presumptive', 'antigen_contact', 'antigen_suspect', 'antigen_twice'"


def upgrade() -> None:
    op.add_column(
        "campaign", sa.Column("resolution", sa.Text(), nullable=False, server_default="dorfman")
    )
    op.create_check_constraint(
        op.f("ck_campaign_resolution"), "campaign", f"resolution IN ({_STRATEGIES}, 'auto')"
    )
    for column, ul in (("pool_draw_ul", 50), ("test_draw_ul", 200)):
        op.add_column(
            "site", sa.Column(column, sa.Integer(), nullable=False, server_default=str(ul))
        )
        op.create_check_constraint(
            op.f(f"ck_site_{column}"), "site", f"{column} BETWEEN 1 AND 2000"
        )
    _sub_pool_tubes()
    _tables()
    _drawn()
    _bases(f"{_BASES}, 'pooled_presumptive'")
    # Pools that are open are resolved as they were: every source alone.
    op.execute(
        """
        INSERT INTO pool_resolution (id, site_id, pool_id, strategy, because, facts, chosen_by,
                                     chosen_at, current)
        SELECT mint_uuid7(now()), t.site_id, t.id, 'dorfman', 'before_choices', '{}',
               'rule/resolution/1', now(), true
        FROM tube t
        WHERE t.kind = 'lab_pool' AND EXISTS (
            SELECT FROM tube_source s JOIN test_order o ON o.tube_id = s.source_id
            WHERE s.pool_id = t.id)
        """
    )


def _sub_pool_tubes() -> None:
    op.add_column("tube", sa.Column("master_id", sa.UUID(), nullable=True))
    op.add_column("tube", sa.Column("volume_ul", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_tube_master_id"), "tube", "tube", ["master_id"], ["id"])
    op.create_unique_constraint(op.f("uq_tube_id_master_id"), "tube", ["id", "master_id"])
    op.create_check_constraint(
        op.f("ck_tube_master_id"),
        "tube",
        "master_id IS NULL OR (kind = 'lab_pool' AND master_id <> id)",
    )
    op.create_check_constraint(op.f("ck_tube_volume_ul"), "tube", "volume_ul BETWEEN 0 AND 100000")
    op.create_index(
        op.f("ix_tube_master_id"),
        "tube",
        ["master_id"],
        postgresql_where=sa.text("master_id IS NOT NULL"),
    )
    op.add_column("tube_source", sa.Column("volume_ul", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_tube_source_volume_ul"), "tube_source", "volume_ul > 0")


def _tables() -> None:
    op.create_table(
        "pool_resolution",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("pool_id", sa.UUID(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            f"strategy IN ({_STRATEGIES})", name=op.f("ck_pool_resolution_strategy")
        ),
        sa.CheckConstraint(f"because IN ({_BECAUSE})", name=op.f("ck_pool_resolution_because")),
        sa.CheckConstraint(
            "(because = 'person') = (said IS NOT NULL)", name=op.f("ck_pool_resolution_said")
        ),
        sa.CheckConstraint("said <> ''", name=op.f("ck_pool_resolution_reason")),
        sa.ForeignKeyConstraint(["pool_id"], ["tube.id"], name=op.f("fk_pool_resolution_pool_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_pool_resolution_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_resolution")),
        sa.UniqueConstraint("id", "pool_id", name=op.f("uq_pool_resolution_id_pool_id")),
    )
    op.create_index(
        "uq_pool_resolution_current",
        "pool_resolution",
        ["pool_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    op.create_index(
        op.f("ix_pool_resolution_pool_id_chosen_at"), "pool_resolution", ["pool_id", "chosen_at"]
    )
    op.create_table(
        "sub_pool",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=False),
        sa.Column("master_id", sa.UUID(), nullable=False),
        sa.Column("resolution_id", sa.UUID(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tube_id", sa.UUID(), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('wanted', 'prepared', 'cancelled')", name=op.f("ck_sub_pool_state")
        ),
        sa.CheckConstraint(
            "(state = 'prepared') = (tube_id IS NOT NULL)", name=op.f("ck_sub_pool_prepared")
        ),
        sa.CheckConstraint(
            "(state = 'wanted') = (ended_at IS NULL)", name=op.f("ck_sub_pool_ended")
        ),
        sa.CheckConstraint("stage BETWEEN 1 AND 9", name=op.f("ck_sub_pool_stage")),
        sa.CheckConstraint("position <> ''", name=op.f("ck_sub_pool_position")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sub_pool_site_id")),
        sa.ForeignKeyConstraint(
            ["resolution_id", "master_id"],
            ["pool_resolution.id", "pool_resolution.pool_id"],
            name=op.f("fk_sub_pool_resolution_id_master_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tube_id", "master_id"], ["tube.id", "tube.master_id"], name="fk_sub_pool_tube"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sub_pool")),
        sa.UniqueConstraint("id", "master_id", name=op.f("uq_sub_pool_id_master_id")),
        sa.UniqueConstraint("tube_id", name=op.f("uq_sub_pool_tube_id")),
    )
    op.create_index(
        "uq_sub_pool_wanted",
        "sub_pool",
        ["master_id", "stage", "position"],
        unique=True,
        postgresql_where=sa.text("state = 'wanted'"),
    )
    op.create_index(op.f("ix_sub_pool_master_id"), "sub_pool", ["master_id"])
    op.create_index(
        "ix_sub_pool_to_prepare",
        "sub_pool",
        ["site_id", "wanted_at"],
        postgresql_where=sa.text("state = 'wanted'"),
    )
    op.create_table(
        "sub_pool_source",
        sa.Column("sub_pool_id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.UUID(), nullable=False),
        sa.Column("master_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("volume_ul", sa.Integer(), nullable=False),
        sa.CheckConstraint("place BETWEEN 1 AND 100", name=op.f("ck_sub_pool_source_place")),
        sa.CheckConstraint("volume_ul > 0", name=op.f("ck_sub_pool_source_volume_ul")),
        sa.ForeignKeyConstraint(
            ["sub_pool_id", "master_id"],
            ["sub_pool.id", "sub_pool.master_id"],
            name=op.f("fk_sub_pool_source_sub_pool_id_master_id"),
        ),
        sa.ForeignKeyConstraint(
            ["master_id", "source_id"],
            ["tube_source.pool_id", "tube_source.source_id"],
            name=op.f("fk_sub_pool_source_master_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("sub_pool_id", "source_id", name=op.f("pk_sub_pool_source")),
        sa.UniqueConstraint(
            "sub_pool_id", "place", name=op.f("uq_sub_pool_source_sub_pool_id_place")
        ),
    )
    op.create_index(op.f("ix_sub_pool_source_source_id"), "sub_pool_source", ["source_id"])


def _drawn() -> None:
    """What was taken out of a tube so far, µl: into its pool, into sub-pools, for its own tests."""
    op.execute(
        """
        CREATE FUNCTION tube_drawn_ul(tube uuid, test_ul bigint) RETURNS bigint
        LANGUAGE sql STABLE AS $$
            SELECT coalesce((SELECT sum(volume_ul) FROM tube_source WHERE source_id = tube), 0)
                 + coalesce((SELECT sum(d.volume_ul) FROM sub_pool_source d
                             JOIN sub_pool p ON p.id = d.sub_pool_id AND p.state = 'prepared'
                             WHERE d.source_id = tube), 0)
                 + test_ul * (SELECT count(*) FROM test_order
                              WHERE tube_id = tube AND state IN ('plated', 'resulted', 'void'))
        $$
        """
    )


def _bases(listed: str) -> None:
    op.drop_constraint(op.f("ck_f0_case_basis"), "f0_case", type_="check")
    op.create_check_constraint(op.f("ck_f0_case_basis"), "f0_case", f"basis IN ({listed})")


def downgrade() -> None:
    _bases(_BASES)
    op.execute("DROP FUNCTION tube_drawn_ul(uuid, bigint)")
    for table in ("sub_pool_source", "sub_pool", "pool_resolution"):
        op.drop_table(table)
    op.drop_column("tube_source", "volume_ul")
    op.drop_index(op.f("ix_tube_master_id"), table_name="tube")
    op.drop_constraint(op.f("uq_tube_id_master_id"), "tube", type_="unique")
    op.drop_column("tube", "volume_ul")
    op.drop_column("tube", "master_id")
    for column in ("test_draw_ul", "pool_draw_ul"):
        op.drop_column("site", column)
    op.drop_column("campaign", "resolution")
