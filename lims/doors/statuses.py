"""The one table from refusals to HTTP statuses (style.md, rule 11)."""

from http import HTTPStatus

from lims.domain.refusals import (
    Conflict,
    Forbidden,
    Malformed,
    NotSignedIn,
    Refusal,
    TooLarge,
    TooMany,
    Unknown,
)

_BRANCHES: tuple[tuple[type[Refusal], HTTPStatus], ...] = (
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (Unknown, HTTPStatus.NOT_FOUND),
    (Malformed, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (TooMany, HTTPStatus.TOO_MANY_REQUESTS),
)


def status_of(kind: type[Refusal]) -> HTTPStatus:
    """The status of a refusal by its branch."""
    for branch, status in _BRANCHES:
        if issubclass(kind, branch):
            return status
    return HTTPStatus.BAD_REQUEST
