"""Cases whose evidence was taken away: withdrawn, rested on what is left, or taken up again.

Of everybody at once: a recall takes the ground from under hundreds of cases in one statement each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.lifecycle import CASE_MOVES, CaseState, move
from lims.domain.outcomes import Basis, FindingOutcome, NoticeKind
from lims.tables import F0Case
from lims.work.strip_evidence import Standing, standings_of
from lims.work.tell import CaseNews

CONFIRMED_BY_STRIPS: Final = frozenset(
    {Basis.ANTIGEN_CONTACT, Basis.ANTIGEN_SUSPECT, Basis.ANTIGEN_TWICE}
)
"""A definition said that these strips are enough: what PCR says later, or takes back, neither
withdraws such a case nor makes it another; a disagreement shows in the lot's discordance."""


@dataclass(frozen=True, slots=True)
class _Rests:
    """A case as it stands, or is to stand."""

    case_id: UUID
    person_id: UUID
    finding_id: UUID
    state: CaseState
    basis: Basis
    definition: str


def without(
    session: Session, people: Collection[UUID], *, site_id: UUID, now: datetime
) -> list[CaseNews]:
    """Withdraw these people's cases when nothing carries them any more, or rest them on what is
    left; who was told of a case that lost its ground hears so.

    Whether the word that came instead is final is not asked: a positive goes only by a reviewer's
    own act (a correction accepted, a run recalled, a swab given to another person), and a case
    that stands on evidence which a reviewer took away stands on nothing, whatever comes next.
    """
    if not people:
        return []
    session.flush()
    rows = session.execute(_CASES, {"people": sorted(people)}).all()
    strips = standings_of(session, [row.person_id for row in rows], site_id=site_id)
    carried = _carriers(session, rows)
    changed: list[tuple[_Rests, bool]] = []
    for row in rows:
        was = _Rests(
            row.id,
            row.person_id,
            row.finding_id,
            CaseState(row.state),
            Basis(row.basis),
            row.definition,
        )
        rests = _rests(was, strips.get(row.person_id), carried.get(row.id))
        if rests != was:
            left = carried.get(row.id)
            elsewhere = left is not None and left.specimen_id != row.specimen_id
            told = (rests.state, rests.basis) != (was.state, was.basis) or elsewhere
            changed.append((rests, told))
    return _write(session, changed, now)


def take_up_unrefuted(
    session: Session, swabs: Collection[UUID], *, now: datetime
) -> list[CaseNews]:
    """A rapid positive's case that was closed *not confirmed* by the PCR of one of these swabs is
    presumptive again: that negative was taken back, and isolation must not rest on it.

    A person with a live case, or whose strip counts no more, is left alone.
    """
    if not swabs:
        return []
    session.flush()
    rows = session.execute(_REFUTED_BY, {"swabs": sorted(swabs)}).all()
    again = [
        _Rests(
            row.id,
            row.person_id,
            row.finding_id,
            move(CASE_MOVES, CaseState.NOT_CONFIRMED, CaseState.PRESUMPTIVE, what=f"case {row.id}"),
            Basis(row.basis),
            row.definition,
        )
        for row in rows
    ]
    return _write(session, [(one, True) for one in again], now)


def _rests(was: _Rests, strips: Standing | None, left: Row[Any] | None) -> _Rests:
    """Where a case rests once some of its evidence is gone. Raises IllegalMove."""
    if was.basis in CONFIRMED_BY_STRIPS and strips is not None and strips.judgement.confirms:
        return _on_strips(was, strips, was.state)
    if left is None:
        return _on(was, was.finding_id, CaseState.WITHDRAWN, was.basis)
    if left.outcome != FindingOutcome.PRESUMPTIVE or was.basis == left.basis:
        return _on(was, left.id, was.state, was.basis)
    return _fall_back(was, left.id, Basis(left.basis), strips)


def _fall_back(was: _Rests, finding_id: UUID, basis: Basis, strips: Standing | None) -> _Rests:
    """Only rapid tests or a pool's rows and columns are left under the case: it is presumptive,
    unless a definition confirms by strips alone."""
    confirms = strips is not None and strips.judgement.confirms
    if strips is not None and confirms and basis is not Basis.POOLED_PRESUMPTIVE:
        closed = was.state is CaseState.CLOSED
        return _on_strips(was, strips, CaseState.CLOSED if closed else CaseState.CONFIRMED)
    state = CaseState.PRESUMPTIVE if was.state is CaseState.CONFIRMED else was.state
    return _on(was, finding_id, state, basis)


def _on_strips(was: _Rests, strips: Standing, state: CaseState) -> _Rests:
    judged = strips.judgement
    return _Rests(
        was.case_id,
        was.person_id,
        strips.finding_id,
        _moved(was, state),
        judged.basis,
        judged.definition,
    )


def _on(was: _Rests, finding_id: UUID, state: CaseState, basis: Basis) -> _Rests:
    return _Rests(was.case_id, was.person_id, finding_id, _moved(was, state), basis, was.definition)


def _moved(was: _Rests, wanted: CaseState) -> CaseState:
    if wanted is was.state:
        return wanted
    return move(CASE_MOVES, was.state, wanted, what=f"case {was.case_id}")


