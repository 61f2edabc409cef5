"""Nobody has claimed a case: tell the next ones, and the next, until somebody must have heard.

Steps of stories.md S21, over the recipients there are: the next on call of every team that was
told, with the ward's other teams; the province; the national desk, and then everybody who was told
is rung in turn (voice.py). Each step is a row that says of which case, whom, when and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.outcomes import NoticeKind
from lims.domain.zones import SWAB_TIES
from lims.tables import Site
from lims.work.tell import ZONES_OF

MOST_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a case may wait unclaimed before each step, since it was opened, was given back or,
    after it was over, was taken up again."""

    roster: timedelta = timedelta(minutes=15)
    province: timedelta = timedelta(minutes=30)
    voice: timedelta = timedelta(minutes=45)


def patience_of(session: Session, site_id: UUID) -> Patience:
    """What the laboratory's policy says."""
    site = session.get_one(Site, site_id, populate_existing=True)
    return Patience(
        timedelta(minutes=site.roster_after_min),
        timedelta(minutes=site.province_after_min),
        timedelta(minutes=site.voice_after_min),
    )


# The cases nobody holds, with where their people live, work and belong, and what was done: the
# subscriptions that heard, the teams that were stepped to. Gathered case by case, over an index, so
# that a burst of steps no statistics know of yet is as fast. The same unit in two schemes is found
# as lims/work/tell.py finds it.
_WAITING = """
    unheld AS MATERIALIZED (
        SELECT c.* FROM f0_case c
        WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
          AND {which}
          AND NOT EXISTS (SELECT FROM claim k WHERE k.case_id = c.id AND k.ended_at IS NULL)),
    waiting AS (
        SELECT c.id, c.person_id, c.sequence, c.state, c.basis,
               h.code AS home, h.name_key AS home_name, h.parent_code AS home_parent,
               w.code AS job, w.name_key AS job_name, w.parent_code AS job_parent,
               p.code AS province, p.name_key AS province_name,
               k.since, coalesce(n.subs, '{{}}') AS heard, coalesce(e.teams, '{{}}') AS done,
               coalesce(e.voiced, false) AS voiced
        FROM unheld c
        JOIN person o ON o.id = c.person_id
        LEFT JOIN area h ON (h.scheme, h.code) = (o.area_scheme, o.area_code)
        LEFT JOIN area w ON w.scheme = o.work_area_scheme AND w.code = o.work_area_code
        LEFT JOIN area p ON (p.scheme, p.code) = (h.scheme, h.parent_code)
        CROSS JOIN LATERAL (SELECT greatest(c.opened_at, c.reopened_at,
                                            max(ended_at)) AS since
                            FROM claim WHERE case_id = c.id) k
        CROSS JOIN LATERAL (SELECT array_agg(subscription_id) AS subs
                            FROM notice n WHERE n.case_id = c.id) n
        CROSS JOIN LATERAL (SELECT array_agg(team_id) FILTER (WHERE team_id IS NOT NULL)
                                   AS teams, bool_or(step = 'voice') AS voiced
                            FROM escalation_step e
                            WHERE e.case_id = c.id AND e.since = k.since) e),
    about AS (SELECT person_id AS id FROM waiting),
    belongs AS ({zones_of}),
    listening AS (
        SELECT s.id, s.team_id, s.zone_id, u.code, u.name_key, u.parent_code,
               s.area_code IS NULL AND s.zone_id IS NULL AS everywhere
        FROM subscription s
        LEFT JOIN area u ON u.scheme = s.area_scheme AND u.code = s.area_code
        LEFT JOIN zone z ON z.id = s.zone_id
        WHERE s.disabled_at IS NULL AND s.site_id = :site AND z.closed_at IS NULL)
"""

# Whom each of them is due to now. `subscription_id`: a notice is owed; without one, somebody is to
# be rung. A team that heard of a case in any way is not told again.
_DUE = """
    near AS (
        SELECT c.id AS case_id, p.step, s.team_id, s.id AS sub
        FROM waiting c CROSS JOIN LATERAL (VALUES
            ('ward', c.home, c.home_name, c.home_parent, :roster_late),
            ('ward', c.job, c.job_name, c.job_parent, :roster_late),
            ('province', c.province, c.province_name, NULL, :province_late)
        ) p(step, code, name_key, parent_code, late)
        JOIN listening s ON (s.code, s.name_key) = (p.code, p.name_key)
         AND s.parent_code IS NOT DISTINCT FROM p.parent_code AND s.id <> ALL(c.heard)
        WHERE c.since <= p.late
        UNION
        SELECT c.id, 'ward', s.team_id, s.id FROM waiting c
        JOIN belongs b ON b.id = c.person_id
        JOIN listening s ON s.zone_id = b.zone_id AND s.id <> ALL(c.heard)
        WHERE c.since <= :roster_late),
    told AS (
        SELECT DISTINCT c.id AS case_id, s.team_id
        FROM waiting c CROSS JOIN LATERAL unnest(c.heard) h(sub) JOIN subscription s ON s.id = h.sub
        WHERE c.since <= :roster_late AND s.team_id <> ALL(c.done)),
    on_duty AS (
        SELECT DISTINCT ON (d.team_id) d.team_id, d.contact_id
        FROM duty d JOIN contact k ON k.id = d.contact_id AND k.left_at IS NULL
        WHERE d.site_id = :site AND d.starts_at <= :now AND d.ends_at > :now
        ORDER BY d.team_id, d.place DESC, d.starts_at),
    due AS (
        SELECT t.case_id, 'roster' AS step, t.team_id, NULL::uuid AS subscription_id, o.contact_id
        FROM told t LEFT JOIN on_duty o ON o.team_id = t.team_id
        UNION ALL
        SELECT case_id, step, team_id, sub, NULL FROM near
        UNION ALL
        SELECT c.id, 'nation', s.team_id, s.id, NULL FROM waiting c JOIN listening s
          ON s.everywhere AND s.id <> ALL(c.heard)
        WHERE c.since <= :voice_late
        UNION ALL
        SELECT c.id, 'voice', NULL, NULL, NULL FROM waiting c
        WHERE c.since <= :voice_late AND NOT c.voiced)
"""


