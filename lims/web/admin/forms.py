"""What the administration forms send, read once."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from flask import request

Word = TypeVar("Word", bound=StrEnum)


def ticked(field: str, words: type[Word]) -> frozenset[Word]:
    """The ticked boxes that are words of ours; anything else was not on the form."""
    known: Iterable[Word] = words
    sent = set(request.form.getlist(field))
    return frozenset(word for word in known if word.value in sent)


def chosen_id(field: str) -> UUID | None:
    """The row chosen in a list, or none."""
    try:
        return UUID(request.form.get(field, ""))
    except ValueError:
        return None
