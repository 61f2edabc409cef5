"""The newest comparison of each destination: what it took, what it has, and each difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.exchange import MENDED_BY_FETCHING, MENDED_BY_SENDING, ComparisonState, Gap

MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class GapLine:
    """One record. ``barcode`` is the tube's; a rapid test has none, nor has a stranger. ``place``
    and ``day`` where it is a commune's figures; ``code`` where somebody declared it, and any
    version of it was ever taken."""

    record: UUID
    barcode: str | None
    place: str | None
    day: date | None
    code: str | None
    gap: Gap
    ours: int | None
    theirs: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """``counts`` by kind of gap; ``shown`` the first of them."""

    comparison_id: UUID
    state: ComparisonState
    since: datetime
    until: datetime
    asked_at: datetime
    ended_at: datetime | None
    told: int | None
    held: int | None
    said: str | None
    counts: Mapping[Gap, int]
    shown: tuple[GapLine, ...]

    @property
    def gaps(self) -> int:
        return sum(self.counts.values())

    @property
    def to_send(self) -> int:
        """What sending it once more may mend."""
        return sum(many for gap, many in self.counts.items() if gap in MENDED_BY_SENDING)

    @property
    def to_fetch(self) -> int:
        """What fetching it once more may mend."""
        return sum(many for gap, many in self.counts.items() if gap in MENDED_BY_FETCHING)


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Of one destination: the newest that came to an end, and one that is under way."""

    ended: Compared | None = None
    open_since: datetime | None = None
    open_said: str | None = None


_NEWEST = text("""
SELECT d.id AS destination_id, c.id, c.state, c.since, c.until, c.asked_at, c.ended_at, c.told,
       c.held, c.said, o.asked_at AS open_since, o.said AS open_said,
       (SELECT jsonb_object_agg(g.gap, g.many)
        FROM (SELECT gap, count(*) AS many FROM comparison_gap
              WHERE comparison_id = c.id GROUP BY gap) g) AS counts
FROM destination d
LEFT JOIN LATERAL (SELECT * FROM comparison WHERE destination_id = d.id AND state <> 'asked'
                   ORDER BY asked_at DESC, id DESC LIMIT 1) c ON true
LEFT JOIN comparison o ON o.destination_id = d.id AND o.state = 'asked'
WHERE d.site_id = :site AND (c.id IS NOT NULL OR o.id IS NOT NULL)
""")

_GAPS = text("""
SELECT g.comparison_id, g.subject_id, g.gap, g.ours, g.theirs, t.barcode, u.full_name AS place,
       n.day, w.code
FROM unnest(cast(:comparisons AS uuid[])) AS asked(id) CROSS JOIN LATERAL (
    SELECT * FROM comparison_gap WHERE comparison_id = asked.id
    ORDER BY gap, subject_id LIMIT :most) g
LEFT JOIN LATERAL (
    SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
    WHERE ts.specimen_id = g.subject_id AND t.kind <> 'lab_pool' LIMIT 1) t ON true
LEFT JOIN area_day n ON n.id = g.subject_id
LEFT JOIN area u ON u.scheme = n.area_scheme AND u.code = n.area_code
LEFT JOIN comparison c ON c.id = g.comparison_id
LEFT JOIN declaration w ON w.destination_id = c.destination_id AND w.subject_id = g.subject_id
ORDER BY g.gap, g.subject_id
""")


def newest_comparisons(
    session: Session, site_id: UUID, *, most: int = MOST_SHOWN
) -> Mapping[UUID, Comparisons]:
    """By destination; two statements. ``most``: gaps shown of each."""
    rows = session.execute(_NEWEST, {"site": site_id}).all()
    ended = [row.id for row in rows if row.id is not None]
    shown: dict[UUID, list[GapLine]] = {}
    for row in session.execute(_GAPS, {"comparisons": ended, "most": most}):
        line = GapLine(
            row.subject_id,
            row.barcode,
            row.place,
            row.day,
            row.code,
            Gap(row.gap),
            row.ours,
            row.theirs,
        )
        shown.setdefault(row.comparison_id, []).append(line)
    return {
        row.destination_id: Comparisons(
            _compared(row, shown.get(row.id, ())) if row.id is not None else None,
            row.open_since,
            row.open_said,
        )
        for row in rows
    }


def _compared(row: Row[Any], shown: Sequence[GapLine]) -> Compared:
    return Compared(
        comparison_id=row.id,
        state=ComparisonState(row.state),
        since=row.since,
        until=row.until,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        told=row.told,
        held=row.held,
        said=row.said,
        counts={Gap(gap): many for gap, many in (row.counts or {}).items()},
        shown=tuple(shown),
    )
