"""Owe notices: rows in the result's own transaction, one for each recipient, sent later.

Routing (S17, S21): the team of the person's home commune, else of its
province, else the national desk; a copy to the workplace's commune and to the
zones that they belong to, which takes nobody's place. Nobody is ever routed nowhere. An address
that no commune of today answers to leaves a row in a reviewer's queue, in the same transaction
(doubt_address.py).

Between two schemes (S18) a unit is the same one when code, name and parent's
code are; a code alone, or a name alone, says nothing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import Conflict
from lims.domain.zones import SWAB_TIES
from lims.work.doubt_address import doubt_addresses
from lims.work.stand_ins import in_their_stead


class NoDesk(Conflict):
    slug = "no-desk"
    expected = "a board of the whole country, for what no ward and no province listens to"
    todo = "give the national desk its board back, then send the same again"


@dataclass(frozen=True, slots=True)
class CaseNews:
    """Something that everyone who is told of a case must hear, numbered within the case."""

    case_id: UUID
    person_id: UUID
    kind: NoticeKind
    sequence: int
    state: CaseState
    basis: Basis


@dataclass(frozen=True, slots=True)
class PoolNews:
    """What one recipient hears of a positive pool: counts in its areas, nobody's name.

    ``stands_for``: teams that were told before and that no channel reaches any more.
    """

    pool_id: UUID
    subscription_id: UUID
    kind: NoticeKind
    sequence: int
    provisional: int
    withdrawn: int
    confirmed: int
    stands_for: frozenset[UUID] = frozenset()


# Of the people in a table `about` (id), the zones they belong to at `:now`: by what was said of
# them or of a card merged into theirs, and by a swab of late in a campaign held there.
ZONES_OF: Final = """
    SELECT k.id, z.zone_id
    FROM (SELECT a.id, a.id AS said_of FROM about a
          UNION ALL SELECT a.id, m.id FROM about a JOIN person m ON m.merged_into_id = a.id) k
    JOIN person_zone z ON z.person_id = k.said_of AND z.ended_at IS NULL
    UNION
    SELECT a.id, g.zone_id
    FROM about a JOIN specimen s ON s.person_id = a.id JOIN campaign g ON g.id = s.campaign_id
    WHERE g.zone_id IS NOT NULL AND s.collected_at > cast(:now AS timestamptz) - :swab_ties
"""

_RECIPIENTS = text(
    f"""
WITH about AS (
    SELECT p.id, p.area_scheme AS hs, p.area_code AS hc, p.work_area_scheme AS ws,
           p.work_area_code AS wc
    FROM person p WHERE p.id = ANY(:people)
), listening AS (
    SELECT s.id AS sub, u.code, u.name_key, u.parent_code
    FROM subscription s JOIN area u ON u.scheme = s.area_scheme AND u.code = s.area_code
    WHERE s.disabled_at IS NULL AND s.site_id = :site
), home AS (
    SELECT a.id, l.sub FROM about a
    JOIN area w ON w.scheme = a.hs AND w.code = a.hc
    JOIN listening l ON l.code = w.code AND l.name_key = w.name_key
                    AND l.parent_code IS NOT DISTINCT FROM w.parent_code
), province AS (
    SELECT a.id, l.sub FROM about a
    JOIN area w ON w.scheme = a.hs AND w.code = a.hc
    JOIN area p ON p.scheme = w.scheme AND p.code = w.parent_code
    JOIN listening l ON l.code = p.code AND l.name_key = p.name_key AND l.parent_code IS NULL
    WHERE NOT EXISTS (SELECT FROM home h WHERE h.id = a.id)
), near AS (
    SELECT id, sub FROM home UNION SELECT id, sub FROM province
), desk AS (
    SELECT a.id, s.id AS sub FROM about a JOIN subscription s
      ON s.disabled_at IS NULL AND s.area_code IS NULL AND s.zone_id IS NULL AND s.site_id = :site
    WHERE NOT EXISTS (SELECT FROM near n WHERE n.id = a.id)
), copy AS (
    SELECT a.id, l.sub FROM about a
    JOIN area w ON w.scheme = a.ws AND w.code = a.wc
    JOIN listening l ON l.code = w.code AND l.name_key = w.name_key
                    AND l.parent_code IS NOT DISTINCT FROM w.parent_code
), belongs AS ({ZONES_OF}
), zoned AS (
    SELECT b.id, s.id AS sub FROM belongs b
    JOIN zone z ON z.id = b.zone_id AND z.closed_at IS NULL
    JOIN subscription s ON s.zone_id = z.id AND s.disabled_at IS NULL AND s.site_id = :site
)
SELECT id AS person_id, sub AS subscription_id FROM near
UNION SELECT id, sub FROM desk UNION SELECT id, sub FROM copy UNION SELECT id, sub FROM zoned
"""  # noqa: S608 - put together from constants of this file
)

_TOLD_BEFORE = text(
    "SELECT DISTINCT case_id, subscription_id FROM notice WHERE case_id = ANY(:cases)"
)

_OWE = text("""
INSERT INTO notice (id, site_id, subscription_id, kind, case_id, pool_id, sequence, facts, state,
                    attempts, next_attempt_at, created_at)
