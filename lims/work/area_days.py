"""Figures of communes by day for other systems: counted from what is committed, then owed.

Nothing of this is in a result's transaction: whoever sends looks from time to time which days were
touched, counts those anew, and owes each figure that differs from the one told last. A figure that
was not sent yet gives way to its successor.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.exchange import DestinationKind
from lims.work.owe_findings import CHANNEL, LIVES_THERE

_TURN: Final = 0x61726561  # "area": one process counts at a time


@dataclass(frozen=True, slots=True)
class Since:
    """From when on changes are looked at: of rows whose time is the database's own, and of cases,
    whose time is the laboratory's."""

    rows: datetime
    cases: datetime


def told_of_areas(session: Session, *, site_id: UUID) -> frozenset[UUID]:
    """The destinations in use that want figures."""
    found = session.execute(
        text(
            "SELECT id FROM destination"
            " WHERE site_id = :site AND kind = :kind AND stopped_at IS NULL"
        ),
        {"site": site_id, "kind": DestinationKind.AREA_FIGURES},
    )
    return frozenset(found.scalars())


def my_turn(session: Session) -> bool:
    """Whether nobody else counts, until this transaction ends."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _TURN}))


def database_clock(session: Session) -> datetime:
    at: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return at


def last_change(session: Session, *, site_id: UUID) -> datetime | None:
    """When a figure changed last, by the database's clock."""
    at: datetime | None = session.scalar(
        text("SELECT max(changed_at) FROM area_day WHERE site_id = :site"), {"site": site_id}
    )
    return at


def touched_days(
    session: Session, since: Since, *, first: date, timezone: str, site_id: UUID
) -> Sequence[date]:
    """Days whose figures may be others now: a word, a case or somebody's address changed."""
    about = {
        "site": site_id,
        "rows": since.rows,
        "cases": since.cases,
        "first": first,
        "zone": timezone,
    }
    return list(session.execute(_TOUCHED, about).scalars())


_TOUCHED = text("""
SELECT DISTINCT day FROM (
    SELECT (s.collected_at AT TIME ZONE :zone)::date AS day
    FROM finding f JOIN specimen s ON s.id = f.specimen_id
    WHERE f.site_id = :site AND f.changed_at >= :rows
    UNION
    SELECT (opened_at AT TIME ZONE :zone)::date FROM f0_case
    WHERE site_id = :site AND changed_at >= :cases
    UNION
    SELECT (s.collected_at AT TIME ZONE :zone)::date
    FROM person p JOIN specimen s ON s.person_id = p.id
    WHERE p.site_id = :site AND p.changed_at >= :rows
    UNION
    SELECT (c.opened_at AT TIME ZONE :zone)::date
    FROM person p JOIN f0_case c ON c.person_id = p.id
    WHERE p.site_id = :site AND p.changed_at >= :rows
) touched WHERE day >= :first ORDER BY day
""")


def count_days(
    session: Session, days: Collection[date], *, timezone: str, site_id: UUID, now: datetime
) -> int:
    """Count these days anew: how many communes' figures changed. One statement, one moment."""
    if not days:
        return 0
    ordered = sorted(days)
    zone = ZoneInfo(timezone)
    changed: int = session.execute(
        _COUNT,
        {
            "site": site_id,
            "now": now,
            "days": ordered,
            "starts": [datetime.combine(day, time.min, zone) for day in ordered],
            "ends": [datetime.combine(day + timedelta(days=1), time.min, zone) for day in ordered],
        },
    ).scalar_one()
    return changed


