"""Owe notices: rows in the result's own transaction, one for each recipient, sent later.

Routing (S17, S21): the team of the person's home commune, else of its
province, else the national desk; a copy to the workplace's commune. Nobody is
ever routed nowhere. An address that no commune of today answers to leaves a row in a reviewer's
queue, in the same transaction (doubt_address.py).

Between two schemes (S18) a unit is the same one when code, name and parent's
code are; a code alone, or a name alone, says nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import Conflict
from lims.work.doubt_address import doubt_addresses


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
    """What one recipient hears of a positive pool: counts in its areas, nobody's name."""

    pool_id: UUID
    subscription_id: UUID
    kind: NoticeKind
    sequence: int
    provisional: int
    withdrawn: int
    confirmed: int


_RECIPIENTS = text("""
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
      ON s.disabled_at IS NULL AND s.area_code IS NULL AND s.site_id = :site
    WHERE NOT EXISTS (SELECT FROM near n WHERE n.id = a.id)
), copy AS (
    SELECT a.id, l.sub FROM about a
    JOIN area w ON w.scheme = a.ws AND w.code = a.wc
    JOIN listening l ON l.code = w.code AND l.name_key = w.name_key
                    AND l.parent_code IS NOT DISTINCT FROM w.parent_code
)
SELECT id AS person_id, sub AS subscription_id FROM near
UNION SELECT id, sub FROM desk UNION SELECT id, sub FROM copy
""")

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
    session: Session, people: Sequence[UUID], *, site_id: UUID
) -> Mapping[UUID, frozenset[UUID]]:
    """For each person, the site's subscriptions that are told of them; never an empty set.

    Raises NoDesk.
    """
    found: dict[UUID, set[UUID]] = {}
    for row in session.execute(_RECIPIENTS, {"people": list(people), "site": site_id}):
        found.setdefault(row.person_id, set()).add(row.subscription_id)
    if any(person not in found for person in people):
        raise NoDesk(where=f"the subscriptions of site {site_id}", came="none")
    return {person: frozenset(subs) for person, subs in found.items()}


def owe_case_news(
    session: Session, news: Sequence[CaseNews], *, site_id: UUID, now: datetime
) -> None:
    """Owe each piece of news to its recipients, and to everyone who heard of the case before.

    Raises NoDesk.
    """
    if not news:
        return
    people = [n.person_id for n in news]
    doubt_addresses(session, people, now=now)  # before the look at who is told: see there
    told = recipients(session, people, site_id=site_id)
    before = _told_before(session, news)
    rows = [
        _case_notice(n, subscription)
        for n in news
        for subscription in sorted(told[n.person_id] | before[n.case_id])
    ]
    _owe(session, rows, site_id=site_id, now=now)
    _wake(session, [{"kind": str(n.kind), "case_id": str(n.case_id)} for n in news])


def owe_newcomers(session: Session, news: CaseNews, *, site_id: UUID, now: datetime) -> int:
    """Owe the news to those of its recipients who never heard of the case: how many they are.

    Marked ``rerouted``, so that the day's reconciliation knows whom the address named only later.
    Raises NoDesk.
    """
    told = recipients(session, [news.person_id], site_id=site_id)[news.person_id]
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


def _case_notice(news: CaseNews, subscription_id: UUID, **more: bool) -> dict[str, object]:
    return {
        "id": uuid7(),
        "subscription_id": subscription_id,
        "kind": news.kind,
        "case_id": news.case_id,
        "sequence": news.sequence,
        "facts": {"state": news.state, "basis": news.basis, **more},
    }


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
