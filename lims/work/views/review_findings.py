"""The findings that wait for a reviewer, page by page, each with its evidence and its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.signing import seen_of
from lims.domain.verification import Hold
from lims.work.views.review_messages import Readings, said_of

MOST: Final = 50
_MOST_RUNS: Final = 8

# What is no more than a positive needs no second look at its row before it is ticked.
_PLAIN: Final = frozenset({Hold.POSITIVE})


@dataclass(frozen=True, slots=True)
class WaitingFinding:
    """A person's finding that is not final, with why; ``seen`` is what its form carries."""

    finding_id: UUID
    seen: str
    person_id: UUID
    name: str
    birth_year: int | None
    area: str | None
    barcode: str | None
    ct_cycles: float | None
    since: datetime
    plate: str | None
    well: str | None
    why: str | None
    rule: str
    reading_rule: str | None
    readings: Readings | None
    pool: str | None
    pool_ct: float | None
    case_id: UUID | None
    holds: tuple[Hold, ...]
    conflict: bool
    signed_by: str | None
    signed_at: datetime | None

    @property
    def plain(self) -> bool:
        """Nothing about it is unusual, and nobody has signed it yet."""
        return _PLAIN.issuperset(self.holds) and not self.conflict and self.signed_by is None


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which finding the next page begins."""

    since: datetime
    finding_id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the waiting findings: of one outcome, and perhaps of one reason or one run."""

    outcome: str
    hold: Hold | None = None
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The longest wait first; ``after`` is where the next page begins, if there is one.

    ``many``: how many there are in all. ``by_hold`` and ``by_run`` count the
    whole queue, whatever part of it is shown.
    """

    items: tuple[WaitingFinding, ...]
    many: int
    after: Cursor | None
    by_hold: Mapping[Hold, int]
    by_run: tuple[tuple[str, int], ...]


_WHICH = """f.site_id = :site AND f.current AND f.status = 'P' AND f.outcome = :outcome
  AND (cast(:hold AS text) IS NULL OR cast(:hold AS text) = ANY(f.holds))
  AND (cast(:plate AS text) IS NULL OR f.evidence && ARRAY(
       SELECT r.id FROM result r JOIN run ON run.id = r.run_id WHERE run.plate = :plate))"""

# The page is cut before anything is joined to it.
_PAGE = text(f"""
WITH f AS MATERIALIZED (
    SELECT f.* FROM finding f WHERE {_WHICH}
      AND (f.created_at, f.id) > (coalesce(cast(:since AS timestamptz), '-infinity'),
           coalesce(cast(:after AS uuid), '00000000-0000-0000-0000-000000000000'))
    ORDER BY f.created_at, f.id LIMIT :most
)
SELECT f.id AS finding_id, p.id AS person_id, p.name, p.birth_year, home.full_name AS area,
       t.barcode, f.ct_cycles, f.created_at AS since, run.plate, m.well, res.why, f.rule,
       res.rule AS reading_rule, m.targets, m.call, m.error, m.received_at, m.flags,
       m.measured_text, rm.captured_at, rm.clock_ahead_s, pool.barcode AS pool,
       pr.ct_cycles AS pool_ct, f.holds, f.signed_by, f.signed_at,
       p.identity_conflict IS NOT NULL AS conflict,
       (SELECT c.id FROM f0_case c WHERE c.person_id = p.id
        AND c.state IN ('presumptive', 'confirmed') LIMIT 1) AS case_id
