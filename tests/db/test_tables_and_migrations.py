"""The scripts and the tables are written apart; a laboratory's database must not tell the tale."""

from __future__ import annotations

import os

from sqlalchemy import Engine, text

from lims.db.migrate import differences
from lims.tables import Base
from tests.database import empty_database

CONSTRAINTS_AND_INDEXES = text("""
    SELECT c.conrelid::regclass || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
    FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.conrelid <> 0
      AND c.conrelid::regclass::text <> 'alembic_version'
    UNION SELECT indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
""")


def constraints_and_indexes(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(CONSTRAINTS_AND_INDEXES))


def test_the_migrations_make_exactly_the_tables_the_code_believes_in(engine: Engine) -> None:
    assert differences(engine, Base.metadata) == []


def test_the_migrations_make_every_check_and_index_the_tables_declare(
    engine: Engine, database_server: str
) -> None:
    """Alembic compares columns and keys, but neither CHECKs nor the conditions of indexes."""
    with empty_database(database_server, f"declared_{os.getpid()}") as declared:
        Base.metadata.create_all(declared)
        wanted = constraints_and_indexes(declared)
    assert wanted - constraints_and_indexes(engine) == set()
