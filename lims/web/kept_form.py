"""A form that was sent after the session had ended is kept until whoever sent it has signed in.

The sign-in page carries it as hidden fields, so that nothing of it is stored anywhere; after
signing in the same person sees it again and sends it with one press. Only what came from a page of
ours is kept: otherwise another site could put a form into somebody's hands this way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import request

from lims.web.language import gettext as _
from lims.web.language import later

FIELD: Final = "kept"
PATH: Final = "kept_path"
_MOST_BYTES: Final = 200_000
_NEVER: Final = ("/login", "/logout", "/language", "/me/")
_LABELS: Final = {
    "text": later("Scan"),
    "barcode": later("Tube"),
    "name": later("Full name"),
    "birth": later("Birth"),
    "national_id": later("Card number"),
    "phone": later("Phone"),
    "address": later("Address"),
    "area": later("Commune of residence"),
    "work_area": later("Commune of work or study"),
    "household": later("Household"),
    "reason": later("Why"),
    "title": later("Line on the label"),
    "count": later("How many"),
}
_OURS: Final = frozenset({"csrf_token", FIELD, PATH})


@dataclass(frozen=True)
class KeptForm:
    """Where it was going, and what it said, in its order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    @property
    def readable(self) -> list[tuple[str, str]]:
        """What a person typed, by the words beside the fields; ids and tokens say nothing."""
        return [(_(_LABELS[name]), said) for name, said in self.fields if said and name in _LABELS]


def of_this_request() -> KeptForm | None:
    """The form of a post that nobody was signed in for; None when there is nothing to keep."""
    small = (request.content_length or 0) <= _MOST_BYTES
    if request.method != "POST" or request.files or not small or "X-Scan" in request.headers:
        return None
    if request.path.startswith(_NEVER) or not _from_our_page():
        return None
    fields = tuple(_said())
    return KeptForm(request.path, fields) if fields else None


def carried() -> KeptForm | None:
    """The form that the sign-in page carried, when it is still whole."""
    path, names = request.form.get(PATH, ""), request.form.getlist(FIELD)
    if not path.startswith("/") or path[1:2] in ("/", "\\") or path.startswith(_NEVER):
        return None
    if len(names) % 2:
        return None
    return KeptForm(path, tuple(zip(names[::2], names[1::2], strict=True)))


def _said() -> Iterator[tuple[str, str]]:
    for name, values in request.form.lists():
        if name not in _OURS and "password" not in name:
            yield from ((name, value) for value in values)


def _from_our_page() -> bool:
    """The browser's own word on where the form stood; its token ended with the session."""
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host
