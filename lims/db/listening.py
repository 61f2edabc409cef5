"""Hear NOTIFY on a connection of one's own, across restarts of the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

_LOOK_UP_S = 0.25  # how soon a stop is noticed
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_NAME = """
SELECT set_config('application_name', current_setting('application_name') || ' ' || %(name)s, false)
"""


class Listener:
    """One thread, one connection. `heard(channel, payload)` is called for each notification.
    `name` is the thread's, and stands behind the program's in pg_stat_activity.

    `connected()` is called after every (re)connection, once LISTEN holds: whatever was notified
    before that moment was not heard, so the caller then looks for itself. Both are called on the
    listening thread and must not take long.
    """

    def __init__(
        self,
        engine: Engine,
        channels: Sequence[str],
        *,
        heard: Callable[[str, str], None],
        connected: Callable[[], None],
        name: str,
    ) -> None:
        self._engine = engine
        self._channels = tuple(channels)
        self._heard = heard
        self._connected = connected
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                with self._connection() as connection:
                    pause_s = _FIRST_PAUSE_S
                    self._listen(connection)
            except (psycopg.Error, SQLAlchemyError, OSError) as failure:
                log.warning("listener.lost", channels=self._channels, why=type(failure).__name__)
                self._stop.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """Opened as the pool's are, then taken out of the pool: a listener keeps it for ever."""
        borrowed = self._engine.raw_connection()
        connection = borrowed.driver_connection
        if not isinstance(connection, psycopg.Connection):
            raise TypeError(f"expected a psycopg connection, came {type(connection)}")
        borrowed.detach()
        with closing(connection):
            connection.autocommit = True
            connection.execute(_NAME, {"name": self._name})
            yield connection

    def _listen(self, connection: psycopg.Connection) -> None:
        for channel in self._channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._connected()
        while not self._stop.is_set():
            for notification in connection.notifies(timeout=_LOOK_UP_S):
                self._heard(notification.channel, notification.payload)
                if self._stop.is_set():
                    break
