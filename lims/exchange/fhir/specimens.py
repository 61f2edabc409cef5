"""Specimen: a tube. What it was drawn from are its parents; what holds several swabs is pooled.

R4 has no word for a pool: the R5 element ``combined`` goes by its cross-version extension. A field
pool's swabs went into the tube together, so that it has no parents and no one subject.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from lims.domain.barcodes import normalise
from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import Refusal
from lims.exchange.codes import SWAB
from lims.exchange.fhir.asked import Kind, Parameter
from lims.exchange.fhir.elements import (
    BARCODE,
    Json,
    bare,
    concept,
    identifier,
    meta,
    moment,
    present,
    reference,
)
from lims.exchange.fhir.listing import Type
from lims.exchange.fhir.of_tubes import about_people, loading, one_person, whose, within_swabs

COMBINED: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.combined"
STATUSES: Final = {
    TubeState.COLLECTED: "unavailable",  # not here yet
    TubeState.RECEIVED: "available",
    TubeState.REJECTED: "unsatisfactory",
    TubeState.DISCARDED: "unavailable",
}

# A sub-pool's draws came from tubes of the pool that it resolves, not from that pool.
_ROWS = text("""
SELECT t.id, t.barcode, t.kind, t.state, t.created_at, t.received_at, t.reject_reason, t.changed_at,
       held.people, held.swabs, held.first_at, held.last_at, drawn.parents
FROM tube t
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT s.person_id) AS people, count(*) AS swabs,
           min(s.collected_at) AS first_at, max(s.collected_at) AS last_at
    FROM tube_specimen ts JOIN specimen s ON s.id = ts.specimen_id WHERE ts.tube_id = t.id
) held ON true
LEFT JOIN LATERAL (
    SELECT array_agg(source_id ORDER BY place) AS parents FROM (
        SELECT source_id, position AS place FROM tube_source WHERE pool_id = t.id
        UNION ALL
        SELECT ss.source_id, ss.place FROM sub_pool sp
        JOIN sub_pool_source ss ON ss.sub_pool_id = sp.id WHERE sp.tube_id = t.id) every
) drawn ON true
WHERE t.id = ANY(:ids)
""")


def _specimen(row: Row[Any]) -> Json:
    state, subject = TubeState(row.state), one_person(row)
    pooled = row.kind != TubeKind.INDIVIDUAL
    return present(
        resourceType="Specimen",
        id=str(row.id),
        meta=meta(row.changed_at),
        extension=[{"url": COMBINED, "valueCode": "pooled"}] if pooled else None,
        identifier=[identifier(BARCODE, row.barcode)],
        accessionIdentifier=identifier(BARCODE, row.barcode),
        status=STATUSES[state],
        type=concept(SWAB, f"Pool of {row.swabs} swabs" if pooled else None),
        subject=reference("Patient", subject[0]) if subject else None,
        receivedTime=moment(row.received_at) if row.received_at else None,
        parent=[reference("Specimen", one) for one in row.parents or ()],
        collection=_collection(row),
        note=[{"text": f"Rejected: {row.reject_reason}"}] if row.reject_reason else None,
    )


def _collection(row: Row[Any]) -> Json | None:
    if row.first_at is None:
        return None
    if row.first_at == row.last_at:
        return {"collectedDateTime": moment(row.first_at)}
    return {"collectedPeriod": {"start": moment(row.first_at), "end": moment(row.last_at)}}


def states_of(code: str) -> Sequence[str] | None:
    """The stored states of a status; none at all for one that nothing here ever has."""
    if code == "entered-in-error":
        return []
    return [str(state) for state, said in STATUSES.items() if said == code] or None


def _barcode(token: str) -> Sequence[str] | None:
    said = bare(token, BARCODE)
    if not said:
        return None
    try:
        return [normalise(said)]
    except Refusal:
        return [said]


_SWABS: Final = within_swabs("x.id")
_DRAWN: Final = (
    "x.id IN (SELECT pool_id FROM tube_source d WHERE {0} UNION ALL SELECT sp.tube_id"
    " FROM sub_pool sp JOIN sub_pool_source d ON d.sub_pool_id = sp.id"
    " WHERE sp.tube_id IS NOT NULL AND {0})"
)

SPECIMEN: Final = Type(
    name="Specimen",
    source="tube x",
    where="true",
    about=about_people("x.id"),
    row_id="x.id",
    parameters={
        parameter.name: parameter
        for parameter in (
            Parameter("_id", Kind.REFERENCE, "x.id", "the id", to="Specimen", one=True),
            Parameter("_lastUpdated", Kind.DATE, "x.changed_at", "when it last changed"),
            Parameter(
                "collected",
                Kind.DATE,
                "s.collected_at",
                "when a swab in it was taken",
                within=_SWABS,
            ),
            Parameter("date", Kind.DATE, "s.collected_at", "the same", within=_SWABS),
            Parameter(
                "status",
                Kind.TOKEN,
                "x.state",
                "available, unavailable or unsatisfactory",
                stored=states_of,
            ),
            Parameter(
                "identifier", Kind.TOKEN, "x.barcode", "the barcode", stored=_barcode, one=True
            ),
            Parameter(
                "accession", Kind.TOKEN, "x.barcode", "the barcode", stored=_barcode, one=True
            ),
            *whose("x.id", "somebody whose swab is in it"),
            Parameter(
                "parent",
                Kind.REFERENCE,
                "d.source_id",
                "a tube that it was drawn from",
                within=_DRAWN,
                to="Specimen",
                one=True,
            ),
        )
    },
    load=loading(_ROWS, _specimen),
    says="a tube: one swab, a field pool, or a pool made here",
)
