from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from lims.db.engine import connect, conninfo, session_factory
from lims.db.refusals import BadDatabaseUrl


def test_a_time_comes_back_in_utc(engine: Engine) -> None:
    at_dawn = text("SELECT timestamptz '2021-09-11 08:00+07'")
    with engine.connect() as connection:
        read = connection.scalar(at_dawn)
    assert read == datetime(2021, 9, 11, 1, tzinfo=UTC)
    assert read.utcoffset().total_seconds() == 0


def test_a_connection_tells_the_server_who_it_is(database_url: str) -> None:
    engine = connect(database_url, application_name="lims deliver", pool_size=1)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "lims deliver"
    engine.dispose()


def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    engine = connect(database_url, statement_timeout_ms=500, pool_size=1)
    with (
        engine.connect() as connection,
        pytest.raises(OperationalError, match="statement timeout"),
    ):
        connection.execute(text("SELECT pg_sleep(60)"))
    engine.dispose()


def test_a_connection_the_server_closed_is_replaced_unnoticed(database_url: str) -> None:
    engine = connect(database_url, pool_size=1)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(conninfo(database_url), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [first])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != first
    engine.dispose()


def test_what_was_committed_stays_readable_after_the_session_is_done(engine: Engine) -> None:
    with session_factory(engine).begin() as session:
        assert session.expire_on_commit is False


def test_several_hosts_reach_libpq_as_written() -> None:
    read = conninfo_to_dict(
        conninfo("postgresql+psycopg://lims@one:5432,two:5433/lims?target_session_attrs=read-write")
    )
    assert (read["host"], read["port"]) == ("one,two", "5432,5433")
    assert read["target_session_attrs"] == "read-write"


def test_a_bad_url_is_refused_without_repeating_its_password() -> None:
    with pytest.raises(BadDatabaseUrl) as refusal:
        connect("postgresql://lims:tr0ub4dor@host:port:5/lims?nonsense=1")
    assert "tr0ub4dor" not in str(refusal.value)
