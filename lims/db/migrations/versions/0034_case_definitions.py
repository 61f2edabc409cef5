"""When a person is an F0: the definitions as rows, each with the moment from which it judges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_definition",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("site_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("grounds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("second_within_h", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_case_definition_name")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_case_definition_source")),
        sa.CheckConstraint(
            "grounds <@ ARRAY['pcr', 'antigen_contact', 'antigen_suspect', 'antigen_twice']::text[]"
            " AND 'pcr' = ANY(grounds)",
            name=op.f("ck_case_definition_grounds"),
        ),
        sa.CheckConstraint(
            "second_within_h BETWEEN 1 AND 168", name=op.f("ck_case_definition_second_within_h")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_case_definition_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_definition")),
        sa.UniqueConstraint(
            "site_id",
            "name",
            name=op.f("uq_case_definition_site_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_case_definition_site_id_valid_from"), "case_definition", ["site_id", "valid_from"]
    )
    # 2022/QĐ-BYT: a rapid test supports the molecular one and does not replace it. 11042/BYT-DP:
    # four ways to be an F0; its midnight is Viet Nam's. Written out, so that no later code changes
    # what was in force.
    op.execute("""
INSERT INTO case_definition
       (id, site_id, name, valid_from, source, grounds, second_within_h, added_at, added_by)
VALUES ('018cb3a0-0000-7000-8000-000000000001', NULL, 'byt-2022-2021/1', '2020-01-01 00:00+00',
        '2022/QĐ-BYT, 28/4/2021', '{pcr}', 8, '2021-04-28 00:00+07', 'founding'),
       ('018cb3a0-0000-7000-8000-000000000002', NULL, 'byt-2021-12-29/1', '2021-12-29 00:00+07',
        '11042/BYT-DP, 29/12/2021',
        '{pcr,antigen_contact,antigen_suspect,antigen_twice}', 8, '2021-12-29 00:00+07', 'founding')
""")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON case_definition"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON case_definition"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("case_definition")