def _looked(which: str, asked: str) -> TextClause:
    """`which`: the cases that are looked at, those nobody could be late for left out early. On one
    line: psycopg parses a long statement anew at each use (tests/work/test_statements.py)."""
    waiting = _WAITING.format(which=which, zones_of=ZONES_OF)
    return text(" ".join(f"WITH {waiting}, {_DUE} {asked}".split()))


# Those that have waited longest first. A case that a review or a claim is changing at this moment
# is left for the next look.
_LATE = _looked(
    "c.opened_at <= :first_late",
    """
    , late AS (SELECT DISTINCT c.id, c.since FROM due d JOIN waiting c ON c.id = d.case_id)
    SELECT c.id FROM f0_case c JOIN late ON late.id = c.id
    WHERE c.state IN ('presumptive', 'confirmed')
    ORDER BY late.since, c.id LIMIT :limit
    FOR NO KEY UPDATE OF c SKIP LOCKED
    """,
)

# A statement of its own: what was committed before the locks were had is seen, a claim too.
_STEPS = _looked(
    "c.id = ANY(:cases)",
    """
    SELECT d.*, c.since, c.sequence, c.state, c.basis FROM due d JOIN waiting c ON c.id = d.case_id
    """,
)

# A notice's id is of the moment it is written, not of the look that found it late: who pulls by
# ids (told.py) would have gone past it.
_TAKE = text("""
WITH late AS MATERIALIZED (
    SELECT *, floor(extract(epoch FROM cast(:now AS timestamptz) - since) / 60)::int AS waited
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
        case_id uuid, since timestamptz, step text, team_id uuid, contact_id uuid,
        subscription_id uuid, sequence int, state text, basis text)
), owed AS (
    INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state,
                        attempts, next_attempt_at, created_at)
    SELECT mint_uuid7(clock_timestamp()), :site, subscription_id, :kind, case_id, sequence,
           jsonb_build_object('state', state, 'basis', basis, 'unclaimed_min', waited),
           'owed', 0, :now, :now
    FROM late WHERE subscription_id IS NOT NULL
    ORDER BY since, case_id, subscription_id
    ON CONFLICT DO NOTHING RETURNING case_id
), stepped AS (
    INSERT INTO escalation_step (id, site_id, case_id, since, step, team_id, contact_id,
                                 unclaimed_min, at)
    SELECT DISTINCT ON (since, case_id, team_id, step) mint_uuid7(:now), :site, case_id, since,
           step, team_id, contact_id, waited, :now
    FROM late ORDER BY since, case_id, team_id, step
    ON CONFLICT DO NOTHING RETURNING case_id
), rung AS (
    SELECT pg_notify('board',
                     json_build_object('kind', 'case.escalated', 'case_id', case_id)::text)
    FROM (SELECT DISTINCT case_id FROM stepped) one
)
SELECT (SELECT count(*) FROM stepped) AS steps, (SELECT count(*) FROM owed) AS notices,
       (SELECT count(*) FROM rung) AS rung, pg_notify('notice_owed', '')
""")


@dataclass(frozen=True, slots=True)
class Escalated:
    """What one look made: steps, notices among them, and over how many cases."""

    cases: int = 0
    steps: int = 0
    notices: int = 0


def escalate(
    session: Session,
    now: datetime,
    *,
    site_id: UUID,
    patience: Patience | None = None,
    limit: int = MOST_AT_ONCE,
) -> Escalated:
    """Take the next steps of at most `limit` cases that waited too long, by the site's policy.

    Whoever was told before is not told again and no step is taken twice, so running it twice, or
    on two deliverers at once, changes nothing. A case is locked before its recipients are chosen:
    what withdraws or claims it at this moment either comes first, and nobody more is told, or finds
    everybody who was told.
    """
    waits = patience or patience_of(session, site_id)
    at = {
        "site": site_id,
        "now": now,
        "swab_ties": SWAB_TIES,
        "first_late": now - min(waits.roster, waits.province, waits.voice),
        "roster_late": now - waits.roster,
        "province_late": now - waits.province,
        "voice_late": now - waits.voice,
    }
    cases = session.execute(_LATE, at | {"limit": limit}).scalars().all()
    if not cases:
        return Escalated()
    steps = session.execute(_STEPS, at | {"cases": list(cases)}).mappings().all()
    rows = rows_as_json([dict(step) for step in steps])
    made = session.execute(
        _TAKE, {"rows": rows, "site": site_id, "now": now, "kind": str(NoticeKind.CASE_OPENED)}
    ).one()
    return Escalated(len(cases), made.steps, made.notices)
