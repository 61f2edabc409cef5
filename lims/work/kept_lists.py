"""Lists that were taken: the same file again while it is kept, and gone afterwards."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import ListExpired, NotFound
from lims.domain.tracing_lists import ListForm, ListKind
from lims.work.audit import record

_MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks: their own lists, and those that a standing order made for their team. Whoever
    oversees sees every team's; the laboratory's own copies stay with whoever may read them."""

    by: str
    team_id: UUID | None
    everything: bool
    for_laboratory: bool


@dataclass(frozen=True, slots=True)
class KeptList:
    """One line about a list; nobody who is on it."""

    list_id: UUID
    kind: ListKind
    form: ListForm
    team: str | None
    place: str | None
    from_day: date | None
    to_day: date | None
    since: datetime | None
    cases: int
    for_laboratory: bool
    taken_by_name: str
    taken_at: datetime
    expires_at: datetime
    kept: bool
    scheduled: bool


_SEEN: Final = """
    l.site_id = :site AND (NOT l.for_laboratory OR :laboratory)
    AND (l.taken_by = :by OR :everything OR l.schedule_id IS NOT NULL AND l.team_id = :team)
"""
_LISTS = text(f"""
SELECT l.id, l.kind, l.form, t.name AS team, coalesce(a.full_name, z.name) AS place, l.from_day,
       l.to_day, l.since, l.cases, l.for_laboratory, l.taken_by_name, l.taken_at, l.expires_at,
       l.file IS NOT NULL AND l.expires_at > :now AS kept, l.schedule_id IS NOT NULL AS scheduled
FROM tracing_list l
LEFT JOIN team t ON t.id = l.team_id
LEFT JOIN area a ON a.scheme = l.area_scheme AND a.code = l.area_code
LEFT JOIN zone z ON z.id = l.zone_id
WHERE {_SEEN}
ORDER BY l.taken_at DESC, l.id LIMIT :most
""")  # noqa: S608 - put together from constants of this file
_FILE = text(f"""
SELECT l.form, l.taken_at, l.cases,
       CASE WHEN l.expires_at > :now THEN l.file END AS file
FROM tracing_list l WHERE l.id = :list AND {_SEEN}
""")  # noqa: S608 - put together from constants of this file
_EXPIRE = text("""
UPDATE tracing_list SET file = NULL, gone_at = :now
WHERE file IS NOT NULL AND expires_at <= :now RETURNING id, site_id, team_id
""")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The bytes as they were drawn."""

    form: ListForm
    taken_at: datetime
    file: bytes


def kept_lists(session: Session, reader: Reader, *, site_id: UUID, now: datetime) -> list[KeptList]:
    """The latest fifty that the reader may know of, those that are gone too."""
    found = session.execute(_LISTS, {**_values(reader, site_id, now), "most": _MOST_SHOWN})
    return [
        KeptList(
            row.id,
            ListKind(row.kind),
            ListForm(row.form),
            row.team,
            row.place,
            row.from_day,
            row.to_day,
            row.since,
            row.cases,
            row.for_laboratory,
            row.taken_by_name,
            row.taken_at,
            row.expires_at,
            row.kept,
            row.scheduled,
        )
        for row in found
    ]


def fetch_list(
    session: Session, list_id: UUID, reader: Reader, *, site_id: UUID, now: datetime
) -> KeptFile:
    """The file again, recorded. Raises NotFound, ListExpired."""
    row = session.execute(_FILE, {**_values(reader, site_id, now), "list": list_id}).one_or_none()
    if row is None:
        raise NotFound(came=str(list_id), where="lists")
    if row.file is None:
        raise ListExpired(came=str(list_id), where="lists")
    record(
        session,
        site_id=site_id,
        actor=reader.by,
        verb="positive-list-fetched",
        subject=str(list_id),
        now=now,
        cases=row.cases,
    )
    return KeptFile(ListForm(row.form), row.taken_at, bytes(row.file))


def expire_lists(session: Session, *, now: datetime) -> int:
    """Files whose time is over are gone; that there was a list stays."""
    gone = session.execute(_EXPIRE, {"now": now}).all()
    for row in gone:
        record(
            session,
            site_id=row.site_id,
            actor="rule:expiry",
            verb="positive-list-expired",
            subject=str(row.id),
            now=now,
        )
    return len(gone)


def _values(reader: Reader, site_id: UUID, now: datetime) -> dict[str, object]:
    return {
        "site": site_id,
        "now": now,
        "by": reader.by,
        "team": reader.team_id,
        "everything": reader.everything,
        "laboratory": reader.for_laboratory,
    }
