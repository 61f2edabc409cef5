"""Two transactions at one moment: wait until one of them waits for the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from tests.until import WITHIN_S, until


def until_somebody_waits(database: Engine, *, many: int = 1) -> None:
    """Return when ``many`` connections wait for another's row."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def waits() -> bool:
        with database.connect() as connection:
            return int(connection.execute(blocked).scalar_one()) >= many

    until(waits, "one who waits for the other: do the two lock the same rows?")


def while_the_first_is_open(
    database: Engine, first: Callable[[Session], None], second: Callable[[Session], None]
) -> None:
    """The first has done its work and not committed; the second waits, and meets what it did."""
    sessions = session_factory(database)

    def late() -> None:
        with sessions.begin() as session:
            second(session)

    with ThreadPoolExecutor(1) as threads:
        with sessions.begin() as session:
            first(session)
            session.flush()
            waiting = threads.submit(late)
            until_somebody_waits(database)
        waiting.result(timeout=WITHIN_S)
