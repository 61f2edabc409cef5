"""Whom to ring now, about which cases, and what the calls of late came to. Nobody's name but that
of who is rung: a case is its code and how long it waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.escalation import Reached
from lims.work.voice import TO_RING, Reader

SHOWN: Final = 12
MOST_TEAMS: Final = 40
LATEST: Final = 30
QUIET: Final = timedelta(minutes=15)
"""So long after a team was reached, or said that it calls back, it is not rung again."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a team. ``place``: on call first or second; 0: not on call, or its own line."""

    contact_id: UUID | None
    name: str | None
    phone: str
    place: int
    tried: int
    wrong: bool


@dataclass(frozen=True, slots=True)
class LastCall:
    """The last call to a team about what it has to be rung for."""

    outcome: Reached
    name: str | None
    at: datetime
    by: str
    note: str | None


@dataclass(frozen=True, slots=True)
class TeamToRing:
    """A team, what it is to be rung about, and its numbers, the one to try next first.

    ``quiet``: cases of which it was spoken with; they come back when nobody claims them.
    """

    team_id: UUID
    team: str
    since: datetime
    cases: int
    shown: Sequence[UUID]
    quiet: int
    again_at: datetime | None
    numbers: Sequence[Number]
    last: LastCall | None


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call that was made."""

    team: str
    name: str | None
    phone: str
    outcome: Reached
    note: str | None
    cases: int
    at: datetime
    by: str


_TEAMS = text(
    f"""
    WITH {TO_RING},
    spoken AS (
        SELECT r.*, l.outcome, l.at AS called_at,
               l.outcome IS NULL OR l.outcome IN ('no_answer', 'wrong_number')
               OR l.at <= :quiet_since AS due
        FROM to_ring r LEFT JOIN LATERAL (
            SELECT c.outcome, c.at FROM voice_call_case x JOIN voice_call c ON c.id = x.call_id
            WHERE x.case_id = r.case_id AND c.team_id = r.team_id AND c.at >= r.since
            ORDER BY c.at DESC, c.id DESC LIMIT 1) l ON true)
    SELECT s.team_id, t.name AS team, t.phone, min(s.since) AS since,
           min(s.at) AS asked_at, count(*) FILTER (WHERE s.due) AS cases,
           (array_agg(s.case_id ORDER BY s.since, s.case_id) FILTER (WHERE s.due))[1:{SHOWN}]
               AS shown,
           count(*) FILTER (WHERE NOT s.due) AS quiet,
           min(s.called_at) FILTER (WHERE NOT s.due) AS spoken_at
    FROM spoken s JOIN team t ON t.id = s.team_id
    GROUP BY s.team_id, t.name, t.phone
    ORDER BY count(*) FILTER (WHERE s.due) = 0, min(s.since) FILTER (WHERE s.due),
             count(*) DESC, t.name
    LIMIT {MOST_TEAMS}
    """  # noqa: S608 - put together from constants of these files
)

_NUMBERS = text("""
SELECT k.team_id, k.id AS contact_id, k.name, k.phone, coalesce(d.place, 0) AS place,
       coalesce(v.tried, 0) AS tried, coalesce(w.wrong, false) AS wrong
FROM contact k
LEFT JOIN LATERAL (SELECT min(d.place) AS place FROM duty d
                   WHERE d.contact_id = k.id AND d.starts_at <= :now AND d.ends_at > :now) d ON true
LEFT JOIN LATERAL (SELECT count(*) AS tried FROM voice_call c
                   WHERE c.contact_id = k.id AND c.at >= :since) v ON true
LEFT JOIN LATERAL (SELECT c.outcome = 'wrong_number' AS wrong FROM voice_call c
                   WHERE c.contact_id = k.id AND c.phone = k.phone
                   ORDER BY c.at DESC, c.id DESC LIMIT 1) w ON true
WHERE k.team_id = ANY(:teams) AND k.left_at IS NULL
UNION ALL
SELECT t.id, NULL, NULL, t.phone, 0,
       (SELECT count(*) FROM voice_call c
        WHERE c.team_id = t.id AND c.contact_id IS NULL AND c.at >= :since),
       coalesce((SELECT c.outcome = 'wrong_number' FROM voice_call c
                 WHERE c.team_id = t.id AND c.contact_id IS NULL AND c.phone = t.phone
                 ORDER BY c.at DESC, c.id DESC LIMIT 1), false)
