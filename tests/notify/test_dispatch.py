"""Leasing, settling and retrying, told with a clock of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.lifecycle import NoticeState
from lims.domain.resting import RestPlan
from lims.domain.retries import RetryPlan
from lims.domain.telling import Channel
from lims.tables import AuditEvent, Delivery, Notice, Subscription
from lims.work import deadletters, delivery, dispatch, shown
from lims.work.delivery import Answered, Attempt, Plans
from lims.work.owed import News, Owed
from lims.work.subscribe import enable
from tests.builders_handoff import Ward, ward
from tests.waiting import while_the_first_is_open

PLAN = RetryPlan(jitter=0.0)
OK = Attempt(200, None, 12)
REFUSED = Attempt(None, "ConnectError: refused", 3)


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


@pytest.fixture
def lease(session: Session, here: Ward) -> Callable[..., list[Owed]]:
    def take(
        at: datetime,
        *,
        limit: int = 50,
        per_subscription: int = 50,
        room: Mapping[UUID, int] | None = None,
    ) -> list[Owed]:
        return dispatch.lease(
            session,
            at,
            limit,
            60,
            site_id=here.site_id,
            per_subscription=per_subscription,
            room=room,
        )

    return take


def settle(
    session: Session, notice: UUID, attempt: Attempt, at: datetime, *, plan: RetryPlan = PLAN
) -> NoticeState:
    row = session.get_one(Notice, notice, populate_existing=True)
    news = News(row.id, row.kind, row.case_id, row.pool_id, row.sequence, {}, row.created_at)
    to = session.get_one(Subscription, row.subscription_id, populate_existing=True)
    resting = to.rests_until is not None
    owed = Owed(row.id, to.id, Channel.WEBHOOK, "", (), (news,), asking=resting)
    plans = Plans(Random(1), plan, RestPlan(jitter=0.0))
    delivery.settle(session, [Answered(owed, attempt)], at, plans=plans)
    session.expire_all()
    return NoticeState(session.get_one(Notice, notice).state)


def test_what_is_owed_is_leased_once_and_again_when_the_lease_has_run_out(
    here: Ward, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    notice = here.owe(here.webhook("http://a.test/"))
    assert [owed.message_id for owed in lease(now)] == [notice]
    assert lease(now + timedelta(seconds=59)) == []
    assert [owed.message_id for owed in lease(now + timedelta(seconds=61))] == [notice]


def test_a_later_word_on_a_case_waits_for_the_earlier_one(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team, case = here.webhook("http://a.test/"), here.case()
    opened = here.owe(team, case=case, sequence=1)
    confirmed = here.owe(team, case=case, sequence=2)
    assert [owed.message_id for owed in lease(now)] == [opened]
    settle(session, opened, REFUSED, now)
    assert lease(now + timedelta(seconds=4)) == []
    lease(now + timedelta(seconds=5))
    settle(session, opened, OK, now + timedelta(seconds=5))
    assert [owed.message_id for owed in lease(now + timedelta(seconds=5))] == [confirmed]


def test_a_dead_first_word_lets_the_second_go(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team, pool = here.webhook("http://a.test/"), here.positive_pool(people=2)
    raised = here.owe(team, pool=pool, sequence=1)
    updated = here.owe(team, pool=pool, sequence=2)
    lease(now)
    settle(session, raised, REFUSED, now, plan=RetryPlan(waits_s=()))
    assert [owed.message_id for owed in lease(now)] == [updated]


def test_one_recipient_with_a_mountain_owed_leaves_room_for_the_others(
    here: Ward, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    busy, quiet = here.webhook("http://busy.test/"), here.webhook("http://quiet.test/")
    for minutes in range(20):
        here.owe(busy, due=now - timedelta(minutes=20 - minutes))
    here.owe(quiet)
    first = lease(now, limit=4, per_subscription=2)
    assert sorted(owed.to for owed in first) == ["http://busy.test/"] * 2 + ["http://quiet.test/"]
    assert lease(now, room={busy: 0}) == []
    assert len(lease(now, room={busy: 3})) == 3


def test_two_deliverers_never_hold_the_same_notice(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    team = here.webhook("http://a.test/")
    for _ in range(6):
        here.owe(team)
    session.commit()
    sessions = session_factory(database)
    with sessions.begin() as one, sessions.begin() as other:
        ours = dispatch.lease(one, now, 3, 60, site_id=here.site_id, per_subscription=6)
        theirs = dispatch.lease(other, now, 6, 60, site_id=here.site_id, per_subscription=6)
    taken = [owed.message_id for owed in (*ours, *theirs)]
    assert (len(ours), len(theirs)) == (3, 3)
    assert len(set(taken)) == 6


def test_another_sites_notices_are_left_to_its_own_deliverer(
    here: Ward, session: Session, now: datetime
) -> None:
    here.owe(here.webhook("http://a.test/"))
    session.flush()
    elsewhere = UUID(int=7)
    assert dispatch.lease(session, now, 9, 60, site_id=elsewhere) == []
    assert dispatch.next_due(session, site_id=elsewhere) is None


def test_failures_wait_longer_and_longer_and_every_attempt_is_a_row(
    here: Ward, session: Session, now: datetime
) -> None:
    notice = here.owe(here.webhook("http://a.test/"))
    waits = []
    for attempt in (REFUSED, Attempt(500, "oops", 9), Attempt(404, "lost", 9)):
        settle(session, notice, attempt, now)
        waits.append((session.get_one(Notice, notice).next_attempt_at - now).total_seconds())
    assert waits == [5, 30, 120]
    rows = session.scalars(select(Delivery).order_by(Delivery.attempt)).all()
    assert [(row.attempt, row.status_code) for row in rows] == [(1, None), (2, 500), (3, 404)]


def test_a_receiver_that_names_a_time_is_not_asked_before_it(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team = here.webhook("http://a.test/")
    first, _second = here.owe(team), here.owe(team)
    settle(session, first, Attempt(429, "slow", 5, retry_after_s=90), now)
    assert lease(now + timedelta(seconds=89)) == []
    (asked,) = lease(now + timedelta(seconds=90))
    settle(session, asked.message_id, OK, now + timedelta(seconds=90))
    assert len(lease(now + timedelta(seconds=90))) == 1


def test_a_receiver_dead_for_26_hours_gets_everything_when_it_returns(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team = here.webhook("http://a.test/")
    cases = [here.case() for _ in range(3)]
    for case in cases:
        here.owe(team, case=case, sequence=1)
        here.owe(team, case=case, sequence=2)
    at = now
    while at < now + timedelta(hours=26):
        for owed in lease(at):
            settle(session, owed.message_id, REFUSED, at)
        at = dispatch.next_due(session, site_id=here.site_id) or at
    assert deadletters.dead(session, site_id=here.site_id) == []
    returned_at = now + timedelta(hours=26)
    arrived: list[Owed] = []
    at = max(at, returned_at)
    assert at <= returned_at + timedelta(minutes=66)
    first_try = lease(at, limit=1)
    settle(session, first_try[0].message_id, OK, at)
    arrived += first_try
    while leased := lease(at):
        for owed in leased:
            settle(session, owed.message_id, OK, at)
        arrived += leased
    assert len(arrived) == 6
    for case in cases:
        assert [owed.news[0].sequence for owed in arrived if owed.news[0].case_id == case] == [1, 2]


def test_a_receiver_that_is_gone_is_disabled_and_said_so(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team = here.webhook("http://a.test/")
    first, second = here.owe(team), here.owe(team)
    assert settle(session, first, Attempt(410, "gone", 4), now) is NoticeState.DEAD
    assert session.get_one(Subscription, team).disabled_at == now
    assert lease(now) == []
    letters = deadletters.dead(session, site_id=here.site_id)
    assert {letter.notice_id for letter in letters} == {first, second}
    assert all("410" in (letter.disabled_why or "") for letter in letters)
    verbs = session.scalars(select(AuditEvent.verb)).all()
    assert "subscription-disabled" in verbs


def test_the_last_failure_buries_the_notice_and_a_resend_starts_afresh(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    notice = here.owe(here.webhook("http://a.test/"))
    plan = RetryPlan(waits_s=(1.0,), jitter=0.0)
    states = [settle(session, notice, REFUSED, now, plan=plan) for _ in range(2)]
    assert states == [NoticeState.OWED, NoticeState.DEAD]
    letter = deadletters.dead(session, site_id=here.site_id)[0]
    assert (letter.tries, letter.last_said, letter.receiver) == (
        2,
        "ConnectError: refused",
        "a.test",
    )
    assert deadletters.resend(session, ids=[notice], by="operator", now=now) == 1
    assert [owed.message_id for owed in lease(now)] == [notice]
    assert settle(session, notice, OK, now) is NoticeState.DELIVERED
    tries = session.scalars(select(Delivery.attempt).order_by(Delivery.attempt)).all()
    assert tries == [1, 2, 3]


def test_nothing_is_resent_to_a_disabled_receiver_until_it_is_enabled(
    here: Ward, session: Session, lease: Callable[..., list[Owed]], now: datetime
) -> None:
    team = here.webhook("http://a.test/")
    notice = here.owe(team)
    settle(session, notice, Attempt(410, None, 4), now)
    with pytest.raises(deadletters.SubscriptionDisabled, match="410"):
        deadletters.resend(session, subscription_id=team, by="operator", now=now)
    enable(session, team, by="operator", now=now)
    assert deadletters.resend(session, subscription_id=team, by="operator", now=now) == 1
    assert len(lease(now)) == 1


def test_a_late_success_counts_even_after_the_notice_was_given_up(
    here: Ward, session: Session, now: datetime
) -> None:
    notice = here.owe(here.webhook("http://a.test/"))
    settle(session, notice, REFUSED, now, plan=RetryPlan(waits_s=()))
    assert settle(session, notice, OK, now) is NoticeState.DELIVERED
    assert settle(session, notice, REFUSED, now) is NoticeState.DELIVERED


def test_an_answer_that_waits_for_anothers_failure_is_the_next_attempt(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    notice = here.owe(here.webhook("http://a.test/"))
    session.commit()

    def failed(first: Session) -> None:
        settle(first, notice, Attempt(None, "timeout", 30_000), now)

    def answered(second: Session) -> None:
        settle(second, notice, Attempt(200, None, 12), now)

    while_the_first_is_open(database, failed, answered)
    session.expire_all()
    assert session.get_one(Notice, notice).state == NoticeState.DELIVERED
    attempts = select(Delivery.attempt, Delivery.status_code).order_by(Delivery.attempt)
    assert session.execute(attempts).all() == [(1, None), (2, 200)]


def test_the_board_is_its_own_delivery(here: Ward, session: Session, now: datetime) -> None:
    notice = here.owe(here.board(team=here.team()))
    assert shown.show_on_board(session, now, site_id=here.site_id) == 1
    session.expire_all()
    assert session.get_one(Notice, notice).delivered_at == now
    assert session.scalars(select(Delivery.error)).all() == ["shown on the board"]
    assert shown.show_on_board(session, now, site_id=here.site_id) == 0
