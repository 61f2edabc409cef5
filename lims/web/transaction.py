"""One transaction for one form; a lost race runs again and meets the winner's rows."""

from collections.abc import Callable
from typing import Final, TypeVar

from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from lims.web.language import laboratory

T = TypeVar("T")
MOST_TRIES: Final = 3


def in_transaction(work: Callable[[Session], T]) -> T:
    """Run the work and commit. The verbs answer a replay, so the second try finds what won."""
    for _ in range(MOST_TRIES - 1):
        try:
            return _once(work)
        except IntegrityError:
            continue
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    return _once(work)


def one_statement(work: Callable[[Session], T]) -> T:
    """The same for a verb that writes with one statement: all or nothing is the statement's own.

    Whatever else the work asks of the session, it may only read, or write what its replay writes.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            with laboratory().statements() as session:
                return work(session)
        except IntegrityError:
            continue
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    with laboratory().statements() as session:
        return work(session)


def _once(work: Callable[[Session], T]) -> T:
    with laboratory().sessions.begin() as session:
        return work(session)
