"""A recipient that keeps failing is left alone, asked now and then, and told all when back."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import NoticeState
from lims.domain.resting import RestPlan
from lims.domain.retries import RetryPlan
from lims.domain.telling import Failure
from lims.tables import AuditEvent, Delivery, Notice, Subscription
from lims.work import deadletters, delivery, dispatch
from lims.work.delivery import Answered, Attempt, Plans
from lims.work.owed import Owed
from lims.work.views.sent import failing
from tests.builders_handoff import Ward, ward

REFUSED = Attempt(None, "ConnectError: refused", 3)
OK = Attempt(204, None, 3)
PLANS = Plans(Random(1), RetryPlan(jitter=0.0), RestPlan(jitter=0.0))


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def lease(here: Ward, at: datetime, *, limit: int = 50) -> list[Owed]:
    return dispatch.lease(here.session, at, limit, 60, site_id=here.site_id, per_subscription=limit)


def answer(here: Ward, owed: list[Owed], attempt: Attempt, at: datetime) -> None:
    delivery.settle(here.session, [Answered(one, attempt) for one in owed], at, plans=PLANS)
    here.session.expire_all()


def dead_for(here: Ward, since: datetime, how_long: timedelta) -> datetime:
    """Every attempt of that time fails; the moment after it."""
    at = since
    while at < since + how_long:
        answer(here, lease(here, at), REFUSED, at)
        at = max(at, dispatch.next_due(here.session, site_id=here.site_id) or at)
    return at


def attempts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Delivery)) or 0


def states(session: Session) -> set[str]:
    return set(session.scalars(select(Notice.state)))


def test_a_dead_office_costs_a_few_attempts_an_hour_however_much_it_is_owed(
    here: Ward, session: Session, now: datetime
) -> None:
    office = here.webhook("http://dead.test/")
    for _ in range(40):
        here.owe(office)
    dead_for(here, now, timedelta(hours=1))
    assert attempts(session) <= 40 + 5 + 13
    before = attempts(session)
    dead_for(here, now + timedelta(hours=2), timedelta(hours=1))
    assert attempts(session) - before <= 13
    (shown,) = failing(session, site_id=here.site_id)
    assert (shown.owed, shown.failing_since) == (40, now)
    assert shown.rests_until is not None


def test_the_others_are_leased_while_it_rests_and_it_is_not(here: Ward, now: datetime) -> None:
    dead, well = here.webhook("http://dead.test/"), here.webhook("http://well.test/")
    for _ in range(6):
        here.owe(dead)
    answer(here, lease(here, now), REFUSED, now)
    here.owe(dead)
    flowing = here.owe(well)
    assert [one.message_id for one in lease(here, now + timedelta(seconds=6))] == [flowing]


def test_while_one_asks_nobody_else_does(here: Ward, now: datetime) -> None:
    dead = here.webhook("http://dead.test/")
    for _ in range(6):
        here.owe(dead)
    answer(here, lease(here, now), REFUSED, now)
    later = now + timedelta(minutes=10)
    (asking,) = lease(here, later)
    assert asking.asking
    assert lease(here, later) == []


def test_with_its_first_answer_everything_owed_goes_at_once_and_the_record_says_so(
    here: Ward, session: Session, now: datetime
) -> None:
    office = here.webhook("http://dead.test/")
    for _ in range(20):
        here.owe(office)
    back_at = dead_for(here, now, timedelta(hours=26))
    (first,) = lease(here, back_at)
    answer(here, [first], OK, back_at)
    rest = lease(here, back_at)
    assert len(rest) == 19
    answer(here, rest, OK, back_at)
    assert states(session) == {NoticeState.DELIVERED}
    found = session.get_one(Subscription, office)
    assert (found.failures, found.failing_since, found.rests_until) == (0, None, None)
    verbs = session.scalars(
        select(AuditEvent.verb).where(AuditEvent.subject == str(office)).order_by(AuditEvent.id)
    ).all()
    assert verbs == ["recipient-rests", "recipient-answers"]


def test_an_office_dead_for_more_than_three_days_is_on_the_list_of_the_untold(
    here: Ward, session: Session, now: datetime
) -> None:
    office = here.webhook("http://dead.test/")
    old = {here.owe(office) for _ in range(10)}
    at = dead_for(here, now, timedelta(hours=71))
    young = here.owe(office)
    session.get_one(Notice, young).created_at = at
    session.flush()
    dead_for(here, at, timedelta(hours=3))
    letters = deadletters.dead(session, site_id=here.site_id)
    assert {letter.notice_id for letter in letters} == old
    assert {letter.failure for letter in letters} == {Failure.UNREACHABLE}
    assert session.get_one(Notice, young).state == NoticeState.OWED


def test_one_notice_that_a_receiver_cannot_take_does_not_make_it_rest(
    here: Ward, session: Session, now: datetime
) -> None:
    office = here.webhook("http://picky.test/")
    poison = here.owe(office)
    at = now
    for _ in range(8):
        good = here.owe(office, due=at)
        for one in lease(here, at):
            answer(here, [one], OK if one.message_id == good else Attempt(500, "no", 3), at)
        at += timedelta(hours=1)
    assert session.get_one(Subscription, office).rests_until is None
    assert session.get_one(Notice, poison).state == NoticeState.OWED


def test_a_bulk_resend_takes_one_reason_and_leaves_offices_that_are_switched_off(
    here: Ward, session: Session, now: datetime
) -> None:
    reasons = {
        "http://certificate.test/": Attempt(None, "ConnectError: CERTIFICATE_VERIFY_FAILED", 1),
        "http://broken.test/": Attempt(500, "no", 1),
        "http://gone.test/": Attempt(410, "no", 1),
    }
    plans = Plans(Random(1), RetryPlan(waits_s=()), RestPlan(trips_after=99))
    owed: dict[str, UUID] = {url: here.owe(here.webhook(url)) for url in reasons}
    for one in lease(here, now):
        delivery.settle(session, [Answered(one, reasons[one.to])], now, plans=plans)
    again = {
        why: deadletters.resend_because(session, why, site_id=here.site_id, by="user:op", now=now)
        for why in (Failure.CERTIFICATE, Failure.GONE)
    }
    assert again == {Failure.CERTIFICATE: 1, Failure.GONE: 0}
    groups = deadletters.groups(session, site_id=here.site_id)
    assert {(g.receiver, g.failure, g.notices) for g in groups} == {
        ("broken.test", Failure.BROKEN, 1),
        ("gone.test", Failure.GONE, 1),
    }
    resent = session.get_one(Notice, owed["http://certificate.test/"], populate_existing=True)
    assert (resent.state, resent.failure) == (NoticeState.OWED, None)
    said = session.scalars(select(AuditEvent.detail).where(AuditEvent.verb == "notice-resent"))
    assert said.all() == [{"because": "certificate"}]
