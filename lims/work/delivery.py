"""What an attempt to hand a message over came to, and what follows from it. No network here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import NoticeState
from lims.domain.resting import RestPlan
from lims.domain.retries import RetryPlan
from lims.domain.telling import failure_of
from lims.work import live
from lims.work.owed import Owed
from lims.work.recipient_rest import gone, rests, takes_again

LONGEST_ERROR: Final = 300
# A notice is pulled forward with its receiver's first success, unless it failed this lately:
# then it may be the one notice that this receiver cannot take.
_TRIED_LATELY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one sending: a status code, or an error when no answer came at all."""

    status_code: int | None
    error: str | None
    took_ms: int
    retry_after_s: float | None = None

    @property
    def accepted(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def gone(self) -> bool:
        """410: the receiver asks to be told no more (Standard Webhooks)."""
        return self.status_code == 410

    @property
    def slow_down(self) -> bool:
        return self.status_code in {429, 503} and self.retry_after_s is not None


@dataclass(frozen=True, slots=True)
class Answered:
    """A message and what came of it."""

    owed: Owed
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Plans:
    """When to try again, when to let a recipient rest, and the dice for both."""

    rng: Random
    retry: RetryPlan = RetryPlan()  # noqa: RUF009 - frozen
    rest: RestPlan = RestPlan()  # noqa: RUF009 - frozen


def settle(
    session: Session, answered: Sequence[Answered], now: datetime, *, plans: Plans
) -> Mapping[UUID, NoticeState]:
    """Write the attempts down and move the notices on; many at once, because of a wave of results
    hundreds of notices are told within the same seconds. Where each notice stands now.

    A late answer about a notice that another deliverer has settled meanwhile is still recorded;
    it moves the notice only if it says delivered.
    """
    states: dict[UUID, NoticeState] = {}
    for round_ in _without_doubles(answered):
        states |= _locked(session, round_)
        taken = [one for one in round_ if one.attempt.accepted]
        if taken:
            _delivered(session, taken, now)
            for one in taken:
                states |= dict.fromkeys(one.owed.notice_ids, NoticeState.DELIVERED)
        for one in round_:
            if not one.attempt.accepted:
                states |= _failed(session, one, states, now, plans)
    return states


def _without_doubles(answered: Sequence[Answered]) -> list[list[Answered]]:
    """A notice whose lease ran out may have been sent twice from here: one attempt after the
    other."""
    times: Counter[UUID] = Counter()
    rounds: dict[int, list[Answered]] = {}
    for one in answered:
        round_ = max(times[id] for id in one.owed.notice_ids)
        for id in one.owed.notice_ids:
            times[id] = round_ + 1
        rounds.setdefault(round_, []).append(one)
    return [rounds[number] for number in sorted(rounds)]


def _locked(session: Session, answered: Sequence[Answered]) -> dict[UUID, NoticeState]:
    """In a statement of its own: who counts a notice's attempts in the statement that waits for
    its row does not see those of the one it waited for."""
    ids = [id for one in answered for id in one.owed.notice_ids]
    rows = session.execute(
        text("SELECT id, state FROM notice WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"),
        {"ids": ids},
    )
    return {row.id: NoticeState(row.state) for row in rows}


# NOTICE_MOVES of a late success are two: dead → owed → delivered.
_DELIVERED = text("""
WITH said AS (
    SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:deliveries AS uuid[]), cast(:codes AS int[]),
                         cast(:took AS int[])) AS a(id, delivery, code, took)
), kept AS (
    INSERT INTO delivery (id, notice_id, attempt, at, status_code, took_ms)
    SELECT said.delivery, said.id,
           1 + (SELECT coalesce(max(attempt), 0) FROM delivery d WHERE d.notice_id = said.id),
           :now, said.code, said.took
    FROM said
), told AS (
    UPDATE notice n SET state = 'delivered', delivered_at = :now, attempts = attempts + 1,
                        leased_until = NULL, failure = NULL
    FROM said WHERE n.id = said.id AND n.state <> 'delivered'
    RETURNING n.id, n.subscription_id
)
UPDATE notice SET next_attempt_at = :now
WHERE id IN (
    SELECT n.id FROM (SELECT DISTINCT subscription_id AS id FROM told) back
    JOIN notice n ON n.subscription_id = back.id
    WHERE n.state = 'owed' AND n.attempts > 0 AND n.next_attempt_at > :now
      AND NOT EXISTS (SELECT FROM delivery d WHERE d.notice_id = n.id AND d.at > :lately)
      AND n.id <> ALL(:ids)
    FOR NO KEY UPDATE OF n SKIP LOCKED)
""")


def _delivered(session: Session, taken: Sequence[Answered], now: datetime) -> None:
    every = [(id, one.attempt) for one in taken for id in one.owed.notice_ids]
    session.execute(
        _DELIVERED,
        {
            "ids": [id for id, _ in every],
            "deliveries": [uuid7() for _ in every],
            "codes": [attempt.status_code for _, attempt in every],
            "took": [attempt.took_ms for _, attempt in every],
            "now": now,
            "lately": now - _TRIED_LATELY,
        },
    )
    takes_again(session, {one.owed.subscription_id for one in taken}, now)


def _failed(
    session: Session,
    one: Answered,
    states: Mapping[UUID, NoticeState],
    now: datetime,
    plans: Plans,
) -> dict[UUID, NoticeState]:
    owed, attempt = one.owed, one.attempt
    _record(session, one, now)
    open_ = [id for id in owed.notice_ids if states.get(id) is NoticeState.OWED]
    if attempt.gone:
        gone(session, owed.subscription_id, now)
        return _bury(session, one, open_)
    asked_s = attempt.retry_after_s if attempt.slow_down else None
    resting_until = rests(session, owed, now, plans.rest, plans.rng, asked_s=asked_s)
    if owed.asking:
        _try_again(session, one, open_, resting_until or now, counted=0)
        return _give_up_the_old(session, one, now - timedelta(seconds=plans.retry.whole_s))
    failures = 1 + _tries(session, open_)
    wait_s = plans.retry.wait_s(failures, plans.rng, attempt.retry_after_s)
    if wait_s is None:
        return _bury(session, one, open_)
    _try_again(session, one, open_, now + timedelta(seconds=wait_s), counted=1)
    return {}


def _record(session: Session, one: Answered, now: datetime) -> None:
    session.execute(
        text("""
        INSERT INTO delivery (id, notice_id, attempt, at, status_code, error, took_ms)
        SELECT said.delivery, said.id,
               1 + (SELECT coalesce(max(attempt), 0) FROM delivery d WHERE d.notice_id = said.id),
               :now, :code, :error, :took
        FROM unnest(cast(:ids AS uuid[]), cast(:deliveries AS uuid[])) AS said(id, delivery)
        """),
        {
            "ids": one.owed.notice_ids,
            "deliveries": [uuid7() for _ in one.owed.news],
            "now": now,
            "code": one.attempt.status_code,
            "error": _kept(one.attempt.error),
            "took": one.attempt.took_ms,
        },
    )


def _kept(error: str | None) -> str | None:
    """What a receiver answers is its business: a little of it, and no NUL (PostgreSQL has none)."""
    return None if error is None else error.replace("\x00", "\ufffd")[:LONGEST_ERROR]


def _tries(session: Session, ids: Sequence[UUID]) -> int:
    tries: int | None = session.execute(
        text("SELECT max(attempts) FROM notice WHERE id = ANY(:ids)"), {"ids": list(ids)}
    ).scalar_one()
    return tries or 0


def _try_again(
    session: Session, one: Answered, ids: Sequence[UUID], at: datetime, *, counted: int
) -> None:
    """An attempt to find out whether a resting recipient is back does not count: the notice it was
    made with has the whole plan before it when the recipient is."""
    session.execute(
        text(
            "UPDATE notice SET attempts = attempts + :counted, leased_until = NULL,"
            " next_attempt_at = :at, failure = :failure WHERE id = ANY(:ids) AND state = 'owed'"
        ),
        {"ids": list(ids), "at": at, "counted": counted, "failure": _why(one)},
    )


def _bury(session: Session, one: Answered, ids: Sequence[UUID]) -> dict[UUID, NoticeState]:
    buried = session.execute(
        text(
            "UPDATE notice SET state = 'dead', attempts = attempts + 1, leased_until = NULL,"
            " failure = :failure WHERE id = ANY(:ids) AND state = 'owed'"
            " RETURNING id, case_id, pool_id"
        ),
        {"ids": list(ids), "failure": _why(one)},
    ).all()
    for row in buried:
        live.ring(session, "notice.dead", case_id=row.case_id, pool_id=row.pool_id)
    return {row.id: NoticeState.DEAD for row in buried}


def _give_up_the_old(session: Session, one: Answered, owed_by: datetime) -> dict[UUID, NoticeState]:
    """Of a recipient that has rested for days nobody tries each notice; its age decides."""
    session.flush()
    buried = session.execute(
        text("""
        UPDATE notice SET state = 'dead', leased_until = NULL, failure = coalesce(failure, :failure)
        WHERE id IN (SELECT id FROM notice
                     WHERE subscription_id = :subscription AND state = 'owed'
                       AND coalesce(resent_at, created_at) <= :owed_by
                     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id, case_id, pool_id
        """),
        {
            "subscription": one.owed.subscription_id,
            "owed_by": owed_by,
            "failure": _why(one),
        },
    ).all()
    for row in buried:
        live.ring(session, "notice.dead", case_id=row.case_id, pool_id=row.pool_id)
    return {row.id: NoticeState.DEAD for row in buried}


def _why(one: Answered) -> str:
    return str(failure_of(one.attempt.status_code, one.attempt.error))
