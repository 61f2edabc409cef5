"""What became of each notice: owed, tried, delivered, fetched, and who claimed the case when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import NoticeState
from lims.domain.outcomes import NoticeKind
from lims.domain.telling import Channel, Failure
from lims.work.deadletters import host_of

PAGE: Final = 60


class Progress(StrEnum):
    """How far a notice has come; each holds all those before it."""

    OWED = "owed"
    TRIED = "tried"
    DEAD = "dead"
    DELIVERED = "delivered"
    FETCHED = "fetched"
    CLAIMED = "claimed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One notice and its way. `receiver` is a host or an e-mail address, empty for a board."""

    notice_id: UUID
    kind: NoticeKind
    case_id: UUID | None
    sequence: int
    team: str
    channel: Channel
    receiver: str
    state: NoticeState
    failure: Failure | None
    together: bool
    tries: int
    created_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    fetched_at: datetime | None
    claimed_by: str | None
    claiming_team: str | None
    claimed_at: datetime | None

    @property
    def claimed_before(self) -> bool:
        """The team that has the case had it already: that says nothing of this notice."""
        return self.claimed_at is not None and self.claimed_at < self.created_at

    @property
    def progress(self) -> Progress:
        if self.state is NoticeState.DEAD:
            return Progress.DEAD
        answered = self.claimed_at is not None and not self.claimed_before
        if answered and self.delivered_at is not None:
            return Progress.CLAIMED
        if self.fetched_at is not None:
            return Progress.FETCHED
        if self.delivered_at is not None:
            return Progress.DELIVERED
        return Progress.TRIED if self.tries else Progress.OWED


@dataclass(frozen=True, slots=True)
class Recipient:
    """One that has not answered lately; until `rests_until` it is not asked. ``ours``: the last
    message did not leave this house, so the fault is not the recipient's."""

    team: str
    receiver: str
    channel: Channel
    failures: int
    failing_since: datetime
    rests_until: datetime | None
    owed: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; `before` is the last notice of the page before."""

    progress: Progress | None = None
    team_id: UUID | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class SentPage:
    """The newest first. `older` continues after the last."""

    notices: Sequence[Sent]
    older: UUID | None


_NOT_ANSWERED: Final = "(k.id IS NULL OR k.claimed_at < n.created_at)"
_WHERE: Final = {
    None: "true",
    Progress.OWED: "n.state = 'owed' AND n.attempts = 0 AND n.failure IS NULL",
    Progress.TRIED: "n.state = 'owed' AND (n.attempts > 0 OR n.failure IS NOT NULL)",
    Progress.DEAD: "n.state = 'dead'",
    Progress.DELIVERED: f"n.state = 'delivered' AND n.fetched_at IS NULL AND {_NOT_ANSWERED}",
    Progress.FETCHED: f"n.fetched_at IS NOT NULL AND {_NOT_ANSWERED}",
    Progress.CLAIMED: "n.state = 'delivered' AND k.claimed_at >= n.created_at",
}


def _listed(where: str) -> str:
    return f"""
    SELECT n.id, n.kind, n.case_id, n.sequence, n.state, n.failure, n.digest_id, n.attempts,
           n.created_at, n.next_attempt_at, n.delivered_at, n.fetched_at, t.name AS team, s.channel,
           coalesce(s.url, s.email) AS receiver, k.claimed_by, k.claimed_at,
           holder.name AS claiming_team, tried.n AS tries
    FROM notice n
    JOIN subscription s ON s.id = n.subscription_id
    JOIN team t ON t.id = s.team_id
    LEFT JOIN claim k ON k.case_id = n.case_id AND k.ended_at IS NULL
    LEFT JOIN team holder ON holder.id = k.team_id
    LEFT JOIN LATERAL (SELECT count(*) AS n FROM delivery WHERE notice_id = n.id) tried ON true
    WHERE n.site_id = :site AND {where}
      AND (cast(:team AS uuid) IS NULL OR s.team_id = :team)
      AND (cast(:before AS uuid) IS NULL OR (n.created_at, n.id) < (
           SELECT created_at, id FROM notice WHERE id = :before))
    ORDER BY n.created_at DESC, n.id DESC LIMIT :limit
    """  # noqa: S608 - one of the constants above


_LISTED: Final = {wanted: text(_listed(where)) for wanted, where in _WHERE.items()}

_FAILING: Final = text("""
SELECT t.name AS team, coalesce(s.url, s.email) AS receiver, s.channel, s.failures,
       s.failing_since, s.rests_until,
       (SELECT count(*) FROM notice n WHERE n.subscription_id = s.id AND n.state = 'owed') AS owed,
       coalesce((SELECT n.failure = 'ours' FROM notice n
                 WHERE n.subscription_id = s.id AND n.failure IS NOT NULL
                 ORDER BY n.id DESC LIMIT 1), false) AS ours
FROM subscription s JOIN team t ON t.id = s.team_id
WHERE s.site_id = :site AND s.failing_since IS NOT NULL AND s.disabled_at IS NULL
ORDER BY s.rests_until IS NULL, s.failing_since
""")


def sent(session: Session, wanted: Wanted, *, site_id: UUID) -> SentPage:
    """Sixty notices, the newest first."""
    given = {
        "site": site_id,
        "team": wanted.team_id,
        "before": wanted.before,
        "limit": PAGE + 1,
    }
    rows = session.execute(_LISTED[wanted.progress], given).all()
    notices = [_sent(row) for row in rows[:PAGE]]
    return SentPage(notices, notices[-1].notice_id if len(rows) > PAGE else None)


def failing(session: Session, *, site_id: UUID) -> list[Recipient]:
    """Those that rest first, then by how long they have failed."""
    return [
        Recipient(
            row.team,
            host_of(row.receiver),
            Channel(row.channel),
            row.failures,
            row.failing_since,
            row.rests_until,
            row.owed,
            row.ours,
        )
        for row in session.execute(_FAILING, {"site": site_id})
    ]


def _sent(row: Row[Any]) -> Sent:
    return Sent(
        notice_id=row.id,
        kind=NoticeKind(row.kind),
        case_id=row.case_id,
        sequence=row.sequence,
        team=row.team,
        channel=Channel(row.channel),
        receiver=host_of(row.receiver),
        state=NoticeState(row.state),
        failure=Failure(row.failure) if row.failure else None,
        together=row.digest_id is not None,
        tries=row.tries,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
        fetched_at=row.fetched_at,
        claimed_by=row.claimed_by,
        claiming_team=row.claiming_team,
        claimed_at=row.claimed_at,
    )
