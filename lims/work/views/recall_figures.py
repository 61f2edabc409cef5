"""What depends on a recall: results, people, cases, notices, slips, and what is left to test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.recall_scope import Covered

MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class RecallFigures:
    """Counts. ``findings`` by outcome and ``cases`` by state; ``told`` are notices of those cases,
    ``teams`` those who were told. ``tubes_again`` go back to the queue, of ``tubes_spent`` nothing
    is left to test, ``reswabs`` are people of rapid tests who gave no PCR swab."""

    runs: int = 0
    results: int = 0
    rapid_tests: int = 0
    people: int = 0
    findings: Mapping[str, int] | None = None
    cases: Mapping[str, int] | None = None
    claimed: int = 0
    told: int = 0
    teams: int = 0
    slips: int = 0
    tubes_again: int = 0
    tubes_spent: int = 0
    reswabs: int = 0

    @property
    def all_cases(self) -> int:
        return sum((self.cases or {}).values())

    @property
    def nothing(self) -> bool:
        """Nothing of it counts (any more)."""
        return not (self.runs or self.results or self.rapid_tests)


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run that would be invalid."""

    run_id: UUID
    plate: str
    instrument: str | None
    measured_at: datetime | None
    results: int
    detected: int


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case that would lose its ground, and who was told of it. No name: the plate is recalled,
    not the person."""

    case_id: UUID
    state: str
    basis: str
    opened_at: datetime
    team: str | None
    claimed_at: datetime | None
    told: int


# The findings that rest on the results; with the cases that they carry, had ended, or had refuted.
_RESTING: Final = """
WITH gone AS (
    SELECT r.id, r.tube_id FROM result r WHERE r.id = ANY(:results)
), resting AS (
    SELECT DISTINCT f.id, f.specimen_id, f.person_id, f.outcome, f.released_at
    FROM (SELECT DISTINCT ts.specimen_id FROM gone JOIN tube_specimen ts
          ON ts.tube_id = gone.tube_id) s
    JOIN finding f ON f.specimen_id = s.specimen_id AND f.current
    CROSS JOIN LATERAL unnest(f.evidence) e(id)
    JOIN gone ON gone.id = e.id
    UNION ALL
    SELECT f.id, f.specimen_id, f.person_id, f.outcome, f.released_at
    FROM finding f WHERE f.specimen_id = ANY(:strips) AND f.current
), concerned AS (
    SELECT c.id, c.state, c.basis, c.opened_at FROM resting
    JOIN f0_case c ON c.finding_id = resting.id AND c.state IN ('presumptive', 'confirmed',
                                                                'closed')
    UNION
    SELECT c.id, c.state, c.basis, c.opened_at FROM resting
    JOIN f0_case c ON c.person_id = resting.person_id AND c.ended_by_id = resting.id
    UNION
    SELECT c.id, c.state, c.basis, c.opened_at FROM resting
    JOIN rapid_test r ON r.pcr_specimen_id = resting.specimen_id AND resting.outcome = 'negative'
    JOIN finding s ON s.specimen_id = r.specimen_id
    JOIN f0_case c ON c.finding_id = s.id AND c.state = 'not_confirmed'
)
"""

_COUNTED = text(
    f"""{_RESTING}
SELECT (SELECT count(DISTINCT person_id) FROM resting) AS people,
       (SELECT jsonb_object_agg(outcome, n) FROM (
            SELECT outcome, count(*) AS n FROM resting GROUP BY outcome) o) AS findings,
       (SELECT jsonb_object_agg(state, n) FROM (
            SELECT state, count(*) AS n FROM concerned GROUP BY state) c) AS cases,
       (SELECT count(*) FROM concerned c
        JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL) AS claimed,
       (SELECT count(*) FROM concerned c JOIN notice n ON n.case_id = c.id) AS told,
       (SELECT count(DISTINCT b.team_id) FROM concerned c JOIN notice n ON n.case_id = c.id
        JOIN subscription b ON b.id = n.subscription_id) AS teams,
       (SELECT count(DISTINCT s.id) FROM resting
        JOIN finding o ON o.specimen_id = resting.specimen_id AND o.person_id = resting.person_id
         AND o.outcome = resting.outcome AND o.released_at = resting.released_at
        JOIN slip s ON s.finding_id = o.id) AS slips
"""  # noqa: S608 - put together from constants of this file
)

_TUBES = text("""
SELECT count(*) FILTER (WHERE again) AS again, count(*) FILTER (WHERE NOT again) AS spent
FROM (
    SELECT t.state = 'received' AND (t.volume_ul IS NULL
           OR t.volume_ul - tube_drawn_ul(t.id, s.test_draw_ul) >= s.test_draw_ul) AS again
    FROM tube t JOIN site s ON s.id = t.site_id
    WHERE t.id IN (
        SELECT w.tube_id FROM well w JOIN run r ON r.id = w.run_id AND r.id = ANY(:runs)
        UNION SELECT r.tube_id FROM result r WHERE r.id = ANY(:results))
) tubes
""")

_RESWABS = text("""
SELECT count(*) FROM rapid_test r WHERE r.specimen_id = ANY(:strips)
  AND r.outcome <> 'invalid' AND NOT EXISTS (
    SELECT FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
     AND t.state IN ('collected', 'received')
    WHERE ts.specimen_id = r.pcr_specimen_id)
""")

_RUNS = text("""
SELECT r.id AS run_id, r.plate, i.name AS instrument, r.measured_at,
       count(q.id) AS results, count(q.id) FILTER (WHERE q.outcome = 'detected') AS detected
FROM run r LEFT JOIN instrument i ON i.id = r.instrument_id
LEFT JOIN result q ON q.run_id = r.id AND q.current
WHERE r.id = ANY(:runs) GROUP BY r.id, i.name ORDER BY r.created_at, r.id LIMIT :most
""")

_CASES = text(
    f"""{_RESTING}
SELECT c.id AS case_id, c.state, c.basis, c.opened_at, t.name AS team, k.claimed_at,
       (SELECT count(*) FROM notice n WHERE n.case_id = c.id) AS told
FROM concerned c
LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
LEFT JOIN team t ON t.id = k.team_id
ORDER BY k.claimed_at NULLS LAST, c.opened_at, c.id LIMIT :most
"""  # noqa: S608 - put together from constants of this file
)


def figures_of(session: Session, found: Covered) -> RecallFigures:
    """What stands on it at this moment."""
    about = _about(found)
    counted = session.execute(_COUNTED, about).one()
    tubes = session.execute(_TUBES, about).one()
    return RecallFigures(
        runs=len(found.runs),
        results=len(found.results),
        rapid_tests=len(found.strips),
        people=counted.people,
        findings=counted.findings or {},
        cases=counted.cases or {},
        claimed=counted.claimed,
        told=counted.told,
        teams=counted.teams,
        slips=counted.slips,
        tubes_again=tubes.again,
        tubes_spent=tubes.spent,
        reswabs=session.execute(_RESWABS, about).scalar_one(),
    )


def runs_of(session: Session, found: Covered) -> Sequence[RunSeen]:
    """Its runs, the oldest first."""
    return [RunSeen(**row._mapping) for row in session.execute(_RUNS, _about(found))]


def cases_of(session: Session, found: Covered) -> Sequence[CaseSeen]:
    """Its cases, those that somebody works on first."""
    return [CaseSeen(**row._mapping) for row in session.execute(_CASES, _about(found))]


def _about(found: Covered) -> dict[str, Any]:
    return {
        "runs": list(found.runs),
        "results": list(found.results),
        "strips": list(found.strips),
        "most": MOST_LISTED,
    }
