"""Pools as the bench sees them: what waits for a pool, what each pool waits for, who is in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.assigning import Risk, WaitingTube
from lims.work.views.tube_story import Sign

CONTACT_DAYS: Final = 14  # that a case of the household makes its people contacts


class Stand(StrEnum):
    """Where a pool stands, in the order a person should look."""

    DISCORDANT = "discordant"
    RESOLVING = "resolving"
    UNREADABLE = "unreadable"
    HELD = "held"
    PLATED = "plated"
    QUEUED = "queued"
    RESOLVED = "resolved"
    NEGATIVE = "negative"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RackLine:
    """Tubes of one campaign that wait for a pool."""

    campaign_id: UUID
    campaign: str
    pool_size: int
    tubes: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One pool in the list."""

    barcode: str
    kind: TubeKind
    created_at: datetime
    people: int
    stand: Stand
    ct_cycles: float | None
    plate: str | None
    positive: int
    negative: int
    waiting: int
    since: datetime
    master: str | None


@dataclass(frozen=True, slots=True)
class PoolMember:
    """One source of a laboratory pool, or one person of a field pool."""

    barcode: str
    position: int
    person_id: UUID
    people: int
    name: str
    birth_year: int | None
    household: str | None
    area: str | None
    sign: Sign
    status: str | None
    ct_cycles: float | None
    decided_at: datetime | None
    released_by: str | None
    order_state: str | None
    order_why: str | None
    order_since: datetime | None
    plate: str | None
    well: str | None
    recollect: bool
    case_id: UUID | None


_MEMBERS = """
CROSS JOIN LATERAL (
    SELECT count(*) AS people,
           count(*) FILTER (WHERE f.outcome = 'positive') AS positive,
           count(*) FILTER (WHERE f.outcome = 'negative') AS negative,
           count(*) FILTER (WHERE f.outcome = 'discordant') AS discordant,
           count(*) FILTER (WHERE f.outcome IS NULL
                            OR (f.outcome IN ('preliminary', 'presumptive', 'inconclusive')
                                AND NOT EXISTS (
                                SELECT FROM recollection rc
                                WHERE rc.specimen_id = ts.specimen_id AND rc.state = 'done')))
             AS unsettled
    FROM tube_specimen ts
    LEFT JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current
    WHERE ts.tube_id = t.id
) m
"""

_POOLS = f"""
SELECT t.id, t.barcode, t.kind, t.state, t.created_at, t.received_at,
       m.people, m.positive, m.negative, m.discordant, m.unsettled,
       o.state AS order_state, o.created_at AS order_at, run.plate,
       r.outcome, r.ct_cycles, r.created_at AS result_at, r.held,
       (SELECT barcode FROM tube WHERE id = t.master_id) AS master,
       EXISTS (SELECT FROM result d WHERE d.tube_id = t.id AND d.outcome = 'detected'
               AND d.current) AS detected
FROM tube t
{_MEMBERS} LEFT JOIN LATERAL (
    SELECT id, state, created_at FROM test_order WHERE tube_id = t.id ORDER BY round DESC LIMIT 1
) o ON true
LEFT JOIN well w ON w.order_id = o.id
LEFT JOIN run ON run.id = w.run_id
LEFT JOIN LATERAL (
    SELECT outcome, ct_cycles, created_at, held FROM result
    WHERE tube_id = t.id AND current ORDER BY created_at DESC, id DESC LIMIT 1
) r ON true
"""  # noqa: S608 - built from this file's own words

_SINCE = """
WHERE t.site_id = :site AND t.kind <> 'individual' AND t.state <> 'collected'
  AND t.master_id IS NULL AND t.created_at >= :since
"""
_WAITS = "(t.state <> 'rejected' AND (m.unsettled > 0 OR m.discordant > 0))"
_WAITING = text(_POOLS + _SINCE + f" AND {_WAITS} ORDER BY t.created_at, t.id LIMIT :most")
_ANSWERED = text(
    _POOLS + _SINCE + f" AND NOT {_WAITS} ORDER BY t.created_at DESC, t.id DESC LIMIT :most"
)
_HOW_MANY = text(
    f"""
SELECT count(*) AS pools, count(*) FILTER (WHERE {_WAITS}) AS waiting
FROM tube t {_MEMBERS} {_SINCE}
"""  # noqa: S608 - built from this file's own words
)
_ONE = text(_POOLS + " WHERE t.site_id = :site AND t.barcode = :barcode AND t.kind <> 'individual'")

