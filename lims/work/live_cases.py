"""Find, lock and open the cases of people: a run's positives all at once, a strip's one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.lifecycle import CASE_MOVES, CaseState, move
from lims.domain.outcomes import Basis, NoticeKind
from lims.tables import F0Case
from lims.work.tell import CaseNews

LIVE = (CaseState.PRESUMPTIVE, CaseState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Opening:
    """A case to open, for a person without a live one; ``definition`` is the one that judged it."""

    person_id: UUID
    finding_id: UUID
    basis: Basis
    definition: str
    state: CaseState = CaseState.PRESUMPTIVE


def move_case(case: F0Case, wanted: CaseState, *, now: datetime) -> None:
    """Move a locked case by the table; one that was over waits for a team again from now on.

    Raises IllegalMove.
    """
    was = CaseState(case.state)
    case.state = move(CASE_MOVES, was, wanted, what=f"case {case.id}")
    if was not in LIVE and wanted in LIVE:
        case.reopened_at = now


def live_case(session: Session, person_id: UUID) -> F0Case | None:
    """The person's presumptive or confirmed case, locked."""
    return live_cases(session, [person_id]).get(person_id)


def live_cases(session: Session, people: Iterable[UUID]) -> dict[UUID, F0Case]:
    """The presumptive or confirmed case of each person who has one; locked, in people's order."""
    found = session.scalars(
        select(F0Case)
        .where(F0Case.person_id.in_(list(people)), F0Case.state.in_(LIVE))
        .order_by(F0Case.person_id)
        .with_for_update(key_share=True)
    )
    return {case.person_id: case for case in found}


def withdrawn_cases(session: Session, swabs: Mapping[UUID, UUID]) -> dict[UUID, F0Case]:
    """For each swab of a person, the case that this same swab once gave, to take up again: never a
    second F0 (S8). Locked, the latest of each.

    A strip and the PCR swab that it asked for give one case between them.
    """
    gave = {
        row.specimen_id: row.id
        for row in session.execute(
            _GAVE, {"swabs": list(swabs), "people": [swabs[swab] for swab in swabs]}
        )
    }
    if not gave:
        return {}
    locked = session.scalars(
        select(F0Case)
        .where(F0Case.id.in_(gave.values()), F0Case.state == CaseState.WITHDRAWN)
        .order_by(F0Case.person_id)
        .with_for_update(key_share=True)
    )
    cases = {case.id: case for case in locked}
    return {swab: cases[id] for swab, id in gave.items() if id in cases}


def open_cases(
    session: Session, openings: Sequence[Opening], *, site_id: UUID, now: datetime
) -> list[CaseNews]:
    """Open them, and say of each what everyone who is told must hear."""
    if not openings:
        return []
    ids = [uuid7() for _ in openings]
    rows = [
        {
            "id": id,
            "person_id": one.person_id,
            "finding_id": one.finding_id,
            "basis": one.basis,
            "definition": one.definition,
            "state": one.state,
        }
        for id, one in zip(ids, openings, strict=True)
    ]
    session.execute(_OPEN, {"rows": rows_as_json(rows), "site_id": site_id, "now": now})
    return [
        CaseNews(id, one.person_id, NoticeKind.CASE_OPENED, 1, one.state, one.basis)
        for id, one in zip(ids, openings, strict=True)
    ]


_GAVE = text("""
SELECT DISTINCT ON (g.specimen_id) g.specimen_id, c.id
FROM unnest(cast(:swabs AS uuid[]), cast(:people AS uuid[])) AS g(specimen_id, person_id)
JOIN f0_case c ON c.person_id = g.person_id AND c.state = 'withdrawn'
JOIN finding f ON f.id = c.finding_id
WHERE f.specimen_id = g.specimen_id OR EXISTS (
    SELECT FROM rapid_test r
    WHERE (r.specimen_id, r.pcr_specimen_id)
          IN ((f.specimen_id, g.specimen_id), (g.specimen_id, f.specimen_id)))
ORDER BY g.specimen_id, c.opened_at DESC
""")

_OPEN = text("""
INSERT INTO f0_case (id, site_id, person_id, finding_id, state, basis, definition, sequence,
                     opened_at, changed_at)
SELECT id, :site_id, person_id, finding_id, state, basis, definition, 1, :now, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, person_id uuid, finding_id uuid, state text, basis text, definition text)
ORDER BY person_id
""")
