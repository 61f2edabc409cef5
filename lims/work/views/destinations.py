"""How it stands with other systems: what each is owed, took and refused, and what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.asking import ASKS
from lims.domain.exchange import COMPARES, PULLED, WANT_FINDINGS, DestinationKind, Says
from lims.work.owe_findings import LIVES_THERE
from lims.work.views.comparisons import Comparisons, newest_comparisons

MOST_REFUSED = 50
MOST_MISSING = 10_000


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that its destination will never take as it is. ``place`` and ``day`` where it is a
    commune's figures."""

    barcode: str | None
    place: str | None
    day: date | None
    says: Says
    answer: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class DestinationLine:
    """One other system. ``missing``: final words of its people that were never owed to it."""

    destination_id: UUID
    name: str
    kind: DestinationKind
    address: str
    area: str | None
    stopped_at: datetime | None
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    answered_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    taken: int
    dead: int
    missing: int
    refused: tuple[Refused, ...]
    compared: Comparisons

    @property
    def compares(self) -> bool:
        """Whether it can say what it has of what it took."""
        return self.kind in COMPARES

    @property
    def tells_figures(self) -> bool:
        """Whether it is told of communes, and not of people."""
        return self.kind not in WANT_FINDINGS

    @property
    def owed(self) -> int:
        """All that was ever owed: what was taken, what waits and what was refused."""
        return self.taken + self.waiting + self.dead


_LINES = text("""
SELECT d.*, concat_ws(', ', u.full_name, up.name) AS area,
       coalesce(o.waiting, 0) AS waiting, o.waiting_since, coalesce(o.taken, 0) AS taken,
       coalesce(o.dead, 0) AS dead
FROM destination d
LEFT JOIN area u ON u.scheme = d.area_scheme AND u.code = d.area_code
LEFT JOIN area up ON up.scheme = u.scheme AND up.code = u.parent_code
LEFT JOIN (
    SELECT destination_id, count(*) FILTER (WHERE state = 'owed') AS waiting,
           min(created_at) FILTER (WHERE state = 'owed') AS waiting_since,
           count(*) FILTER (WHERE state = 'delivered') AS taken,
           count(*) FILTER (WHERE state = 'dead') AS dead
    FROM outbound GROUP BY destination_id) o ON o.destination_id = d.id
WHERE d.site_id = :site AND d.kind = ANY(:kinds) ORDER BY d.stopped_at IS NOT NULL, d.name
""")

_REFUSED = text("""
SELECT o.destination_id, o.says, o.answer, o.sent_at, t.barcode, u.full_name AS place, n.day
FROM destination d CROSS JOIN LATERAL (
    SELECT * FROM outbound WHERE destination_id = d.id AND state = 'dead'
    ORDER BY sent_at DESC LIMIT :most) o
LEFT JOIN LATERAL (
    SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
    WHERE ts.specimen_id = o.subject_id AND t.kind <> 'lab_pool' LIMIT 1) t ON true
LEFT JOIN area_day n ON o.kind = 'area-day' AND n.id = o.subject_id
LEFT JOIN area u ON u.scheme = n.area_scheme AND u.code = n.area_code
WHERE d.site_id = :site ORDER BY o.sent_at DESC
""")

_KINDS = ", ".join(f"'{kind}'" for kind in sorted(WANT_FINDINGS))
_MISSING = f"""
FROM destination d
LEFT JOIN area w ON w.scheme = d.area_scheme AND w.code = d.area_code
JOIN finding f ON f.site_id = d.site_id AND f.current AND f.status IN ('F', 'C')
 AND f.released_at >= d.created_at
JOIN person p ON p.id = f.person_id
WHERE d.site_id = :site AND d.kind IN ({_KINDS}) AND {LIVES_THERE}
  AND NOT EXISTS (SELECT FROM outbound o WHERE o.subject_id = f.specimen_id
                  AND o.destination_id = d.id)
"""
_HOW_MANY_MISSING = text(f"SELECT d.id, count(*) AS many {_MISSING} GROUP BY d.id")
_MISSING_OF = text(
    f"SELECT f.specimen_id {_MISSING} AND d.id = :destination ORDER BY f.specimen_id LIMIT :most"
)


def destinations(session: Session, site_id: UUID) -> list[DestinationLine]:
    """Those that are told something: in use first, by name."""
    about = {"site": site_id, "kinds": sorted(set(DestinationKind) - PULLED - set(ASKS))}
    refused: dict[UUID, list[Refused]] = {}
    for row in session.execute(_REFUSED, about | {"most": MOST_REFUSED}):
        one = Refused(
            row.barcode, row.place, row.day, Says(row.says), row.answer or "", row.sent_at
        )
        refused.setdefault(row.destination_id, []).append(one)
    missing = {row.id: row.many for row in session.execute(_HOW_MANY_MISSING, about)}
    compared = newest_comparisons(session, site_id)
    return [
        DestinationLine(
            destination_id=row.id,
            name=row.name,
            kind=DestinationKind(row.kind),
            address=row.address,
            area=row.area or None,
            stopped_at=row.stopped_at,
            failing_since=row.failing_since,
            next_attempt_at=row.next_attempt_at,
            last_error=row.last_error,
            answered_at=row.answered_at,
            waiting=row.waiting,
            waiting_since=row.waiting_since,
            taken=row.taken,
            dead=row.dead,
            missing=missing.get(row.id, 0),
            refused=tuple(refused.get(row.id, ())),
            compared=compared.get(row.id, Comparisons()),
        )
        for row in session.execute(_LINES, about)
    ]


def missing_of(session: Session, destination_id: UUID, *, site_id: UUID) -> Sequence[UUID]:
    """Swabs whose final word was never owed to it, while it was stopped say; at most 10,000."""
    found = session.execute(
        _MISSING_OF,
        {
            "site": site_id,
            "destination": destination_id,
            "most": MOST_MISSING,
        },
    )
    return list(found.scalars())
