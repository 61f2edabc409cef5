"""A laboratory as it stood before one of the migrations, with rows of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from lims.db import migrate
from tests.database import empty_database


@contextmanager
def laboratory_before(url: str, migration: str, rows: str, folder: Path) -> Iterator[Engine]:
    """``migration``: its file's name without the number; ``rows``: statements, each with its
    semicolon. `folder` is an empty one, for the scripts of before."""
    earlier = folder / "versions"
    earlier.mkdir()
    for script in sorted(migrate.VERSIONS.glob("[0-9]*.py")):
        if script.name[5:] == f"{migration}.py":
            break
        shutil.copy(script, earlier)
    else:
        raise LookupError(f"no migration is called {migration}")
    with empty_database(url, f"before_{migration}_{os.getpid()}") as engine:
        migrate.upgrade(engine, versions=earlier)
        with engine.begin() as connection:
            for statement in rows.split(";")[:-1]:
                connection.execute(text(statement))
        yield engine
