"""What the laboratory's door sees: what is on the way, what came in, and where it goes next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind, TubeState


class Step(StrEnum):
    """Where a tube that came in is put down."""

    POOL = "pool"
    RUN = "run"
    POOLED = "pooled"
    DONE = "done"
    REJECTED = "rejected"
    DOOR = "door"


@dataclass(frozen=True, slots=True)
class DoorTube:
    """One tube as the door knows it."""

    barcode: str
    kind: TubeKind
    state: TubeState
    people: int
    collected_at: datetime
    received_at: datetime | None
    rejected_at: datetime | None
    reject_reason: str | None
    step: Step
    queued: int


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """Registered and not here yet."""

    tubes: int
    oldest_at: datetime | None
    late: tuple[DoorTube, ...]


_TUBE = """
SELECT t.barcode, t.kind, t.state, t.created_at AS collected_at, t.received_at, t.rejected_at,
       t.reject_reason,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS people,
       (SELECT count(*) FROM test_order o WHERE o.tube_id = t.id AND o.state = 'queued') AS queued,
       CASE
           WHEN t.state = 'rejected' THEN 'rejected'
           WHEN t.state = 'collected' THEN 'door'
           WHEN EXISTS (SELECT FROM tube_source s WHERE s.source_id = t.id) THEN 'pooled'
           WHEN EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id
                        AND o.state IN ('queued', 'plated')) THEN 'run'
           WHEN EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id) THEN 'done'
           WHEN t.kind = 'individual' AND coalesce(c.pool_size, 1) > 1 THEN 'pool'
           ELSE 'run'
       END AS step
FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id
"""

_LAST = text(
    _TUBE
    + """
WHERE t.site_id = :site AND t.received_by = :by AND t.received_at >= :since
ORDER BY t.received_at DESC, t.id DESC LIMIT :most
"""
)
_ONE = text(_TUBE + " WHERE t.site_id = :site AND t.barcode = :barcode")
_LATE = text(
    _TUBE
    + """
WHERE t.site_id = :site AND t.state = 'collected' AND t.created_at < :limit
ORDER BY t.created_at, t.id LIMIT :most
"""
)


def door_tube(session: Session, barcode: str, *, site_id: UUID) -> DoorTube | None:
    """One tube by its stored barcode, or None."""
    row = session.execute(_ONE, {"site": site_id, "barcode": barcode}).one_or_none()
    return None if row is None else _tube(row._mapping)


def last_received(
    session: Session, *, site_id: UUID, by: str, since: datetime, most: int = 12
) -> tuple[DoorTube, ...]:
    """The last tubes this person scanned in, the newest first."""
    rows = session.execute(_LAST, {"site": site_id, "by": by, "since": since, "most": most})
    return tuple(_tube(row._mapping) for row in rows)


def on_the_way(
    session: Session, *, site_id: UUID, late_before: datetime, most: int = 50
) -> OnTheWay:
    """How many tubes are out, since when, and those that are out too long."""
    out = session.execute(
        text(
            "SELECT count(*) AS tubes, min(created_at) AS oldest FROM tube"
            " WHERE site_id = :site AND state = 'collected'"
        ),
        {"site": site_id},
    ).one()
    late = session.execute(_LATE, {"site": site_id, "limit": late_before, "most": most})
    return OnTheWay(out.tubes, out.oldest, tuple(_tube(row._mapping) for row in late))


def _tube(row: RowMapping) -> DoorTube:
    return DoorTube(
        **{
            **row,
            "kind": TubeKind(row["kind"]),
            "state": TubeState(row["state"]),
            "step": Step(row["step"]),
        }
    )
