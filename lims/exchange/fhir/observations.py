"""Observation and DiagnosticReport: what is known of one swab, under the swab's id.

A finding is superseded, never edited; the resource is the swab's newest word and its id stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.barcodes import shown
from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome
from lims.exchange.codes import (
    ANTIGEN,
    COVID_19,
    CYCLES,
    DETECTED,
    FLAGS,
    LOINC,
    PANEL,
    PCR,
    SNOMED,
    VALUES,
)
from lims.exchange.fhir.asked import Kind, Parameter
from lims.exchange.fhir.elements import (
    Json,
    bare,
    concept,
    meta,
    moment,
    present,
    reference,
)
from lims.exchange.fhir.listing import Shown, Type
from lims.exchange.swab_words import SwabWord, read_words

_STATUSES: Final = {
    ResultStatus.PRELIMINARY: "preliminary",
    ResultStatus.FINAL: "final",
    ResultStatus.CORRECTED: "corrected",
    ResultStatus.CANCELLED: "cancelled",
}
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_CATEGORY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "laboratory",
            "display": "Laboratory",
        }
    ]
}
_SECTION: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0074",
            "code": "MB",
            "display": "Microbiology",
        }
    ]
}
_AWAITED: Final = {
    FindingOutcome.PRELIMINARY: (
        "temp-unknown",
        "Temporarily Unknown",
        "Somebody in the pool is positive; this person's own test is under way.",
    ),
    FindingOutcome.RECOLLECT: (
        "unknown",
        "Unknown",
        "The swab cannot tell: this person is to be swabbed again.",
    ),
}


def status_of(word: SwabWord) -> str:
    """What is known no more was an error if it had been final, and else merely cancelled."""
    if word.current:
        return _STATUSES[word.status]
    final = word.status in {ResultStatus.FINAL, ResultStatus.CORRECTED}
    return "entered-in-error" if final else "cancelled"


def _observation(word: SwabWord) -> Json:
    value = VALUES[word.outcome]
    latest = word.evidence[-1] if word.evidence else None
    return present(
        resourceType="Observation",
        id=str(word.specimen_id),
        meta=meta(word.changed_at),
        basedOn=[reference("ServiceRequest", one.order_id) for one in word.evidence],
        status=status_of(word),
        category=[_CATEGORY],
        code=concept(ANTIGEN if word.antigen else PCR),
        subject=reference("Patient", word.person.person_id),
        effectiveDateTime=moment(word.collected_at),
        issued=moment(word.released_at or word.created_at),
        valueCodeableConcept=concept(value) if value else None,
        dataAbsentReason=None if value else _absent(word),
        interpretation=[concept(FLAGS[value])] if value else None,
        note=_notes(word),
        method={"text": _method(word)},
        specimen=reference("Specimen", word.tube_id) if word.tube_id else None,
        device={"display": latest.instrument} if latest else None,
        component=_components(word),
    )


def _absent(word: SwabWord) -> Json:
    code, display, text = _AWAITED[word.outcome]
    return {"coding": [{"system": _ABSENT, "code": code, "display": display}], "text": text}


def _method(word: SwabWord) -> str:
    if word.antigen:
        return f"Rapid antigen test: {word.kit.called}" if word.kit else "Antigen"
    if word.pooled:
        return f"Real-time RT-PCR of a pool of {word.pooled.swabs} swabs"
    return "Real-time RT-PCR"


def _notes(word: SwabWord) -> list[Json]:
    pool = word.pooled
    if pool is None or word.outcome is not FindingOutcome.NEGATIVE:
        return []
    said = f"Not detected in pool {shown(pool.barcode)} of {pool.swabs} swabs."
    return [{"text": said}]


def _components(word: SwabWord) -> list[Json]:
    """The cycle numbers of the newest test of this person's own tube; never a pool's."""
    if not word.own:
        return []
    cts = word.own[-1].cts
    return [
        {
            "code": concept(CYCLES[target]) if target in CYCLES else {"text": f"{target} Ct"},
            "valueQuantity": {
                "value": round(ct, 2),
                "unit": "Ct",
                "system": "http://unitsofmeasure.org",
                "code": "{Ct}",
            },
        }
        for target, ct in sorted(cts.items())
    ]


def _report(word: SwabWord) -> Json:
    value = VALUES[word.outcome]
    conclusion = concept(value)["text"] if value else _AWAITED[word.outcome][2]
    return present(
        resourceType="DiagnosticReport",
        id=str(word.specimen_id),
        meta=meta(word.changed_at),
        basedOn=[reference("ServiceRequest", one.order_id) for one in word.evidence],
        status=status_of(word),
        category=[_SECTION],
        code=concept(ANTIGEN if word.antigen else PANEL),
        subject=reference("Patient", word.person.person_id),
        effectiveDateTime=moment(word.collected_at),
        issued=moment(word.released_at or word.created_at),
        specimen=[reference("Specimen", word.tube_id)] if word.tube_id else None,
        result=[reference("Observation", word.specimen_id)],
        conclusion=conclusion,
        conclusionCode=[concept(value)] + ([concept(COVID_19)] if value is DETECTED else [])
        if value
        else None,
    )


@dataclass(frozen=True, slots=True)
class _Loading:
    written: Callable[[SwabWord], Json]

    def __call__(self, session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Shown]:
        words = read_words(session, ids)
        return {
            one: Shown(self.written(word), (word.person.person_id,)) for one, word in words.items()
        }


def _stored_status(code: str) -> Sequence[str] | None:
    stored = {
        "preliminary": "P true",
        "final": "F true",
        "corrected": "C true",
        "cancelled": "P false",
    }
    if code in stored:
        return [stored[code]]
    if code == "entered-in-error":
        return ["F false", "C false"]
    return [] if code in {"registered", "partial", "amended", "appended", "unknown"} else None


def _stored_value(token: str) -> Sequence[str] | None:
    code = bare(token, SNOMED)
    return [str(one) for one, value in VALUES.items() if value and value.code == code] or None


def _stored_code(token: str) -> Sequence[str] | None:
    materials = {PCR.code: ["swab"], PANEL.code: ["swab"], ANTIGEN.code: ["antigen"]}
    return materials.get(bare(token, LOINC) or "")


# The newest word on each swab: the current one, or the last of those that ended.
_NEWEST: Final = (
    "x.current OR (NOT EXISTS (SELECT FROM finding g WHERE g.specimen_id = x.specimen_id"
    " AND g.current) AND NOT EXISTS (SELECT FROM finding g"
    " WHERE g.specimen_id = x.specimen_id AND NOT g.current"
    " AND (g.created_at, g.id) > (x.created_at, x.id)))"
)


def _parameters(to: str) -> dict[str, Parameter]:
    every = (
        Parameter("_id", Kind.REFERENCE, "x.specimen_id", "the id", to=to, one=True),
        Parameter("_lastUpdated", Kind.DATE, "x.changed_at", "when it last changed"),
        Parameter("date", Kind.DATE, "s.collected_at", "when the swab was taken"),
        Parameter("issued", Kind.DATE, "coalesce(x.released_at, x.created_at)", "when it was said"),
        Parameter(
            "status",
            Kind.TOKEN,
            "x.status || ' ' || cast(x.current AS text)",
            "preliminary, final, corrected, cancelled or entered-in-error",
            stored=_stored_status,
        ),
        Parameter("patient", Kind.REFERENCE, "x.person_id", "whose", to="Patient", one=True),
        Parameter("subject", Kind.REFERENCE, "x.person_id", "whose", to="Patient", one=True),
        Parameter(
            "specimen",
            Kind.REFERENCE,
            "ts.tube_id",
            "a tube that holds the swab, a pool too",
            within="EXISTS (SELECT FROM tube_specimen ts WHERE ts.specimen_id = x.specimen_id"
            " AND {})",
            to="Specimen",
            one=True,
        ),
        Parameter(
            "code",
            Kind.TOKEN,
            "s.material",
            "94500-6 or 94531-1 (PCR), 94558-4 (antigen)",
            stored=_stored_code,
        ),
    )
    return {one.name: one for one in every}


def _without_cycles(resource: Json) -> Json:
    """A cycle number is for whoever can judge it."""
    return {name: value for name, value in resource.items() if name != "component"}


def _type(name: str, *, value: str, written: Callable[[SwabWord], Json], says: str) -> Type:
    """``value`` names the parameter that asks for the result."""
    asked = Parameter(value, Kind.TOKEN, "x.outcome", "a SNOMED CT code", stored=_stored_value)
    return Type(
        name=name,
        source="finding x JOIN specimen s ON s.id = x.specimen_id",
        where=_NEWEST,
        about="EXISTS (SELECT FROM person p WHERE p.id = x.person_id AND {})",
        row_id="x.specimen_id",
        parameters={**_parameters(name), value: asked},
        load=_Loading(written),
        says=says,
        masked=_without_cycles,
    )


OBSERVATION: Final = _type(
    "Observation", value="value-concept", written=_observation, says="what is known of one swab"
)
DIAGNOSTIC_REPORT: Final = _type(
    "DiagnosticReport", value="conclusion", written=_report, says="the report on one swab"
)
