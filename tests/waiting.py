"""Two transactions at one moment: wait until one of them waits for the other."""

from time import sleep

from sqlalchemy import Engine, text


def until_somebody_waits(database: Engine) -> None:
    """Return when one connection waits for another's row."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1_000):
        with database.connect() as connection:
            if connection.execute(blocked).scalar_one():
                return
        sleep(0.01)
    raise AssertionError("nobody waits: the two do not lock the same rows")
