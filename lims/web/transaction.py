"""One transaction for one form; a lost race runs again and meets the winner's rows."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.web.language import laboratory

T = TypeVar("T")


def in_transaction(work: Callable[[Session], T]) -> T:
    """Run the work and commit. The verbs answer a replay, so the second try finds what won."""
    try:
        return _once(work)
    except IntegrityError:
        return _once(work)


def _once(work: Callable[[Session], T]) -> T:
    with laboratory().sessions.begin() as session:
        return work(session)