def _carriers(session: Session, cases: Sequence[Row[Any]]) -> Mapping[UUID, Row[Any]]:
    """The strongest finding that is left under each case."""
    about = {
        "cases": [row.id for row in cases],
        "people": [row.person_id for row in cases],
        "swabs": [row.specimen_id for row in cases],
    }
    return {row.case_id: row for row in session.execute(_CARRIERS, about)}


def _write(
    session: Session, changed: Iterable[tuple[_Rests, bool]], now: datetime
) -> list[CaseNews]:
    """Store them, and say what is told; what only rests on more of the same is not."""
    told = {one.case_id: (one, is_told) for one, is_told in changed}
    if not told:
        return []
    rows = [
        {
            "id": one.case_id,
            "finding_id": one.finding_id,
            "state": one.state,
            "basis": one.basis,
            "definition": one.definition,
            "told": is_told,
        }
        for one, is_told in told.values()
    ]
    kept = session.execute(_KEEP, {"rows": rows_as_json(rows), "now": now}).all()
    for case in list(session.identity_map.values()):
        if isinstance(case, F0Case) and case.id in told:
            session.expire(case)
    return [
        CaseNews(
            row.id,
            row.person_id,
            NoticeKind.CASE_CORRECTED,
            row.sequence,
            CaseState(row.state),
            Basis(row.basis),
        )
        for row in sorted(kept, key=lambda row: row.person_id)
        if told[row.id][1]
    ]


# In the order of people, as every verb takes their cases; only the latest of each can be lost.
_CASES = text("""
SELECT c.id, c.person_id, c.finding_id, c.state, c.basis, c.definition, f.specimen_id
FROM f0_case c JOIN finding f ON f.id = c.finding_id
WHERE c.person_id = ANY(:people) AND c.state IN ('presumptive', 'confirmed', 'closed')
  AND NOT EXISTS (SELECT FROM f0_case o WHERE o.person_id = c.person_id
                  AND o.state IN ('presumptive', 'confirmed', 'closed')
                  AND (o.opened_at, o.id) > (c.opened_at, c.id))
ORDER BY c.person_id FOR NO KEY UPDATE OF c
""")

# What still carries a person's case, the strongest first. A rapid test counts until its PCR swab
# (rapid_pcr.py) has said yes, or no for good; that answer's loss revives it.
_CARRIERS = text("""
SELECT g.case_id, f.id, f.outcome, f.specimen_id, f.basis
FROM unnest(cast(:cases AS uuid[]), cast(:people AS uuid[]), cast(:swabs AS uuid[]))
     AS g(case_id, person_id, swab)
CROSS JOIN LATERAL (
    SELECT f.id, f.outcome, f.specimen_id,
           CASE WHEN EXISTS (SELECT FROM rapid_test rt WHERE rt.specimen_id = f.specimen_id)
                THEN 'antigen_presumptive' ELSE 'pooled_presumptive' END AS basis
    FROM finding f
    WHERE f.person_id = g.person_id AND f.current AND (
        f.outcome = 'positive'
        OR f.outcome = 'discordant' AND f.specimen_id = g.swab
        OR f.outcome = 'presumptive' AND NOT EXISTS (
           SELECT FROM rapid_test rt
           JOIN finding a ON a.specimen_id = rt.pcr_specimen_id AND a.current
                         AND (a.outcome = 'positive'
                              OR a.outcome = 'negative' AND a.status IN ('F', 'C'))
           WHERE rt.specimen_id = f.specimen_id))
    ORDER BY array_position(ARRAY['positive', 'discordant', 'presumptive'], f.outcome),
             f.created_at DESC, f.id LIMIT 1
) f
""")

_REFUTED_BY = text("""
SELECT c.id, c.person_id, s.id AS finding_id, c.basis, c.definition
FROM rapid_test r
JOIN finding s ON s.specimen_id = r.specimen_id AND s.current AND s.outcome = 'presumptive'
JOIN f0_case c ON c.person_id = s.person_id AND c.state = 'not_confirmed'
JOIN finding f ON f.id = c.finding_id AND f.specimen_id = r.specimen_id
WHERE r.pcr_specimen_id = ANY(:swabs)
  AND NOT EXISTS (SELECT FROM finding a WHERE a.specimen_id = r.pcr_specimen_id AND a.current
                  AND a.outcome = 'negative' AND a.status IN ('F', 'C'))
  AND NOT EXISTS (SELECT FROM f0_case o WHERE o.person_id = c.person_id AND (
      o.state IN ('presumptive', 'confirmed')
      OR o.state = 'not_confirmed' AND (o.opened_at, o.id) > (c.opened_at, c.id)))
ORDER BY c.person_id FOR NO KEY UPDATE OF c
""")

_KEEP = text("""
UPDATE f0_case c SET finding_id = g.finding_id, state = g.state, basis = g.basis,
       definition = g.definition,
       ended_by_id = CASE WHEN g.state = 'closed' THEN c.ended_by_id END,
       reopened_at = CASE WHEN g.state IN ('presumptive', 'confirmed')
                           AND c.state NOT IN ('presumptive', 'confirmed')
                          THEN :now ELSE c.reopened_at END,
       sequence = c.sequence + g.told::int,
       changed_at = CASE WHEN g.told THEN :now ELSE c.changed_at END
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, finding_id uuid, state text, basis text, definition text, told boolean)
WHERE c.id = g.id RETURNING c.id, c.person_id, c.sequence, c.state, c.basis
""")
