"""What the administration forms send, read once."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody
from lims.web.language import laboratory
from lims.web.refusing import faults_of

Word = TypeVar("Word", bound=StrEnum)


def ticked(field: str, words: type[Word]) -> frozenset[Word]:
    """The ticked boxes that are words of ours; anything else was not on the form."""
    known: Iterable[Word] = words
    sent = set(request.form.getlist(field))
    return frozenset(word for word in known if word.value in sent)


def kept(
    verb: Callable[[Session], object],
    *,
    page: Callable[[dict[str, str], dict[str, str]], str],
    to: str,
    said: str,
) -> Response | tuple[str, int]:
    """Do what the form asks and go on to its list; or the same form again, with its faults."""
    try:
        with laboratory().sessions.begin() as session:
            verb(session)
    except InvalidBody as refusal:
        return page(request.form.to_dict(), faults_of(refusal)), 422
    flash(said, "good")
    return redirect(url_for(to), 303)


def chosen_id(field: str) -> UUID | None:
    """The row chosen in a list, or none."""
    try:
        return UUID(request.form.get(field, ""))
    except ValueError:
        return None
