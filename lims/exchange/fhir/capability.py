"""What this server can do, written from the same declarations that do it (CapabilityStatement)."""

from datetime import datetime
from typing import Any, Final

from lims.exchange.fhir.asked import MOST, Kind
from lims.exchange.fhir.elements import moment
from lims.exchange.fhir.listing import Type
from lims.exchange.fhir.types import TYPES

FORMAT: Final = "application/fhir+json"
FHIR_VERSION: Final = "4.0.1"
_SAYS: Final = (
    "A bearer token with the scope `fhir`. A token of a team reaches the people of its areas and of"
    " its cases, without cycle numbers and card numbers. Every reading of a person is kept in the"
    " audit trail."
)
_SEARCH: Final = (
    "Parameters that are not listed are refused. Lists are in the order of their last change;"
    " follow `next`. Everything that changed before a list's meta.lastUpdated is in it or behind"
    " its `next`: ask from there the next time, with _lastUpdated=ge. People's numbers are searched"
    f" for by POST to _search. _count is at most {MOST}."
)


def statement(*, base: str, release: str, at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": moment(at),
        "kind": "instance",
        "software": {"name": "Thần Tốc", "version": release},
        "implementation": {"description": "Thần Tốc, results to read", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": [FORMAT, "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _SEARCH,
                "security": {"cors": False, "description": _SAYS},
                "resource": [_resource(kind) for kind in TYPES.values()],
            }
        ],
    }


def _resource(kind: Type) -> dict[str, Any]:
    parameters = [
        {"name": one.name, "type": one.kind.value, "documentation": one.says}
        for one in kind.parameters.values()
    ]
    area = {
        "name": "area",
        "type": Kind.TOKEN.value,
        "documentation": "where its person lives: a unit's code or scheme|code, with all in it",
    }
    return {
        "type": kind.name,
        "documentation": kind.says,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": False,
        "conditionalRead": "not-match",
        "searchParam": [*parameters, area],
    }
