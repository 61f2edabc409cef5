"""ServiceRequest: one test wanted on one tube."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from lims.domain.lifecycle import OrderReason, OrderState
from lims.exchange.codes import PANEL
from lims.exchange.fhir.asked import Kind, Parameter
from lims.exchange.fhir.elements import (
    BARCODE,
    Json,
    concept,
    meta,
    moment,
    present,
    reference,
)
from lims.exchange.fhir.listing import Type
from lims.exchange.fhir.of_tubes import about_people, loading, one_person, whose

STATUSES: Final = {
    OrderState.QUEUED: "active",
    OrderState.PLATED: "active",
    OrderState.RESULTED: "completed",
    OrderState.VOID: "revoked",
    OrderState.CANCELLED: "revoked",
}
_WHY: Final = {
    OrderReason.PRIMARY: "First test",
    OrderReason.RESOLVE: "To tell apart the people of a positive pool",
    OrderReason.REPEAT: "Repeat",
    OrderReason.RERUN: "Run again: its run gave no evidence",
    OrderReason.DISCORDANT: "Evidence disagrees",
    OrderReason.CONFIRM: "To confirm a rapid test",
}
_URGENT: Final = 8  # of ten

_ROWS = text("""
SELECT o.id, o.state, o.why, o.priority, o.created_at, o.changed_at, o.tube_id, t.barcode,
       held.people, held.swabs
FROM test_order o JOIN tube t ON t.id = o.tube_id
LEFT JOIN LATERAL (
    SELECT array_agg(s.person_id) AS people, count(*) AS swabs
    FROM tube_specimen ts JOIN specimen s ON s.id = ts.specimen_id WHERE ts.tube_id = t.id
) held ON true
WHERE o.id = ANY(:ids)
""")


def _request(row: Row[Any]) -> Json:
    """A pool's subject is the group of its people, who are counted here and named nowhere."""
    people = one_person(row)
    group = {
        "resourceType": "Group",
        "id": "people",
        "type": "person",
        "actual": True,
        "quantity": row.swabs,
    }
    return present(
        resourceType="ServiceRequest",
        id=str(row.id),
        meta=meta(row.changed_at),
        contained=None if people else [group],
        status=STATUSES[OrderState(row.state)],
        intent="order",
        priority="urgent" if row.priority >= _URGENT else "routine",
        code=concept(PANEL),
        subject=reference("Patient", people[0]) if people else {"reference": "#people"},
        authoredOn=moment(row.created_at),
        reasonCode=[{"text": _WHY[OrderReason(row.why)]}],
        specimen=[
            reference("Specimen", row.tube_id)
            | {"identifier": {"system": BARCODE, "value": row.barcode}}
        ],
    )


def states_of(code: str) -> Sequence[str] | None:
    if code in {"draft", "on-hold", "entered-in-error", "unknown"}:
        return []
    return [str(state) for state, said in STATUSES.items() if said == code] or None


SERVICE_REQUEST: Final = Type(
    name="ServiceRequest",
    source="test_order x",
    where="true",
    about=about_people("x.tube_id"),
    row_id="x.id",
    parameters={
        parameter.name: parameter
        for parameter in (
            Parameter("_id", Kind.REFERENCE, "x.id", "the id", to="ServiceRequest", one=True),
            Parameter("_lastUpdated", Kind.DATE, "x.changed_at", "when it last changed"),
            Parameter("authored", Kind.DATE, "x.created_at", "when the test was wanted"),
            Parameter("date", Kind.DATE, "x.created_at", "the same"),
            Parameter(
                "status", Kind.TOKEN, "x.state", "active, completed or revoked", stored=states_of
            ),
            *whose("x.tube_id", "somebody whose swab is tested"),
            Parameter("specimen", Kind.REFERENCE, "x.tube_id", "the tube", to="Specimen", one=True),
        )
    },
    load=loading(_ROWS, _request),
    says="one test wanted on one tube",
)
