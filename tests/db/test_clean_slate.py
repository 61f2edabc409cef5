"""The harness itself: what one test does, the next must not see."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from tests import database
from tests.database import CleanSlate, LeftOpen, named

SCHEMA = """
    CREATE TABLE assay (code text PRIMARY KEY);
    INSERT INTO assay VALUES ('ag'), ('pcr');
    CREATE TABLE tube (id int GENERATED ALWAYS AS IDENTITY, assay text REFERENCES assay);
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''append only''; END';
    CREATE TABLE audit_event (what text);
    CREATE TRIGGER sealed BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION keep();
"""


@pytest.fixture
def slate(database_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CleanSlate]:
    own = f"slate_{os.getpid()}"
    monkeypatch.setattr(database, "TEMPLATE", f"{own}_template")
    monkeypatch.setattr(database, "_LOCK_TIMEOUT_MS", 50)
    with database.empty_database(database_server, f"{own}_template") as engine:
        with engine.begin() as connection:
            connection.execute(text(SCHEMA))
        engine.dispose()
        database.clone_template(database_server, own)
        yield CleanSlate.of(database_server, own)
        with psycopg.connect(database_server, autocommit=True) as server:
            server.execute(f"DROP DATABASE {own} WITH (FORCE)")


def rows(slate: CleanSlate, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(named(slate.url, slate.database)) as connection:
        return connection.execute(query.encode()).fetchall()


def run(slate: CleanSlate, statement: str) -> None:
    with psycopg.connect(named(slate.url, slate.database)) as connection:
        connection.execute(statement.encode())


def test_rows_go_identities_start_again_and_reference_rows_stay(slate: CleanSlate) -> None:
    run(slate, "INSERT INTO tube (assay) VALUES ('pcr'); INSERT INTO audit_event VALUES ('x')")
    slate.wipe()
    assert rows(slate, "SELECT * FROM audit_event") == []
    assert rows(slate, "SELECT code FROM assay ORDER BY 1") == [("ag",), ("pcr",)]
    run(slate, "INSERT INTO tube (assay) VALUES ('ag')")
    assert rows(slate, "SELECT id FROM tube") == [(1,)]


@pytest.mark.parametrize(
    "meddling",
    [
        "INSERT INTO assay VALUES ('rapid')",
        "UPDATE assay SET code = 'lamp' WHERE code = 'pcr'",
        "DELETE FROM assay",
    ],
)
def test_changed_reference_rows_come_back(slate: CleanSlate, meddling: str) -> None:
    run(slate, meddling)
    slate.wipe()
    assert rows(slate, "SELECT code FROM assay ORDER BY 1") == [("ag",), ("pcr",)]


def test_a_transaction_left_open_is_reported_and_ended(slate: CleanSlate) -> None:
    run(slate, "INSERT INTO tube (assay) VALUES ('pcr')")
    left = psycopg.connect(named(slate.url, slate.database))
    left.execute("SELECT * FROM tube")
    with pytest.raises(LeftOpen):
        slate.wipe()
    assert rows(slate, "SELECT * FROM tube") == []
    left.close()
