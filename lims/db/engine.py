"""Connections to PostgreSQL. Everything a connection needs to know is said once, when it opens."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker

from lims.db.refusals import BadDatabaseUrl


def connect(
    url: str,
    *,
    pool_size: int = 10,
    application_name: str = "lims",
    statement_timeout_ms: int | None = None,
) -> Engine:
    """`url` is anything libpq takes, several hosts and target_session_attrs among it.

    Opens no connection yet and starts no thread; waits cooperate with gevent once it has patched.
    Raises BadDatabaseUrl.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        connect_args=conninfo_to_dict(
            conninfo(
                url, application_name=application_name, statement_timeout_ms=statement_timeout_ms
            )
        ),
        pool_size=pool_size,
        pool_use_lifo=True,  # the few that are used have their statements prepared and caches warm
        max_overflow=0,  # the pool is the promise to the server's max_connections
        pool_timeout=30,
        hide_parameters=True,  # values in an error's text are people's names
    )
    event.listen(engine, "checkout", _refusing_hung_up(_poll_at_once()))
    return engine


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Objects stay readable after commit: an answer is written once the transaction is over."""
    return sessionmaker(engine, expire_on_commit=False)


def conninfo(
    url: str, *, application_name: str = "lims", statement_timeout_ms: int | None = None
) -> str:
    """What psycopg.connect takes, for a connection outside the pool (LISTEN). UTC always."""
    scheme, separator, rest = url.partition("://")
    plain = scheme.partition("+")[0] + separator + rest  # SQLAlchemy's postgresql+psycopg:// too
    try:
        given = conninfo_to_dict(plain)
    except psycopg.Error:
        raise BadDatabaseUrl(
            expected="a libpq connection string, such as postgresql://user@host:5432/lims",
            came=f"one starting {scheme[:16]!r}",  # no more: a password may follow
            do="Mend LIMS_DATABASE_URL; percent-encode what is special in a password.",
        ) from None  # the error itself repeats the whole of it
    options = ["-c timezone=UTC"]
    if statement_timeout_ms is not None:
        options.append(f"-c statement_timeout={statement_timeout_ms}")
    own = str(given.pop("options", None) or "")
    given.setdefault("application_name", application_name)
    return make_conninfo(
        **{name: str(value) for name, value in given.items() if value is not None},
        options=" ".join([*options, own]).strip(),
    )


def _refusing_hung_up(
    poll_at_once: Callable[[], select.poll],
) -> Callable[[psycopg.Connection, object, object], None]:
    """An idle connection the server has closed is readable (end of file): the pool takes another.

    This asks the local socket only. SQLAlchemy's pre-ping would ask the server, one round trip a
    request, which is what limits us (docs: round trips cost, not Flask).
    """

    def refuse(connection: psycopg.Connection, _record: object, _proxy: object) -> None:
        poll = poll_at_once()
        poll.register(connection.pgconn.socket, select.POLLIN)
        if poll.poll(0):
            raise DisconnectionError("the server closed this connection while it was idle")

    return refuse


def _poll_at_once() -> Callable[[], select.poll]:
    """The system's own poll. gevent's goes once round its loop even where nothing is waited for:
    each connection taken from the pool would let every other request of the worker go first."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return select.poll
    original: Callable[[], select.poll] = monkey.get_original("select", "poll")
    return original
