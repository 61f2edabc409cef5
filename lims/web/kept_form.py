"""A form that was sent after the session had ended is kept until whoever sent it has signed in.

The sign-in page carries it as hidden fields, so that nothing of it is stored anywhere; after
signing in the same person sees it again and sends it with one press. Only what came from a page of
ours is kept: otherwise another site could put a form into somebody's hands this way. And it goes
back only to whoever typed it: the token that each form of a session carries names its person, is
signed, and outlives the session.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from lims.web.language import gettext as _
from lims.web.language import later

FIELD: Final = "kept"
PATH: Final = "kept_path"
TYPED_BY: Final = "kept_by"
TOKEN: Final = "csrf_token"  # noqa: S105 - the field's name in Flask-WTF, session and forms
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
_OURS: Final = frozenset({TOKEN, FIELD, PATH, TYPED_BY})


@dataclass(frozen=True)
class KeptForm:
    """Where it was going, what it said, in its order, and which user had typed it."""

    path: str
    fields: tuple[tuple[str, str], ...]
    typed_by: UUID

    @property
    def readable(self) -> list[tuple[str, str]]:
        """What a person typed, by the words beside the fields; ids and tokens say nothing."""
        return [(_(_LABELS[name]), said) for name, said in self.fields if said and name in _LABELS]

    @property
    def signature(self) -> str:
        """Who typed it, as the sign-in page carries it along."""
        return _signer().dumps(str(self.typed_by))


def token_for(user_id: UUID) -> str:
    """What a session's forms prove themselves by: unguessable, and it says whose session it is."""
    return f"{user_id}.{token_hex(20)}"


def of_this_request() -> KeptForm | None:
    """The form of a post that nobody was signed in for; None when there is nothing to keep."""
    small = (request.content_length or 0) <= _MOST_BYTES
    if request.method != "POST" or request.files or not small or "X-Scan" in request.headers:
        return None
    if request.path.startswith(_NEVER) or not _from_our_page():
        return None
    fields, typed_by = tuple(_said()), _whose_token()
    return KeptForm(request.path, fields, typed_by) if fields and typed_by else None


def carried() -> KeptForm | None:
    """The form that the sign-in page carried, when it is still whole."""
    path, names = request.form.get(PATH, ""), request.form.getlist(FIELD)
    if not path.startswith("/") or path[1:2] in ("/", "\\") or path.startswith(_NEVER):
        return None
    typed_by = _signed_id(_signer(), request.form.get(TYPED_BY, ""))
    if len(names) % 2 or typed_by is None:
        return None
    return KeptForm(path, tuple(zip(names[::2], names[1::2], strict=True)), typed_by)


def _whose_token() -> UUID | None:
    """Whose session the form was made in: Flask-WTF signs what `token_for` made."""
    signer = URLSafeTimedSerializer(str(current_app.secret_key), salt="wtf-csrf-token")
    return _signed_id(signer, request.form.get(TOKEN, ""))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="kept-form")


def _signed_id(signer: URLSafeSerializer | URLSafeTimedSerializer, signed: str) -> UUID | None:
    try:
        return UUID(str(signer.loads(signed)).partition(".")[0])
    except (BadSignature, ValueError):
        return None


def _said() -> Iterator[tuple[str, str]]:
    for name, values in request.form.lists():
        if name not in _OURS and "password" not in name:
            yield from ((name, value) for value in values)


def _from_our_page() -> bool:
    """The browser's own word on where the form stood; its token ended with the session."""
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host
