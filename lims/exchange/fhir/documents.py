"""A searchset Bundle, and an OperationOutcome for what is refused."""

from collections.abc import Mapping
from typing import Any, Final

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
from lims.exchange.fhir.elements import moment, present
from lims.exchange.fhir.listing import Page

PROBLEMS: Final = "urn:thantoc:problems"
_CODES: Final[tuple[tuple[type[Refusal], str], ...]] = (
    (NotSignedIn, "login"),
    (Unknown, "not-found"),
    (Malformed, "invalid"),
    (Conflict, "conflict"),
    (Forbidden, "forbidden"),
    (TooLarge, "too-long"),
    (TooMany, "throttled"),
)


def bundle(page: Page, *, base: str, links: Mapping[str, str]) -> dict[str, Any]:
    """``links`` are written as relations to addresses. Where ``meta.lastUpdated`` is, the list was
    complete."""
    entries = [
        {
            "fullUrl": f"{base}/{shown.resource['resourceType']}/{shown.resource['id']}",
            "resource": shown.resource,
            "search": {"mode": "match"},
        }
        for shown in page.shown
    ]
    return present(
        resourceType="Bundle",
        meta={"lastUpdated": moment(page.complete_until)},
        type="searchset",
        total=page.total,
        link=[{"relation": relation, "url": url} for relation, url in links.items()],
        entry=entries,
    )


def outcome(refusal: Refusal) -> dict[str, Any]:
    """What was expected, what came, where and what to do; the text is all of it in a sentence."""
    code = next((code for branch, code in _CODES if isinstance(refusal, branch)), "processing")
    return plain(
        code,
        str(refusal),
        slug=refusal.slug,
        todo=refusal.todo,
        where=refusal.where,
    )


def plain(
    code: str, said: str, *, slug: str = "", todo: str = "", where: str = ""
) -> dict[str, Any]:
    issue = present(
        severity="error",
        code=code,
        details=present(
            coding=[{"system": PROBLEMS, "code": slug}] if slug else None, text=todo or said
        ),
        diagnostics=said,
        expression=[where] if where else None,
    )
    return {"resourceType": "OperationOutcome", "issue": [issue]}
