"""What is said of swabs, with whose they are and what it rests on: read for many at once.

The one thing that every format tells. A person's word rests on tests of their own tube or of pools
that held it; only their own tube's cycle numbers are theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.interpretation import amplified, rule_in_force
from lims.domain.lifecycle import ResultStatus, TubeKind
from lims.domain.outcomes import FindingOutcome
from lims.work.kit_names import UNSEEN
from lims.work.matched import stored_readings


@dataclass(frozen=True, slots=True)
class Unit:
    """An administrative unit, and the province it lies in (itself, for a province)."""

    scheme: str
    code: str
    name: str
    province: str


@dataclass(frozen=True, slots=True)
class Human:
    """A person as another system needs them. ``old_id`` is the card number before the chip card."""

    person_id: UUID
    name: str
    birth_year: int | None
    birth_date: date | None
    sex: str | None
    phone: str | None
    national_id: str | None
    old_id: str | None
    address: str | None
    home: Unit | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One result that a word rests on. ``cts`` by target, the assay's own targets only."""

    result_id: UUID
    order_id: UUID
    tube_id: UUID
    barcode: str
    swabs: int
    instrument: str
    assay: str
    outcome: str
    at: datetime
    cts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Kit:
    """The rapid test that was read; ``name`` None where nobody ever said what the kit is called."""

    name: str | None
    lot: str
    read_at: datetime

    @property
    def called(self) -> str:
        """ "Nhanh Ag, lot AG1", or "lot AG1"."""
        return f"{self.name}, lot {self.lot}" if self.name else f"lot {self.lot}"


@dataclass(frozen=True, slots=True)
class SwabWord:
    """One finding. ``barcode`` is the tube's that the swab went into; a rapid test has none."""

    finding_id: UUID
    specimen_id: UUID
    person: Human
    outcome: FindingOutcome
    status: ResultStatus
    current: bool
    created_at: datetime
    released_at: datetime | None
    changed_at: datetime
    collected_at: datetime
    antigen: bool
    tube_id: UUID | None
    barcode: str | None
    tube_kind: TubeKind | None
    tube_swabs: int
    received_at: datetime | None
    evidence: tuple[Evidence, ...]
    kit: Kit | None

    @property
    def own(self) -> tuple[Evidence, ...]:
        """Tests of this swab alone."""
        return tuple(one for one in self.evidence if one.swabs == 1)

    @property
    def pooled(self) -> Evidence | None:
        """The pool that spoke for the person, when no test of their own did."""
        return None if self.own else next(iter(self.evidence), None)


_WORDS = text(
    f"""
SELECT f.id, f.specimen_id, f.outcome, f.status, f.current, f.created_at, f.released_at,
       f.changed_at, f.evidence, s.material, s.collected_at,
       p.id AS person_id, p.name, p.birth_year, p.birth_date, p.sex, p.phone, p.national_id,
       p.old_id, p.address, p.area_scheme, p.area_code, a.full_name AS area_name,
       coalesce(up.full_name, a.full_name) AS province,
       t.id AS tube_id, t.barcode, t.kind AS tube_kind, t.received_at,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS tube_swabs,
       nullif(k.name, '{UNSEEN}') AS kit, l.lot, rt.read_at
FROM finding f
JOIN specimen s ON s.id = f.specimen_id
JOIN person p ON p.id = f.person_id
LEFT JOIN area a ON a.scheme = p.area_scheme AND a.code = p.area_code
LEFT JOIN area up ON up.scheme = a.scheme AND up.code = a.parent_code
LEFT JOIN LATERAL (
    SELECT t.id, t.barcode, t.kind, t.received_at
    FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
    WHERE ts.specimen_id = s.id ORDER BY t.created_at, t.id LIMIT 1) t ON true
LEFT JOIN rapid_test rt ON rt.specimen_id = s.id
LEFT JOIN kit_lot l ON l.id = rt.kit_lot_id
LEFT JOIN kit k ON k.id = l.kit_id
WHERE f.id = ANY(:findings)
"""  # noqa: S608 - a constant of ours
)

_EVIDENCE = text("""
SELECT r.id, r.order_id, r.tube_id, t.barcode, t.assay_code, r.outcome, r.created_at, m.targets,
       i.name AS instrument,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS swabs
FROM result r
JOIN tube t ON t.id = r.tube_id
JOIN measurement m ON m.id = r.measurement_id
JOIN instrument i ON i.id = m.instrument_id
WHERE r.id = ANY(:results)
""")


def read_words(session: Session, findings: Sequence[UUID]) -> dict[UUID, SwabWord]:
    """Two statements, however many findings; by finding."""
    rows = session.execute(_WORDS, {"findings": list(findings)}).all()
    results = sorted({result for row in rows for result in row.evidence})
    tests = _read_evidence(session, results)
    return {row.id: _word(row, tests) for row in rows}


def _read_evidence(session: Session, results: Sequence[UUID]) -> dict[UUID, Evidence]:
    if not results:
        return {}
    rows = session.execute(_EVIDENCE, {"results": list(results)})
    return {row.id: _evidence(row) for row in rows}


def _evidence(row: Row[Any]) -> Evidence:
    readings = stored_readings(row.targets)
    cts = {
        target: ct
        for target in sorted(rule_in_force(row.assay_code).targets)
        if (ct := amplified(readings, target)) is not None
    }
    return Evidence(
        result_id=row.id,
        order_id=row.order_id,
        tube_id=row.tube_id,
        barcode=row.barcode,
        swabs=row.swabs,
        instrument=row.instrument,
        assay=row.assay_code,
        outcome=row.outcome,
        at=row.created_at,
        cts=cts,
    )


def _word(row: Row[Any], tests: Mapping[UUID, Evidence]) -> SwabWord:
    return SwabWord(
        finding_id=row.id,
        specimen_id=row.specimen_id,
        person=human(row),
        outcome=FindingOutcome(row.outcome),
        status=ResultStatus(row.status),
        current=row.current,
        created_at=row.created_at,
        released_at=row.released_at,
        changed_at=row.changed_at,
        collected_at=row.collected_at,
        antigen=row.material == "antigen",
        tube_id=row.tube_id,
        barcode=row.barcode,
        tube_kind=TubeKind(row.tube_kind) if row.tube_kind else None,
        tube_swabs=row.tube_swabs,
        received_at=row.received_at,
        evidence=_in_order(tests[one] for one in row.evidence if one in tests),
        kit=Kit(row.kit, row.lot, row.read_at) if row.lot else None,
    )


def _in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(sorted(evidence, key=lambda one: (one.at, one.result_id)))


def human(row: Row[Any]) -> Human:
    """Of a row that has the person's columns and the names of its units."""
    home = None
    if row.area_code is not None:
        home = Unit(row.area_scheme, row.area_code, row.area_name, row.province)
    return Human(
        person_id=row.person_id,
        name=row.name,
        birth_year=row.birth_year,
        birth_date=row.birth_date,
        sex=row.sex,
        phone=row.phone,
        national_id=row.national_id,
        old_id=row.old_id,
        address=row.address,
        home=home,
    )
