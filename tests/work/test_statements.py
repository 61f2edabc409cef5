"""What every statement of ours keeps to, so that it costs no more than it must."""

import importlib
import pkgutil
from collections.abc import Iterator

from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH, MAX_CACHED_STATEMENT_PARAMS
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

import lims.work


def test_psycopg_parses_no_statement_anew_at_each_use() -> None:
    """Longer ones are not remembered: a tenth of a registration went into taking one apart."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call] # SQLAlchemy's own
    written = {name: clause.compile(dialect=dialect) for name, clause in _statements()}
    too_long = {
        name
        for name, one in written.items()
        if len(str(one)) > MAX_CACHED_STATEMENT_LENGTH
        or len(one.params) > MAX_CACHED_STATEMENT_PARAMS
    }
    assert len(written) > 100
    assert not too_long


def _statements() -> Iterator[tuple[str, TextClause]]:
    for found in pkgutil.walk_packages(lims.work.__path__, "lims.work."):
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, TextClause):
                yield f"{found.name}.{name}", value