# Cases that were withdrawn or refuted are none; a swab whose word is not final has none yet. A
# commune whose last figure went away is told so, with zeros.
_COUNT = text("""
WITH days AS MATERIALIZED (
    SELECT * FROM unnest(cast(:days AS date[]), cast(:starts AS timestamptz[]),
                         cast(:ends AS timestamptz[])) AS d(day, starts, ends)
), cases AS (
    SELECT d.day, p.area_scheme AS scheme, p.area_code AS code,
           count(*) FILTER (WHERE c.state <> 'closed') AS open,
           count(*) FILTER (WHERE c.state = 'presumptive') AS presumptive,
           count(*) FILTER (WHERE c.state = 'closed') AS closed
    FROM days d
    JOIN f0_case c ON c.site_id = :site AND c.opened_at >= d.starts AND c.opened_at < d.ends
                  AND c.state IN ('presumptive', 'confirmed', 'closed')
    JOIN person p ON p.id = c.person_id AND p.area_code IS NOT NULL
    GROUP BY d.day, p.area_scheme, p.area_code
), swabs AS (
    SELECT d.day, p.area_scheme AS scheme, p.area_code AS code,
           count(*) FILTER (WHERE s.material = 'swab') AS answered,
           count(*) FILTER (WHERE s.material = 'swab' AND f.outcome = 'positive') AS positive,
           count(*) FILTER (WHERE s.material = 'antigen') AS strips,
           count(*) FILTER (WHERE s.material = 'antigen' AND f.outcome <> 'negative') AS lines
    FROM days d
    JOIN specimen s ON s.site_id = :site
                   AND s.collected_at >= d.starts AND s.collected_at < d.ends
    JOIN finding f ON f.specimen_id = s.id AND f.current
     AND CASE s.material WHEN 'swab' THEN f.status IN ('F', 'C')
                              AND f.outcome IN ('positive', 'negative')
              ELSE f.outcome IN ('positive', 'presumptive', 'negative') END
    JOIN person p ON p.id = s.person_id AND p.area_code IS NOT NULL
    GROUP BY d.day, p.area_scheme, p.area_code
), fresh AS MATERIALIZED (
    SELECT day, scheme, code, coalesce(c.open, 0) AS open, coalesce(c.closed, 0) AS closed,
           coalesce(c.presumptive, 0) AS presumptive, coalesce(s.answered, 0) AS answered,
           coalesce(s.positive, 0) AS positive, coalesce(s.strips, 0) AS strips,
           coalesce(s.lines, 0) AS lines
    FROM cases c FULL JOIN swabs s USING (day, scheme, code)
), kept AS (
    INSERT INTO area_day AS a
           (id, site_id, day, area_scheme, area_code, opened, open, presumptive, closed,
            pcr_answered, pcr_positive, antigen_read, antigen_positive, sequence, counted_at)
    SELECT mint_uuid7(:now), :site, day, scheme, code, open + closed, open, presumptive, closed,
           answered, positive, strips, lines, 1, :now FROM fresh
    ON CONFLICT (site_id, day, area_scheme, area_code) DO UPDATE
    SET opened = excluded.opened, open = excluded.open, presumptive = excluded.presumptive,
        closed = excluded.closed, pcr_answered = excluded.pcr_answered,
        pcr_positive = excluded.pcr_positive, antigen_read = excluded.antigen_read,
        antigen_positive = excluded.antigen_positive, sequence = a.sequence + 1,
        counted_at = :now, changed_at = clock_timestamp()
    WHERE (a.open, a.presumptive, a.closed, a.pcr_answered, a.pcr_positive, a.antigen_read,
           a.antigen_positive)
       <> (excluded.open, excluded.presumptive, excluded.closed, excluded.pcr_answered,
           excluded.pcr_positive, excluded.antigen_read, excluded.antigen_positive)
    RETURNING a.id
), gone AS (
    UPDATE area_day a
    SET opened = 0, open = 0, presumptive = 0, closed = 0, pcr_answered = 0, pcr_positive = 0,
        antigen_read = 0, antigen_positive = 0, sequence = a.sequence + 1, counted_at = :now,
        changed_at = clock_timestamp()
    FROM days d
    WHERE a.site_id = :site AND a.day = d.day AND a.opened + a.pcr_answered + a.antigen_read > 0
      AND NOT EXISTS (SELECT FROM fresh f WHERE f.day = a.day AND f.scheme = a.area_scheme
                      AND f.code = a.area_code)
    RETURNING a.id
)
SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM gone)
""")


def owe_figures(session: Session, *, since: datetime | None, site_id: UUID, now: datetime) -> int:
    """Owe every destination the figures of its area that it was not owed yet, of those that changed
    since then (none: of all): how many. Owed again, it is nothing."""
    owed: int = session.execute(
        _OWE,
        {
            "site": site_id,
            "kind": DestinationKind.AREA_FIGURES,
            "since": since,
            "channel": CHANNEL,
            "now": now,
        },
    ).scalar_one()
    return owed


# A figure still owed, or refused, that has a successor is deleted: the successor says it all. One
# that is on its way at this moment may arrive; its successor then replaces it there.
_OWE = text(f"""
WITH wanting AS (
    SELECT d.id, u.code, u.name_key, u.parent_code
    FROM destination d LEFT JOIN area u ON u.scheme = d.area_scheme AND u.code = d.area_code
    WHERE d.site_id = :site AND d.kind = :kind AND d.stopped_at IS NULL
), due AS MATERIALIZED (
    SELECT w.id AS destination_id, p.id AS subject_id, p.sequence
    FROM area_day p JOIN wanting w ON {LIVES_THERE}
    WHERE p.site_id = :site
      AND (cast(:since AS timestamptz) IS NULL OR p.changed_at >= :since)
      AND NOT EXISTS (SELECT FROM outbound o WHERE o.subject_id = p.id
                      AND o.destination_id = w.id AND o.sequence >= p.sequence)
), replaced AS (
    DELETE FROM outbound WHERE id IN (
        SELECT o.id FROM outbound o JOIN due e
          ON o.subject_id = e.subject_id AND o.destination_id = e.destination_id
        WHERE o.state IN ('owed', 'dead') FOR UPDATE OF o SKIP LOCKED)
), owed AS (
    INSERT INTO outbound (id, site_id, destination_id, kind, subject_id, sequence, says, state,
                          attempts, next_attempt_at, created_at)
    SELECT mint_uuid7(:now), :site, e.destination_id, 'area-day', e.subject_id, e.sequence,
           CASE e.sequence WHEN 1 THEN 'F' ELSE 'C' END, 'owed', 0, :now, :now
    FROM due e
    RETURNING id
), rung AS (
    SELECT pg_notify(:channel, '') FROM (SELECT FROM owed LIMIT 1) one
)
SELECT (SELECT count(*) FROM owed), (SELECT count(*) FROM rung)
""")  # noqa: S608 - put together from constants of these files
