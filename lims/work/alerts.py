"""The provisional alert of a positive pool: raised at once, withdrawn or confirmed by member."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.outcomes import FindingOutcome, MemberState, NoticeKind
from lims.domain.pooling.evidence import AlertKind, Conclusion
from lims.work.evidence import Known
from lims.work.stand_ins import in_their_stead
from lims.work.tell import PoolNews, owe_pool_news, recipients

_ENDED = {
    FindingOutcome.NEGATIVE: MemberState.WITHDRAWN,
    FindingOutcome.POSITIVE: MemberState.CONFIRMED,
}


def keep_alerts(
    session: Session, known: Known, conclusion: Conclusion, *, site_id: UUID, now: datetime
) -> None:
    """Bring the alerts of these pools in line with the findings, and owe what changed."""
    positive = {a.tube_id for a in conclusion.alerts if a.kind is AlertKind.POOL_POSITIVE}
    stored = _stored(session, list(known.composition.tubes))
    members = {pool: known.composition.tubes[pool].specimens for pool in positive | stored.keys()}
    again = _swabbed_again(session, sorted({s for held in members.values() for s in held}))
    changes = [
        _Member(pool, specimen, state)
        for pool, held in members.items()
        for specimen in sorted(held)
        if (state := _state(conclusion, specimen, again)) != stored.get(pool, {}).get(specimen)
    ]
    _write(session, changes, fresh=positive - stored.keys(), site_id=site_id, now=now)


def answer_by_reswab(
    session: Session, swabs: Sequence[UUID], *, site_id: UUID, now: datetime
) -> None:
    """A re-swab has an answer: the members it was taken for are warned of no longer (S3).

    Their finding on the first swab stays *preliminary*: a re-swab is another
    specimen at a later time and cancels nothing. Only the warning ends.
    """
    rows = session.execute(_TAKEN_FOR, {"swabs": list(swabs)}).all()
    stored = _stored(session, sorted({row.pool_id for row in rows}))
    again = _swabbed_again(session, sorted({row.specimen_id for row in rows}))
    changes = [
        _Member(row.pool_id, row.specimen_id, ended)
        for row in rows
        if (ended := again.get(row.specimen_id)) not in {None, stored[row.pool_id][row.specimen_id]}
    ]
    _write(session, changes, fresh=set(), site_id=site_id, now=now)


@dataclass(frozen=True, slots=True)
class _Member:
    pool_id: UUID
    specimen_id: UUID
    state: MemberState


def _write(
    session: Session,
    changes: Sequence[_Member],
    *,
    fresh: Collection[UUID],
    site_id: UUID,
    now: datetime,
) -> None:
    if not changes:
        return
    rows = [{"pool_id": c.pool_id, "specimen_id": c.specimen_id, "state": c.state} for c in changes]
    session.execute(_KEEP, {"rows": rows_as_json(rows), "site": site_id, "now": now})
    news = _news(session, sorted({c.pool_id for c in changes}), fresh, site_id=site_id, now=now)
    owe_pool_news(session, news, site_id=site_id, now=now)


_TAKEN_FOR = text("""
SELECT a.pool_id, a.specimen_id FROM recollection r
JOIN alert_member a ON a.specimen_id = r.specimen_id
WHERE r.done_specimen_id = ANY(:swabs) ORDER BY a.pool_id, a.specimen_id
""")

_STORED = text("""
SELECT pool_id, specimen_id, state FROM alert_member WHERE pool_id = ANY(:pools)
ORDER BY pool_id, specimen_id FOR NO KEY UPDATE
""")

_AGAIN = text("""
SELECT r.specimen_id, f.outcome FROM recollection r
JOIN finding f ON f.specimen_id = r.done_specimen_id AND f.current
WHERE r.specimen_id = ANY(:specimens) AND f.outcome IN ('negative', 'positive')
""")


_KEEP = text("""
INSERT INTO alert_member (pool_id, specimen_id, site_id, state, raised_at, changed_at)
SELECT pool_id, specimen_id, :site, state, :now, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(pool_id uuid, specimen_id uuid, state text)
ON CONFLICT (pool_id, specimen_id) DO UPDATE SET state = excluded.state, changed_at = :now
""")

_MEMBERS = text("""
SELECT a.pool_id, a.state, s.person_id
FROM alert_member a JOIN specimen s ON s.id = a.specimen_id
WHERE a.pool_id = ANY(:pools)
""")

_TOLD_BEFORE = text("""
SELECT pool_id, subscription_id, max(sequence) AS sequence FROM notice
WHERE pool_id = ANY(:pools) GROUP BY pool_id, subscription_id
""")


def _state(
    conclusion: Conclusion, specimen: UUID, again: Mapping[UUID, MemberState]
) -> MemberState:
    draft = conclusion.findings.get(specimen)
    ended = _ENDED.get(draft.outcome) if draft else None
    return ended or again.get(specimen, MemberState.PROVISIONAL)


def _swabbed_again(session: Session, specimens: Sequence[UUID]) -> Mapping[UUID, MemberState]:
    """What the re-swab of each specimen said, where it has said it."""
    rows = session.execute(_AGAIN, {"specimens": list(specimens)})
    return {row.specimen_id: _ENDED[FindingOutcome(row.outcome)] for row in rows}


def _stored(session: Session, pools: Sequence[UUID]) -> dict[UUID, dict[UUID, MemberState]]:
    """Every member of these pools, held: of two re-swabs that answer at once, whoever is second
    counts what the first has changed, and does not give its news the same number."""
    found: dict[UUID, dict[UUID, MemberState]] = {}
    for row in session.execute(_STORED, {"pools": list(pools)}):
        found.setdefault(row.pool_id, {})[row.specimen_id] = MemberState(row.state)
    return found


def _news(
    session: Session,
    pools: Sequence[UUID],
    fresh: Collection[UUID],
    *,
    site_id: UUID,
    now: datetime,
) -> list[PoolNews]:
    """Counts for today's recipients, and for those told before: none left once all have moved."""
    members = session.execute(_MEMBERS, {"pools": list(pools)}).all()
    told = recipients(session, sorted({m.person_id for m in members}), site_id=site_id, now=now)
    last = dict.fromkeys(pools, 0)
    counts: dict[UUID, dict[UUID, Counter[MemberState]]] = {pool: {} for pool in pools}
    before: dict[UUID, set[UUID]] = {}
    for row in session.execute(_TOLD_BEFORE, {"pools": list(pools)}):
        last[row.pool_id] = max(last[row.pool_id], row.sequence)
        before.setdefault(row.pool_id, set()).add(row.subscription_id)
    hearing = in_their_stead(session, before)
    for pool, subscriptions in hearing.items():
        counts[pool] = {subscription: Counter() for subscription in subscriptions}
    for member in members:
        for subscription in told[member.person_id]:
            tally = counts[member.pool_id].setdefault(subscription, Counter())
            tally[MemberState(member.state)] += 1
    return [
        PoolNews(
            pool_id=pool,
            subscription_id=subscription,
            kind=NoticeKind.ALERT_RAISED if pool in fresh else NoticeKind.ALERT_UPDATED,
            sequence=last[pool] + 1,
            provisional=tally[MemberState.PROVISIONAL],
            withdrawn=tally[MemberState.WITHDRAWN],
            confirmed=tally[MemberState.CONFIRMED],
            stands_for=hearing.get(pool, {}).get(subscription, frozenset()),
        )
        for pool in pools
        for subscription, tally in sorted(counts[pool].items())
    ]