SELECT id, :site_id, subscription_id, kind, case_id, pool_id, sequence, facts, 'owed', 0, :now, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, subscription_id uuid, kind text, case_id uuid, pool_id uuid, sequence int, facts jsonb)
ON CONFLICT DO NOTHING
""")


def recipients(
    session: Session, people: Sequence[UUID], *, site_id: UUID, now: datetime
) -> Mapping[UUID, frozenset[UUID]]:
    """For each person, the site's subscriptions that are told of them; never an empty set.

    Raises NoDesk.
    """
    found: dict[UUID, set[UUID]] = {}
    about = {"people": list(people), "site": site_id, "now": now, "swab_ties": SWAB_TIES}
    for row in session.execute(_RECIPIENTS, about):
        found.setdefault(row.person_id, set()).add(row.subscription_id)
    if any(person not in found for person in people):
        raise NoDesk(where=f"the subscriptions of site {site_id}", came="none")
    return {person: frozenset(subs) for person, subs in found.items()}


def owe_case_news(
    session: Session, news: Sequence[CaseNews], *, site_id: UUID, now: datetime
) -> None:
    """Owe each piece of news to its recipients, and to everyone who heard of the case before.

    Whose subscription was switched off since hears by another, or the desk does, marked
    ``stands_for`` with the teams to be rung. Raises NoDesk.
    """
    if not news:
        return
    people = [n.person_id for n in news]
    doubt_addresses(session, people, now=now)  # before the look at who is told: see there
    told = recipients(session, people, site_id=site_id, now=now)
    before = _told_before(session, news)
    hearing = in_their_stead(session, {n: told[n.person_id] | before[n.case_id] for n in news})
    rows = [
        _case_notice(n, subscription, **_standing_for(teams))
        for n in news
        for subscription, teams in sorted(hearing[n].items())
    ]
    _owe(session, rows, site_id=site_id, now=now)
    _wake(session, [{"kind": str(n.kind), "case_id": str(n.case_id)} for n in news])


def owe_newcomers(session: Session, news: CaseNews, *, site_id: UUID, now: datetime) -> int:
    """Owe the news to those of its recipients who never heard of the case: how many they are.

    Marked ``rerouted``, so that the day's reconciliation knows whom the address named only later.
    Raises NoDesk.
    """
    told = recipients(session, [news.person_id], site_id=site_id, now=now)[news.person_id]
    newcomers = told - _told_before(session, [news])[news.case_id]
    if newcomers:
        rows = [_case_notice(news, one, rerouted=True) for one in sorted(newcomers)]
        _owe(session, rows, site_id=site_id, now=now)
        _wake(session, [{"kind": str(news.kind), "case_id": str(news.case_id)}])
    return len(newcomers)


def _told_before(session: Session, news: Sequence[CaseNews]) -> Mapping[UUID, set[UUID]]:
    before: dict[UUID, set[UUID]] = {n.case_id: set() for n in news}
    for row in session.execute(_TOLD_BEFORE, {"cases": list(before)}):
        before[row.case_id].add(row.subscription_id)
    return before


def _case_notice(news: CaseNews, subscription_id: UUID, **more: object) -> dict[str, object]:
    return {
        "id": uuid7(),
        "subscription_id": subscription_id,
        "kind": news.kind,
        "case_id": news.case_id,
        "sequence": news.sequence,
        "facts": {"state": news.state, "basis": news.basis, **more},
    }


def _standing_for(teams: Collection[UUID]) -> dict[str, object]:
    return {"stands_for": sorted(map(str, teams))} if teams else {}


def owe_pool_news(
    session: Session, news: Sequence[PoolNews], *, site_id: UUID, now: datetime
) -> None:
    """Owe each recipient of a positive pool what concerns its own people."""
    if not news:
        return
    rows = [
        {
            "id": uuid7(),
            "subscription_id": n.subscription_id,
            "kind": n.kind,
            "pool_id": n.pool_id,
            "sequence": n.sequence,
            "facts": {
                "provisional": n.provisional,
                "withdrawn": n.withdrawn,
                "confirmed": n.confirmed,
                **_standing_for(n.stands_for),
            },
        }
        for n in news
    ]
    _owe(session, rows, site_id=site_id, now=now)
    pools = {n.pool_id: n.kind for n in news}
    _wake(session, [{"kind": str(k), "pool_id": str(p)} for p, k in pools.items()])


def _owe(
    session: Session, rows: Sequence[Mapping[str, object]], *, site_id: UUID, now: datetime
) -> None:
    session.execute(_OWE, {"rows": rows_as_json(rows), "site_id": site_id, "now": now})


def _wake(session: Session, events: Sequence[Mapping[str, str]]) -> None:
    """NOTIFY is transactional: nobody wakes before the rows can be seen."""
    session.execute(
        text(
            "SELECT pg_notify('notice_owed', '')"
            " UNION ALL SELECT pg_notify('board', event) FROM unnest(cast(:events AS text[])) event"
        ),
        {"events": [json.dumps(event) for event in events]},
    )
