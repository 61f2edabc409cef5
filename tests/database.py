"""The session's server, its migrated template, one clone of it a worker, and leaving it clean."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from lims.db import migrate
from lims.db.embedded import EmbeddedServer
from lims.db.engine import connect

TEMPLATE = "lims_template"
HOME_VARIABLE = "LIMS_TEST_SERVER_HOME"
_BUILDING = 0x7465  # advisory lock: one worker builds the template
_LOCK_TIMEOUT_MS = 60_000  # what the test ended may still be ending

_OUR_TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1
"""


class LeftOpen(Exception):
    """A test ended with a transaction still holding its rows."""


def server_at(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home, trim=True)


def end(home: Path) -> None:
    server = server_at(home)
    server.stop("immediate")
    if server.data.parent != server.home:  # root, with a temporary directory closed to others
        shutil.rmtree(server.data.parent)


def named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def build_template(url: str) -> None:
    """The first of all workers migrates; the others find the result."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_BUILDING])
        known = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if TEMPLATE in known:
            return
        with empty_database(url, f"{TEMPLATE}_building", keep=True) as engine:
            migrate.upgrade(engine)
        connection.execute(f"ALTER DATABASE {TEMPLATE}_building RENAME TO {TEMPLATE}")


def clone_template(url: str, database: str) -> None:
    """Replaces `database`, whoever is still connected to it."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(database)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(TEMPLATE))
        )


@contextmanager
def empty_database(url: str, database: str, *, keep: bool = False) -> Iterator[Engine]:
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(database)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        engine = connect(named(url, database))
        try:
            yield engine
        finally:
            engine.dispose()
            if not keep:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@dataclass(frozen=True, slots=True)
class CleanSlate:
    """Brings one worker's database back to how the migrations left it.

    Tables with rows are emptied, which takes milliseconds. A test that changed what the migrations
    themselves put in (reference rows) costs a new clone.
    """

    url: str
    database: str
    tables: tuple[str, ...]
    reference: dict[str, str]  # table -> digest of the rows the migrations put there

    @classmethod
    def of(cls, url: str, database: str) -> CleanSlate:
        with psycopg.connect(named(url, database), autocommit=True) as connection:
            tables = tuple(row[0] for row in connection.execute(_OUR_TABLES.encode()))
            filled = _with_rows(connection, tables)
            return cls(url, database, tables, {name: _digest(connection, name) for name in filled})

    def wipe(self) -> None:
        """Raises LeftOpen, once the database is clean again all the same."""
        try:
            with psycopg.connect(named(self.url, self.database), autocommit=True) as connection:
                connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
                connection.execute("SET session_replication_role = replica")  # no triggers
                filled = _with_rows(connection, self.tables)
                self._empty(connection, [name for name in filled if name not in self.reference])
                untouched = all(
                    _digest(connection, name) == digest for name, digest in self.reference.items()
                )
            if not untouched:
                clone_template(self.url, self.database)
        except psycopg.errors.LockNotAvailable as error:
            clone_template(self.url, self.database)
            raise LeftOpen("a transaction of this test was still open after it ended") from error

    @staticmethod
    def _empty(connection: psycopg.Connection, tables: list[str]) -> None:
        """DELETE, since TRUNCATE makes new files: a third of a second for what a test leaves."""
        if not tables:
            return
        with connection.transaction():
            connection.execute(f"LOCK TABLE {', '.join(tables)}".encode())
            for table in tables:
                connection.execute(f"DELETE FROM {table}".encode())
            connection.execute(
                "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
            )


def _with_rows(connection: psycopg.Connection, tables: tuple[str, ...]) -> list[str]:
    if not tables:
        return []
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables
    )
    return [row[0] for row in connection.execute(asked.encode())]


def _digest(connection: psycopg.Connection, table: str) -> str:
    query = f"SELECT md5(string_agg(r::text, ',' ORDER BY r::text)) FROM {table} r"
    found = connection.execute(query.encode()).fetchone()
    return str(found and found[0])
