"""How it stands with each platform that people declare themselves to: what came, and what could
not be read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.declarations import EntryFault
from lims.domain.exchange import PULLED
from lims.work.views.comparisons import Comparisons, newest_comparisons

MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class FaultSaid:
    """One reason, and where in the entry it stands (a JSON pointer)."""

    at: str
    fault: EntryFault


@dataclass(frozen=True, slots=True)
class EntryUnread:
    """An entry that was not taken, as it came, and every reason."""

    fault_id: UUID
    subject_id: UUID | None
    version: int | None
    entry: str
    faults: tuple[FaultSaid, ...]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class CommuneCame:
    """A declaration from a commune that none of today is meant by; its people are expected."""

    code: str
    commune: str
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """One platform. ``expected`` have not come, ``came`` have; ``pulled_at`` is its last answer.
    ``forgotten``: declarations that became too old to be kept."""

    destination_id: UUID
    name: str
    address: str
    stopped_at: datetime | None
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    pulled_at: datetime | None
    declared: int
    withdrawn: int
    forgotten: int
    expected: int
    came: int
    unread: int
    elsewhere: int
    wanted: int
    faults: tuple[EntryUnread, ...]
    communes: tuple[CommuneCame, ...]
    compared: Comparisons


_LINES = text("""
SELECT d.id, d.name, d.address, d.stopped_at, d.failing_since, d.next_attempt_at, d.last_error,
       d.answered_at AS pulled_at, n.declared, n.withdrawn, n.forgotten, n.elsewhere,
       p.expected, p.came, f.unread, w.wanted
FROM destination d
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'declared') AS declared,
           count(*) FILTER (WHERE state = 'withdrawn' AND forgotten_at IS NULL) AS withdrawn,
           count(forgotten_at) AS forgotten,
           count(commune_came) AS elsewhere
    FROM declaration WHERE destination_id = d.id) n
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.id IS NULL) AS expected, count(s.id) AS came
    FROM declared_person p JOIN declaration o ON o.id = p.declaration_id
    LEFT JOIN specimen s ON s.id = p.specimen_id WHERE o.destination_id = d.id) p
CROSS JOIN LATERAL (
    SELECT count(*) AS unread FROM declaration_fault
    WHERE destination_id = d.id AND settled_at IS NULL) f
CROSS JOIN LATERAL (
    SELECT count(DISTINCT g.subject_id) AS wanted
    FROM comparison c JOIN comparison_gap g ON g.comparison_id = c.id AND g.wanted
    WHERE c.destination_id = d.id) w
WHERE d.site_id = :site AND d.kind = ANY(:kinds) ORDER BY d.stopped_at IS NOT NULL, d.name
""")

_FAULTS = text("""
SELECT f.* FROM destination d CROSS JOIN LATERAL (
    SELECT * FROM declaration_fault WHERE destination_id = d.id AND settled_at IS NULL
    ORDER BY seen_at DESC, id LIMIT :most) f
WHERE d.site_id = :site AND d.kind = ANY(:kinds) ORDER BY f.seen_at DESC, f.id
""")

_COMMUNES = text("""
SELECT c.* FROM destination d CROSS JOIN LATERAL (
    SELECT destination_id, code, commune_came, declared_at FROM declaration
    WHERE destination_id = d.id AND commune_came IS NOT NULL
    ORDER BY declared_at DESC, id LIMIT :most) c
WHERE d.site_id = :site AND d.kind = ANY(:kinds) ORDER BY c.declared_at DESC, c.code
""")


def declaration_platforms(session: Session, site_id: UUID) -> list[PlatformLine]:
    """Those in use first, by name."""
    about = {"site": site_id, "kinds": sorted(PULLED)}
    faults: dict[UUID, list[EntryUnread]] = {}
    for row in session.execute(_FAULTS, about | {"most": MOST_SHOWN}):
        faults.setdefault(row.destination_id, []).append(_unread(row))
    communes: dict[UUID, list[CommuneCame]] = {}
    for row in session.execute(_COMMUNES, about | {"most": MOST_SHOWN}):
        came = CommuneCame(row.code, row.commune_came, row.declared_at)
        communes.setdefault(row.destination_id, []).append(came)
    compared = newest_comparisons(session, site_id)
    lines = []
    for row in session.execute(_LINES, about):
        said = dict(row._mapping)
        of_it: UUID = said.pop("id")
        lines.append(
            PlatformLine(
                destination_id=of_it,
                faults=tuple(faults.get(of_it, ())),
                communes=tuple(communes.get(of_it, ())),
                compared=compared.get(of_it, Comparisons()),
                **said,
            )
        )
    return lines


def _unread(row: Row[Any]) -> EntryUnread:
    said = tuple(FaultSaid(one["at"], EntryFault[one["fault"]]) for one in row.faults)
    return EntryUnread(row.id, row.subject_id, row.version, row.entry, said, row.seen_at)
