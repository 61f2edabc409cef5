"""Racks as the door sees them: what could be handed over, what is scanned, what was missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound


class Standing(StrEnum):
    """How one line of a rack stands now, what needs somebody first."""

    UNREGISTERED = "unregistered"
    REJECTED = "rejected"
    OTHER_RACK = "other_rack"
    UNLISTED = "unlisted"
    RECEIVED_BEFORE = "received_before"
    MISSING = "missing"
    CAME_APART = "came_apart"  # on the list, not scanned here, and in the laboratory all the same
    HERE = "here"


SURPLUS = frozenset(Standing) - {Standing.MISSING, Standing.CAME_APART, Standing.HERE}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Tubes of one desk, campaign and day that are on the way."""

    by: str
    campaign_id: UUID | None
    campaign: str | None
    day: datetime
    tubes: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class RackHead:
    """One rack in the list, with its figures; ``missed`` were missing when it was closed."""

    rack_id: UUID
    sender: str
    created_at: datetime
    created_by: str
    closed_at: datetime | None
    closed_by: str | None
    listed: int
    here: int
    missing: int
    surplus: int
    missed: int


@dataclass(frozen=True, slots=True)
class RackLine:
    """One tube of a rack. ``missing``: it was when the rack was closed."""

    barcode: str
    position: str | None
    standing: Standing
    collected_at: datetime | None
    scanned_at: datetime | None
    received_at: datetime | None
    missing: bool


@dataclass(frozen=True, slots=True)
class RackPage:
    """One rack, line by line: the last scan first, then the list in its order."""

    head: RackHead
    lines: tuple[RackLine, ...]

    def standing(self, *wanted: Standing) -> Sequence[RackLine]:
        """The lines that stand so."""
        return [line for line in self.lines if line.standing in wanted]


_STANDS = """
CASE WHEN r.verdict IS NOT NULL THEN r.verdict
     WHEN t.state <> 'collected' THEN 'came_apart'
     ELSE 'missing' END
"""

_HEADS = f"""
SELECT k.id AS rack_id, k.sender, k.created_at, k.created_by, k.closed_at, k.closed_by,
       n.listed, n.here, n.missing, n.surplus, n.missed
FROM rack k CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.listed) AS listed,
           count(*) FILTER (WHERE s.listed AND s.stands IN ('here', 'came_apart')) AS here,
           count(*) FILTER (WHERE s.stands = 'missing') AS missing,
           count(*) FILTER (WHERE s.stands NOT IN ('here', 'came_apart', 'missing')) AS surplus,
           count(*) FILTER (WHERE s.missed) AS missed
    FROM (
        SELECT r.listed, r.missing AS missed, {_STANDS} AS stands
        FROM rack_tube r LEFT JOIN tube t ON t.id = r.tube_id WHERE r.rack_id = k.id
    ) s
) n
"""  # noqa: S608 - built from this file's own words

_LIST = text(
    _HEADS
    + " WHERE k.site_id = :site AND (k.closed_at IS NULL OR k.created_at >= :since)"
    + " ORDER BY k.closed_at IS NOT NULL, k.created_at DESC, k.id DESC LIMIT :most"
)
_ONE = text(_HEADS + " WHERE k.site_id = :site AND k.id = :rack")
_LINES = text(
    f"""
SELECT r.barcode, r.position, {_STANDS} AS standing, t.created_at AS collected_at, r.scanned_at,
       t.received_at, r.missing
FROM rack_tube r LEFT JOIN tube t ON t.id = r.tube_id
WHERE r.rack_id = :rack ORDER BY r.scanned_at DESC NULLS LAST, t.created_at, r.barcode
"""  # noqa: S608 - built from this file's own words
)

_OUTGOING = text("""
SELECT t.created_by AS by, t.campaign_id, c.name AS campaign,
       date_trunc('day', t.created_at, cast(:zone AS text)) AS day, count(*) AS tubes,
       min(t.created_at) AS oldest_at
FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id
WHERE t.site_id = :site AND t.state = 'collected' AND t.created_at >= :since
GROUP BY 1, 2, 3, 4 ORDER BY min(t.created_at) LIMIT :most
""")


def outgoing(
    session: Session, *, site_id: UUID, since: datetime, zone: str, most: int = 40
) -> tuple[Outgoing, ...]:
    """What desks registered and is still out, by desk, campaign and day; the oldest first."""
    values = {"site": site_id, "since": since, "zone": zone, "most": most}
    return tuple(Outgoing(**row._mapping) for row in session.execute(_OUTGOING, values))


def racks(
    session: Session, *, site_id: UUID, since: datetime, most: int = 100
) -> tuple[RackHead, ...]:
    """Those that are being scanned first, then the newest."""
    values = {"site": site_id, "since": since, "most": most}
    return tuple(RackHead(**row._mapping) for row in session.execute(_LIST, values))


def rack_page(session: Session, rack_id: UUID, *, site_id: UUID) -> RackPage:
    """One rack. Raises NotFound."""
    head = session.execute(_ONE, {"site": site_id, "rack": rack_id}).one_or_none()
    if head is None:
        raise NotFound(came=str(rack_id), where="racks")
    lines = session.execute(_LINES, {"rack": rack_id})
    return RackPage(
        RackHead(**head._mapping),
        tuple(RackLine(**{**row._mapping, "standing": Standing(row.standing)}) for row in lines),
    )