_RACK = text("""
SELECT c.id AS campaign_id, c.name AS campaign, c.pool_size, count(*) AS tubes,
       min(t.received_at) AS oldest_at
FROM tube t JOIN campaign c ON c.id = t.campaign_id
WHERE t.site_id = :site AND t.awaits_pool
GROUP BY c.id ORDER BY min(t.received_at)
""")

_OLDEST_WAITING = text("""
SELECT t.barcode, t.received_at, t.assay_code, s.material, s.person_id, p.household_id,
       h.label AS household,
       EXISTS (SELECT FROM person q JOIN f0_case c ON c.person_id = q.id
               WHERE (q.household_id = p.household_id OR q.id = p.id)
                 AND c.state IN ('presumptive', 'confirmed') AND c.opened_at >= :since) AS contact
FROM (
    SELECT id, barcode, received_at, assay_code FROM tube
    WHERE site_id = :site AND awaits_pool AND campaign_id = :campaign
    ORDER BY received_at, id LIMIT :most
) t
JOIN tube_specimen ts ON ts.tube_id = t.id
JOIN specimen s ON s.id = ts.specimen_id
JOIN person p ON p.id = s.person_id
LEFT JOIN household h ON h.id = p.household_id
ORDER BY t.received_at, t.id
""")

_MEMBER = """
SELECT {barcode} AS barcode, {position} AS position, p.id AS person_id,
       (SELECT count(*) FROM tube_specimen n WHERE n.tube_id = {tube}) AS people,
       p.name, p.birth_year, h.label AS household, home.full_name AS area,
       coalesce(f.outcome, 'waiting') AS sign, f.status, f.ct_cycles,
       coalesce(f.released_at, f.created_at) AS decided_at, f.released_by,
       o.state AS order_state, o.why AS order_why, o.created_at AS order_since,
       run.plate, w.position AS well,
       EXISTS (SELECT FROM recollection rc WHERE rc.specimen_id = s.id AND rc.state = 'open')
         AS recollect,
       (SELECT c.id FROM f0_case c WHERE c.person_id = p.id
        AND c.state IN ('presumptive', 'confirmed') LIMIT 1) AS case_id
FROM {members}
JOIN specimen s ON s.id = ts.specimen_id
JOIN person p ON p.id = s.person_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
LEFT JOIN LATERAL (
    SELECT id, state, why, created_at FROM test_order
    WHERE tube_id = {tube} AND {own} ORDER BY round DESC LIMIT 1
) o ON true
LEFT JOIN well w ON w.order_id = o.id
LEFT JOIN run ON run.id = w.run_id
ORDER BY position, s.id
"""

_SOURCES = text(
    _MEMBER.format(  # the words are this file's own
        barcode="t.barcode",
        position="src.position",
        tube="t.id",
        own="true",
        members="tube_source src JOIN tube t ON t.id = src.source_id AND src.pool_id = :pool"
        " JOIN tube_specimen ts ON ts.tube_id = t.id",
    )
)
_PEOPLE = text(
    _MEMBER.format(
        barcode="t.barcode",
        position="0",
        tube="t.id",
        own="false",
        members="tube t JOIN tube_specimen ts ON ts.tube_id = t.id AND t.id = :pool",
    )
)


def rack(session: Session, *, site_id: UUID) -> tuple[RackLine, ...]:
    """What waits for a pool, campaign by campaign, the oldest first."""
    rows = session.execute(_RACK, {"site": site_id})
    return tuple(RackLine(**row._mapping) for row in rows)


