"""Brings a database to this release: the numbered scripts in lims/db/migrations/versions.

Alembic is configured here, in code, so it works from any directory and from an installed wheel.
`metadata` comes from the caller: the tables are a room above this one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, text

from lims.db.refusals import DatabaseAhead, MigrationsBusy

_MIGRATIONS = Path(__file__).with_name("migrations")
VERSIONS = _MIGRATIONS / "versions"
BUSY_TIMEOUT_S = 600.0
_LOCK = 0x6C696D73  # "lims"


def upgrade(engine: Engine, *, versions: Path = VERSIONS) -> list[str]:
    """The revisions applied, oldest first. Any number of processes may call it at once.

    Raises DatabaseAhead and, when another process migrates for ten minutes, MigrationsBusy.
    """
    with _alone(engine):
        todo = pending(engine, versions=versions)
        if todo:
            config = _config(versions)
            with engine.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return todo


def pending(engine: Engine, *, versions: Path = VERSIONS) -> list[str]:
    """Revisions this release has and the database has not, oldest first. Raises DatabaseAhead."""
    scripts = _scripts(versions)
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    with engine.connect() as connection:
        applied = MigrationContext.configure(connection).get_current_revision()
    if applied is None:
        return known
    if applied not in known:
        raise DatabaseAhead(
            expected=f"a database at revision {head(versions=versions)} or before",
            came=applied,
            do="Run the release that migrated it, or a newer one.",
        )
    return known[known.index(applied) + 1 :]


def head(*, versions: Path = VERSIONS) -> str | None:
    """The newest revision of this release; None while there is none."""
    return _scripts(versions).get_current_head()


def differences(engine: Engine, metadata: MetaData) -> list[str]:
    """What a migration would still have to do for the database to equal `metadata`."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return [repr(change) for change in compare_metadata(context, metadata)]


def draft(engine: Engine, metadata: MetaData, name: str, *, versions: Path = VERSIONS) -> Path:
    """Writes the next numbered script from the differences, for a person to read and mend."""
    number = f"{int(head(versions=versions) or '0') + 1:04d}"
    config = _config(versions)
    with engine.connect() as connection:
        config.attributes.update(connection=connection, target_metadata=metadata)
        command.revision(config, message=name, autogenerate=True, rev_id=number)
    return versions / f"{number}_{name}.py"


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """The lock is tried again and again: waiting for it inside a statement could be for ever.

    CREATE INDEX CONCURRENTLY, in the process that holds it, waits for every running statement.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
            if time.monotonic() > deadline:
                raise MigrationsBusy(
                    expected=f"the other migration to end within {BUSY_TIMEOUT_S:.0f} s",
                    came="no end",
                    do="See pg_stat_activity for what it waits for.",
                )
            time.sleep(0.1)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})


def _config(versions: Path) -> Config:
    config = Config(stdout=sys.stderr)  # standard output belongs to the answer (--json)
    for option, value in {
        "script_location": str(_MIGRATIONS),
        "version_locations": str(versions),
        "path_separator": "newline",
        "file_template": "%(rev)s_%(slug)s",
    }.items():
        config.set_main_option(option, value.replace("%", "%%"))  # it passes a ConfigParser
    return config


def _scripts(versions: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(versions))
