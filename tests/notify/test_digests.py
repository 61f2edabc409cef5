"""One message for a burst: the first at once, then together, in order, under an id that stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.lifecycle import NoticeState
from lims.domain.outcomes import NoticeKind
from lims.domain.retries import RetryPlan
from lims.notify.deliver import Deliverer
from lims.notify.ways import Ways
from lims.tables import Delivery, Notice, Subscription
from lims.work import deadletters, delivery, dispatch
from lims.work.delivery import Answered, Attempt, Plans
from lims.work.digests import CORRECTION_WAITS
from lims.work.owed import Owed
from tests.builders_handoff import Ward, laboratory, ward
from tests.notify.receivers import receiver

OK, REFUSED = Attempt(204, None, 3), Attempt(None, "ConnectError: refused", 3)
PLANS = Plans(Random(1), RetryPlan(jitter=0.0))


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


def gathering(here: Ward, url: str = "http://a.test/", *, gather_s: int = 60) -> UUID:
    made = here.webhook(url)
    here.session.get_one(Subscription, made).gather_s = gather_s
    here.session.flush()
    return made


def lease(here: Ward, at: datetime) -> list[Owed]:
    return dispatch.lease(here.session, at, 50, 60, site_id=here.site_id)


def answer(here: Ward, owed: Owed, attempt: Attempt, at: datetime, plans: Plans = PLANS) -> None:
    delivery.settle(here.session, [Answered(owed, attempt)], at, plans=plans)
    here.session.expire_all()


def test_the_first_goes_at_once_and_what_comes_within_the_minute_goes_together(
    here: Ward, now: datetime
) -> None:
    team = gathering(here)
    first = here.owe(team)
    (alone,) = lease(here, now)
    assert [one.notice_id for one in alone.news] == [first]
    answer(here, alone, OK, now)
    later = [here.owe(team, due=now + timedelta(seconds=n)) for n in range(1, 50)]
    assert lease(here, now + timedelta(seconds=59)) == []
    (together,) = lease(here, now + timedelta(seconds=60))
    assert [one.notice_id for one in together.news] == later
    assert together.digest


def test_each_notice_of_it_has_its_own_state_and_its_own_attempts(
    here: Ward, session: Session, now: datetime
) -> None:
    team = gathering(here)
    notices = {here.owe(team) for _ in range(5)}
    (digest,) = lease(here, now)
    answer(here, digest, REFUSED, now)
    (again,) = lease(here, now + timedelta(seconds=5))
    answer(here, again, OK, now + timedelta(seconds=5))
    assert set(session.scalars(select(Notice.state))) == {NoticeState.DELIVERED}
    rows = session.execute(select(Delivery.notice_id, Delivery.attempt, Delivery.status_code)).all()
    assert {tuple(row) for row in rows} == {
        (one, *tried) for one in notices for tried in ((1, None), (2, 204))
    }


def test_sent_again_it_has_the_same_id_and_holds_the_same_though_more_is_owed_by_then(
    here: Ward, now: datetime
) -> None:
    team = gathering(here)
    here.owe(team)
    (digest,) = lease(here, now)
    answer(here, digest, REFUSED, now)
    more = here.owe(team)
    (again,) = lease(here, now + timedelta(seconds=90))
    assert (again.message_id, again.news) == (digest.message_id, digest.news)
    answer(here, again, OK, now + timedelta(seconds=90))
    (following,) = lease(here, now + timedelta(seconds=90))
    assert [one.notice_id for one in following.news] == [more]


def test_a_correction_stands_behind_what_it_corrects_in_one_digest_and_never_overtakes_it(
    here: Ward, now: datetime
) -> None:
    team, case = gathering(here), here.case()
    corrected = here.owe(team, case=case, sequence=2)  # a host whose clock is behind minted it
    opened = here.owe(team, case=case, sequence=1)
    other = here.owe(team)
    (digest,) = lease(here, now)
    order = [one.notice_id for one in digest.news]
    assert order.index(opened) < order.index(corrected)
    assert set(order) == {opened, corrected, other}
    third = here.owe(team, case=case, sequence=3)
    answer(here, digest, REFUSED, now)
    assert lease(here, now + timedelta(seconds=4)) == []
    (again,) = lease(here, now + timedelta(seconds=61))
    assert third not in {one.notice_id for one in again.news}


def test_a_correction_does_not_wait_for_the_hour_that_a_digest_may(
    here: Ward, now: datetime
) -> None:
    """Somebody is shut in for nothing; what is only new waits as the office asked."""
    team = gathering(here, gather_s=3600)
    answer(here, told(here, team, now), OK, now)
    new = here.owe(team)
    assert lease(here, now + CORRECTION_WAITS) == []
    case = here.case()
    correction = here.owe(team, case=case, sequence=2, kind=NoticeKind.CASE_CORRECTED)
    at = now + CORRECTION_WAITS
    assert lease(here, at - timedelta(seconds=1)) == []
    (together,) = lease(here, at)
    assert {one.notice_id for one in together.news} == {new, correction}


def told(here: Ward, team: UUID, at: datetime) -> Owed:
    """The first message after a silence."""
    here.owe(team)
    (first,) = lease(here, at)
    return first


def test_two_deliverers_never_gather_for_one_office_at_the_same_time(
    here: Ward, session: Session, database: Engine, now: datetime
) -> None:
    team = gathering(here)
    for _ in range(6):
        here.owe(team)
    session.commit()
    sessions = session_factory(database)
    with sessions.begin() as one, sessions.begin() as other:
        ours = dispatch.lease(one, now, 9, 60, site_id=here.site_id)
        theirs = dispatch.lease(other, now, 9, 60, site_id=here.site_id)
    assert (len(ours), theirs) == (1, [])
    assert len(ours[0].news) == 6


def test_given_up_and_sent_again_its_notices_are_gathered_anew(
    here: Ward, session: Session, now: datetime
) -> None:
    team = gathering(here)
    notices = {here.owe(team) for _ in range(3)}
    (digest,) = lease(here, now)
    answer(here, digest, REFUSED, now, Plans(Random(1), RetryPlan(waits_s=())))
    assert len(deadletters.dead(session, site_id=here.site_id)) == 3
    later = now + timedelta(hours=1)
    deadletters.resend(session, subscription_id=team, by="user:op", now=later)
    (again,) = lease(here, later)
    assert {one.notice_id for one in again.news} == notices
    assert again.message_id != digest.message_id


def test_the_office_gets_one_signed_message_with_the_id_of_each_notice(
    here: Ward, session: Session, database: Engine
) -> None:
    with receiver() as office:
        team = gathering(here, office.url)
        notices = [here.owe(team) for _ in range(3)]
        session.commit()
        deliverer = Deliverer(
            laboratory(database, here.site_id), Ways.of("https://l.test", private=True)
        )
        assert deliverer.drain() == 3
        deliverer.close()
    (said,) = office.said
    assert said["type"] == "digest"
    assert [one["id"] for one in said["data"]["notices"]] == [f"msg_{id}" for id in notices]
    assert said["data"]["notices"][0]["data"]["sequence"] == 1
    assert office.ids[0] not in {one["id"] for one in said["data"]["notices"]}
