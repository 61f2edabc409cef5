"""What every door of one process shares: the database, the site, the clock and the language."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker


def utc_now() -> datetime:
    """The only clock of the web and deliverer processes; rules take ``now`` as an argument."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Laboratory:
    """One site's laboratory as its processes see it."""

    engine: Engine
    sessions: sessionmaker[Session]
    site_id: UUID
    prefix: str
    timezone: str = "Asia/Ho_Chi_Minh"
    language: str = "vi"
    clock: Callable[[], datetime] = utc_now

    @cached_property
    def autocommit(self) -> Engine:
        """The same pool, where each statement is its own transaction."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def statements(self) -> Session:
        """A session in which each statement is a transaction of its own: for pages that only read,
        and for a verb that is one statement. BEGIN and COMMIT would be two round trips more."""
        return Session(self.autocommit, expire_on_commit=False)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that reads one moment, however many statements it asks and whatever is
        committed meanwhile: sums of a running day that are to agree. It cannot write."""
        moment = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with Session(moment) as session:
            yield session
