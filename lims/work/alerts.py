"""The provisional alert of a positive pool: raised at once, withdrawn or confirmed by member."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.outcomes import FindingOutcome, MemberState, NoticeKind
from lims.domain.pooling.evidence import AlertKind, Conclusion
from lims.work.evidence import Known
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
    touched: set[UUID] = set()
    changes: list[dict[str, object]] = []
    for pool in positive | stored.keys():
        for specimen in known.composition.tubes[pool].specimens:
            state = _state(conclusion, specimen)
            if stored.get(pool, {}).get(specimen) == state:
                continue
            touched.add(pool)
            changes.append(
                {"pool": pool, "specimen": specimen, "state": str(state), "site": site_id}
                | {"now": now}
            )
    if not changes:
        return
    session.execute(_KEEP, changes)
    news = [
        item
        for pool in sorted(touched)
        for item in _news(session, pool, first=pool not in stored, site_id=site_id)
    ]
    owe_pool_news(session, news, site_id=site_id, now=now)


_KEEP = text("""
INSERT INTO alert_member (pool_id, specimen_id, site_id, state, raised_at, changed_at)
VALUES (:pool, :specimen, :site, :state, :now, :now)
ON CONFLICT (pool_id, specimen_id) DO UPDATE SET state = excluded.state, changed_at = :now
""")

_MEMBERS = text("""
SELECT a.state, s.person_id FROM alert_member a JOIN specimen s ON s.id = a.specimen_id
WHERE a.pool_id = :pool
""")

_LAST = text("SELECT coalesce(max(sequence), 0) FROM notice WHERE pool_id = :pool")

_TOLD_BEFORE = text("SELECT DISTINCT subscription_id FROM notice WHERE pool_id = :pool")


def _state(conclusion: Conclusion, specimen: UUID) -> MemberState:
    draft = conclusion.findings.get(specimen)
    if draft is None:
        return MemberState.PROVISIONAL
    return _ENDED.get(draft.outcome, MemberState.PROVISIONAL)


def _stored(session: Session, tubes: list[UUID]) -> dict[UUID, dict[UUID, MemberState]]:
    found: dict[UUID, dict[UUID, MemberState]] = {}
    for row in session.execute(
        text("SELECT pool_id, specimen_id, state FROM alert_member WHERE pool_id = ANY(:ids)"),
        {"ids": tubes},
    ):
        found.setdefault(row.pool_id, {})[row.specimen_id] = MemberState(row.state)
    return found


def _news(session: Session, pool: UUID, *, first: bool, site_id: UUID) -> list[PoolNews]:
    """Counts for today's recipients, and for those told before: none left once all have moved."""
    members = session.execute(_MEMBERS, {"pool": pool}).all()
    told = recipients(session, [m.person_id for m in members], site_id=site_id)
    before = session.execute(_TOLD_BEFORE, {"pool": pool}).scalars()
    counts: dict[UUID, dict[MemberState, int]] = {
        subscription: dict.fromkeys(MemberState, 0) for subscription in before
    }
    for member in members:
        for subscription in told[member.person_id]:
            tally = counts.setdefault(subscription, dict.fromkeys(MemberState, 0))
            tally[member.state] += 1
    sequence = session.execute(_LAST, {"pool": pool}).scalar_one() + 1
    kind = NoticeKind.ALERT_RAISED if first else NoticeKind.ALERT_UPDATED
    return [_told(pool, sub, kind, sequence, tally) for sub, tally in sorted(counts.items())]


def _told(
    pool: UUID,
    subscription: UUID,
    kind: NoticeKind,
    sequence: int,
    tally: Mapping[MemberState, int],
) -> PoolNews:
    return PoolNews(
        pool_id=pool,
        subscription_id=subscription,
        kind=kind,
        sequence=sequence,
        provisional=tally[MemberState.PROVISIONAL],
        withdrawn=tally[MemberState.WITHDRAWN],
        confirmed=tally[MemberState.CONFIRMED],
    )
