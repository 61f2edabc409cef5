"""The runs of the last days, what each has come to, and how the positive control drifts."""

from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, stdev
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.interpretation import lowest_ct, rule_in_force
from lims.domain.lifecycle import RunState
from lims.work.matched import stored_readings


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the list."""

    plate: str
    state: RunState
    verdict_why: str | None
    instrument: str | None
    created_at: datetime
    created_by: str
    measured_at: datetime | None
    judged_at: datetime | None
    samples: int
    answered: int
    positive: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Positive-control Ct of the last runs, oldest first, with two standard deviations (cycles)."""

    points: tuple[tuple[str, float], ...]
    low: float
    high: float


_RUNS = text("""
SELECT r.plate, r.state, r.verdict_why, i.name AS instrument, r.created_at, r.created_by,
       r.measured_at, r.judged_at,
       (SELECT count(*) FROM well w WHERE w.run_id = r.id AND w.role = 'specimen') AS samples,
       (SELECT count(*) FROM measurement m WHERE m.run_id = r.id AND m.role = 'specimen'
        AND m.standing IN ('matched', 'held')) AS answered,
       (SELECT count(*) FROM result x WHERE x.run_id = r.id AND x.current
        AND x.outcome = 'detected') AS positive
FROM run r LEFT JOIN instrument i ON i.id = r.instrument_id
WHERE r.site_id = :site AND (r.created_at >= :since OR r.state IN ('planned', 'measuring', 'held'))
ORDER BY r.state IN ('planned', 'measuring', 'held') DESC, r.created_at DESC, r.id DESC
LIMIT :most
""")

_CONTROLS = text("""
SELECT r.plate, m.targets
FROM (
    SELECT id, plate, created_at FROM run
    WHERE site_id = :site AND assay_code = :assay AND measured_at IS NOT NULL
      AND judged_at IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT :most
) r
JOIN measurement m ON m.run_id = r.id AND m.role = 'positive_control' AND m.standing = 'control'
ORDER BY r.created_at DESC, r.id DESC
""")

_ORDER = (
    RunState.HELD,
    RunState.MEASURING,
    RunState.PLANNED,
    RunState.INVALID,
    RunState.VALID,
)


def runs(
    session: Session, *, site_id: UUID, since: datetime, most: int = 200
) -> tuple[RunLine, ...]:
    """Those that wait for somebody first, then the newest."""
    rows = session.execute(_RUNS, {"site": site_id, "since": since, "most": most})
    lines = [RunLine(**{**row._mapping, "state": RunState(row.state)}) for row in rows]
    return tuple(sorted(lines, key=lambda line: _ORDER.index(line.state)))


def control_drift(session: Session, *, site_id: UUID, assay: str, most: int = 20) -> Drift | None:
    """Levey-Jennings over the last runs; None before three have been judged.

    A plate with several positive controls is one point, their mean.

    Source: Levey & Jennings, Am. J. Clin. Pathol. 20 (1950) 1059-1066: mean and two standard
    deviations of a control, run by run.
    """
    rule = rule_in_force(assay)
    by_run: dict[str, list[float]] = {}
    for row in session.execute(_CONTROLS, {"site": site_id, "assay": assay, "most": most}):
        ct = lowest_ct(rule, stored_readings(row.targets))
        if ct is not None:
            by_run.setdefault(row.plate, []).append(ct)
    points = [(plate, fmean(cts)) for plate, cts in by_run.items()]
    if len(points) < 3:
        return None
    values = [ct for _, ct in points]
    mean, spread = fmean(values), 2 * stdev(values)
    return Drift(tuple(reversed(points)), mean - spread, mean + spread)