FROM f
JOIN person p ON p.id = f.person_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN LATERAL (
    SELECT tube.id, tube.barcode FROM tube_specimen ts JOIN tube ON tube.id = ts.tube_id
    WHERE ts.specimen_id = f.specimen_id AND tube.kind <> 'lab_pool' LIMIT 1
) t ON true
LEFT JOIN result res ON res.id = f.evidence[1]
LEFT JOIN measurement m ON m.id = res.measurement_id
LEFT JOIN raw_message rm ON rm.id = m.message_id
LEFT JOIN run ON run.id = res.run_id
LEFT JOIN tube_source src ON src.source_id = t.id
LEFT JOIN tube pool ON pool.id = src.pool_id
LEFT JOIN LATERAL (
    SELECT ct_cycles FROM result WHERE tube_id = pool.id AND current AND outcome = 'detected'
    ORDER BY created_at DESC LIMIT 1
) pr ON true
ORDER BY f.created_at, f.id
""")  # noqa: S608 - the part put in is this file's own

_MANY = text(f"SELECT count(*) FROM finding f WHERE {_WHICH}")  # noqa: S608 - as above

_BY_HOLD = text("""
SELECT h.hold, count(*) AS many FROM finding f CROSS JOIN LATERAL unnest(f.holds) h(hold)
WHERE f.site_id = :site AND f.current AND f.status = 'P' AND f.outcome = :outcome
GROUP BY h.hold
""")

_BY_RUN = text("""
SELECT run.plate, count(*) AS many FROM finding f
JOIN result r ON r.id = f.evidence[1] JOIN run ON run.id = r.run_id
WHERE f.site_id = :site AND f.current AND f.status = 'P' AND f.outcome = :outcome
GROUP BY run.plate ORDER BY many DESC, run.plate LIMIT :most
""")


def waiting_findings(
    session: Session, wanted: Wanted, *, site_id: UUID, after: Cursor | None = None
) -> Page:
    """One page of them."""
    about = {
        "site": site_id,
        "outcome": wanted.outcome,
        "hold": wanted.hold,
        "plate": wanted.plate,
        "since": after.since if after else None,
        "after": after.finding_id if after else None,
        "most": MOST + 1,
    }
    rows = session.execute(_PAGE, about).all()
    items = tuple(map(_finding, rows[:MOST]))
    last = items[-1] if len(rows) > MOST else None
    runs = session.execute(_BY_RUN, about | {"most": _MOST_RUNS})
    return Page(
        items=items,
        many=session.execute(_MANY, about).scalar_one(),
        after=Cursor(last.since, last.finding_id) if last else None,
        by_hold={Hold(row.hold): row.many for row in session.execute(_BY_HOLD, about)},
        by_run=tuple((row.plate, row.many) for row in runs),
    )


def _finding(row: Row[Any]) -> WaitingFinding:
    return WaitingFinding(
        finding_id=row.finding_id,
        seen=seen_of(signed_by=row.signed_by, holds=row.holds, identity_open=row.conflict),
        person_id=row.person_id,
        name=row.name,
        birth_year=row.birth_year,
        area=row.area,
        barcode=row.barcode,
        ct_cycles=row.ct_cycles,
        since=row.since,
        plate=row.plate,
        well=row.well,
        why=row.why,
        rule=row.rule,
        reading_rule=row.reading_rule,
        readings=None if row.targets is None else said_of(row),
        pool=row.pool,
        pool_ct=row.pool_ct,
        case_id=row.case_id,
        holds=tuple(Hold(hold) for hold in row.holds),
        conflict=row.conflict,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
    )


@dataclass(frozen=True, slots=True)
class Autoverified:
    """What one version released by itself since midnight."""

    rule: str
    many: int


_AUTOVERIFIED = text("""
SELECT rule, count(*) AS many FROM finding
WHERE site_id = :site AND current AND created_at >= :day_start AND released_by = rule
GROUP BY rule ORDER BY many DESC, rule
""")


def autoverified(session: Session, *, site_id: UUID, day_start: datetime) -> list[Autoverified]:
    """By rule, the busiest first."""
    rows = session.execute(_AUTOVERIFIED, {"site": site_id, "day_start": day_start})
    return [Autoverified(row.rule, row.many) for row in rows]


_NAMES = text("""
SELECT f.id, p.name FROM finding f JOIN person p ON p.id = f.person_id
WHERE f.id = ANY(:ids) AND f.site_id = :site
""")


def names_of(session: Session, findings: list[UUID], *, site_id: UUID) -> Mapping[UUID, str]:
    """Whose findings these are."""
    rows = session.execute(_NAMES, {"ids": findings, "site": site_id})
    return {row.id: row.name for row in rows}