FROM team t WHERE t.id = ANY(:teams) AND t.phone IS NOT NULL
""")

_NAMED = text(
    f"""
    WITH {TO_RING}
    SELECT DISTINCT ON (n.team_id) n.team_id, n.contact_id
    FROM named n WHERE n.contact_id IS NOT NULL AND n.at <= :as_of
    ORDER BY n.team_id, n.at DESC
    """  # noqa: S608 - put together from constants of these files
)

_LAST = text("""
SELECT DISTINCT ON (c.team_id) c.team_id, c.outcome, k.name, c.at, c.by, c.note
FROM voice_call c LEFT JOIN contact k ON k.id = c.contact_id
WHERE c.team_id = ANY(:teams) AND c.at >= :since
ORDER BY c.team_id, c.at DESC, c.id DESC
""")

_LATEST = text("""
SELECT t.name AS team, k.name, c.phone, c.outcome, c.note, c.at, c.by,
       (SELECT count(*) FROM voice_call_case x WHERE x.call_id = c.id) AS cases
FROM voice_call c JOIN team t ON t.id = c.team_id LEFT JOIN contact k ON k.id = c.contact_id
WHERE c.site_id = :site AND (:everything OR EXISTS (
    SELECT FROM voice_call_case x JOIN notice n ON n.case_id = x.case_id
    JOIN subscription b ON b.id = n.subscription_id
    WHERE x.call_id = c.id AND b.team_id = :reader))
ORDER BY c.at DESC, c.id DESC LIMIT :limit
""")


def to_ring(
    session: Session, reader: Reader, *, site_id: UUID, now: datetime
) -> Sequence[TeamToRing]:
    """Those to be rung now, who waits longest first; then those that were spoken with."""
    about = _about(reader, site_id, now)
    rows = session.execute(_TEAMS, about | {"quiet_since": now - QUIET}).all()
    if not rows:
        return []
    teams = [row.team_id for row in rows]
    since = min(row.asked_at for row in rows)
    asked = {"teams": teams, "now": now, "since": since}
    named = {row.team_id: row.contact_id for row in session.execute(_NAMED, about)}
    last = {row.team_id: row for row in session.execute(_LAST, asked)}
    numbers: dict[UUID, list[Number]] = {team: [] for team in teams}
    for row in session.execute(_NUMBERS, asked):
        numbers[row.team_id].append(
            Number(row.contact_id, row.name, row.phone, row.place, row.tried, row.wrong)
        )
    return [_team(row, numbers[row.team_id], named, last) for row in rows]


def how_many(session: Session, reader: Reader, *, site_id: UUID, now: datetime) -> int:
    """How many teams are to be rung now, for the board."""
    rows = session.execute(_TEAMS, _about(reader, site_id, now) | {"quiet_since": now - QUIET})
    return sum(1 for row in rows if row.cases)


def latest_calls(session: Session, reader: Reader, *, site_id: UUID) -> Sequence[CallLine]:
    """What was rung of late, newest first."""
    about = {
        "site": site_id,
        "everything": reader.everything,
        "reader": reader.team_id,
        "limit": LATEST,
    }
    return [
        CallLine(
            row.team,
            row.name,
            row.phone,
            Reached(row.outcome),
            row.note,
            row.cases,
            row.at,
            row.by,
        )
        for row in session.execute(_LATEST, about)
    ]


def _about(reader: Reader, site_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "site": site_id,
        "everything": reader.everything,
        "reader": reader.team_id,
        "as_of": now,
    }


def _team(
    row: Row[Any],
    numbers: list[Number],
    named: Mapping[UUID, UUID],
    last: Mapping[UUID, Row[Any]],
) -> TeamToRing:
    wanted = named.get(row.team_id)

    def turn(one: Number) -> tuple[bool, int, bool, int, str]:
        """Not the wrong ones; who was rung least; whom the roster's step named; who is on call,
        first before second; the team's line before those at home."""
        rank = one.place or (3 if one.contact_id is None else 4)
        return one.wrong, one.tried, not wanted or one.contact_id != wanted, rank, one.name or ""

    spoken = last.get(row.team_id)
    return TeamToRing(
        team_id=row.team_id,
        team=row.team,
        since=row.since,
        cases=row.cases,
        shown=row.shown or [],
        quiet=row.quiet,
        again_at=row.spoken_at + QUIET if row.spoken_at else None,
        numbers=sorted(numbers, key=turn),
        last=LastCall(Reached(spoken.outcome), spoken.name, spoken.at, spoken.by, spoken.note)
        if spoken
        else None,
    )