def oldest_waiting(
    session: Session, campaign_id: UUID, *, site_id: UUID, now: datetime, most: int = 200
) -> list[WaitingTube]:
    """The campaign's tubes that wait for a pool, the oldest first: whose they are, and of whom.

    Somebody whose household has a case of the last 14 days is a contact.
    """
    rows = session.execute(
        _OLDEST_WAITING,
        {
            "site": site_id,
            "campaign": campaign_id,
            "most": most,
            "since": now - timedelta(days=CONTACT_DAYS),
        },
    )
    return [
        WaitingTube(
            barcode=row.barcode,
            person_id=row.person_id,
            received_at=row.received_at,
            household_id=row.household_id,
            household=row.household,
            risk=Risk.CONTACT if row.contact else Risk.USUAL,
            kept_apart=(campaign_id, row.assay_code, row.material),
        )
        for row in rows
    ]


def waiting_pools(
    session: Session, *, site_id: UUID, since: datetime, most: int = 150
) -> tuple[PoolLine, ...]:
    """Pools with somebody in them who has no answer: what needs a person first, then the oldest."""
    rows = session.execute(_WAITING, {"site": site_id, "since": since, "most": most})
    order = list(Stand)
    lines = [_line(row._mapping) for row in rows]
    return tuple(sorted(lines, key=lambda line: (order.index(line.stand), line.since)))


def answered_pools(
    session: Session, *, site_id: UUID, since: datetime, most: int = 60
) -> tuple[PoolLine, ...]:
    """Pools in which everybody has an answer, the newest first."""
    rows = session.execute(_ANSWERED, {"site": site_id, "since": since, "most": most})
    return tuple(_line(row._mapping) for row in rows)


def how_many(session: Session, *, site_id: UUID, since: datetime) -> tuple[int, int]:
    """How many pools wait and how many are answered."""
    row = session.execute(_HOW_MANY, {"site": site_id, "since": since}).one()
    return row.waiting, row.pools - row.waiting


def pool(session: Session, barcode: str, *, site_id: UUID) -> PoolLine | None:
    """One pool by its stored barcode, or None when no pool carries it."""
    row = session.execute(_ONE, {"site": site_id, "barcode": barcode}).one_or_none()
    return None if row is None else _line(row._mapping)


def members(session: Session, tube_id: UUID, kind: TubeKind) -> tuple[PoolMember, ...]:
    """Everybody in the pool; a laboratory pool's by source tube, in pipetting order."""
    query = _SOURCES if kind is TubeKind.LAB_POOL else _PEOPLE
    return tuple(
        PoolMember(**{**row._mapping, "sign": Sign(row.sign)})
        for row in session.execute(query, {"pool": tube_id})
    )


def _line(row: RowMapping) -> PoolLine:
    stand = _stand(row)
    if stand in {Stand.QUEUED, Stand.PLATED}:
        since = row["order_at"]
    else:
        since = row["result_at"] or row["received_at"] or row["created_at"]
    return PoolLine(
        barcode=row["barcode"],
        kind=TubeKind(row["kind"]),
        created_at=row["created_at"],
        people=row["people"],
        stand=stand,
        ct_cycles=row["ct_cycles"],
        plate=row["plate"],
        positive=row["positive"],
        negative=row["negative"],
        waiting=row["unsettled"],
        since=since,
        master=row["master"],
    )


def _stand(row: RowMapping) -> Stand:  # noqa: PLR0911 - one word for each way a pool can stand
    if row["state"] == "rejected":
        return Stand.REJECTED
    if row["discordant"]:
        return Stand.DISCORDANT
    if row["held"]:
        return Stand.HELD
    if row["detected"]:
        return Stand.RESOLVING if row["unsettled"] else Stand.RESOLVED
    if row["order_state"] == "plated":
        return Stand.PLATED
    if row["outcome"] in ("invalid", "inconclusive"):
        return Stand.UNREADABLE if row["unsettled"] else Stand.RESOLVED
    if row["outcome"] == "not_detected":
        return Stand.NEGATIVE
    return Stand.QUEUED
