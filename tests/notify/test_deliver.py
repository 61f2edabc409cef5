"""The deliverer against a real database and real receivers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import NoticeState
from lims.domain.retries import RetryPlan
from lims.notify.deliver import Deliverer, Pace
from lims.notify.email import EmailSender
from lims.notify.outgoing import Share
from lims.notify.ways import Ways
from lims.notify.webhook import WebhookSender
from lims.tables import Delivery, Notice
from lims.work import dispatch
from tests.builders_handoff import HANOI, Ward, laboratory, ward
from tests.notify.receivers import Answer, Receiver, receiver
from tests.until import WITHIN_S, until

BASE = "https://lims.test"
SOON = RetryPlan(waits_s=(0.05,) * 5, jitter=0.0)


@pytest.fixture
def here(session: Session) -> Ward:
    """Real time: receivers refuse a timestamp more than five minutes off."""
    return ward(session, datetime.now(UTC))


@pytest.fixture
def lab(database: Engine, here: Ward) -> Laboratory:
    here.session.commit()
    return laboratory(database, here.site_id)


@contextmanager
def delivering(
    lab: Laboratory, *, plan: RetryPlan = SOON, pace: Pace | None = None
) -> Iterator[Deliverer]:
    stop = threading.Event()
    sender = WebhookSender(
        BASE, connect_s=WITHIN_S, read_s=WITHIN_S, whole_s=WITHIN_S, private=True
    )
    deliverer = Deliverer(
        lab, Ways(sender, EmailSender(BASE, None)), plan=plan, pace=pace, rng=Random(1)
    )
    thread = threading.Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield deliverer
    finally:
        stop.set()
        thread.join(WITHIN_S)
        deliverer.close()
        assert not thread.is_alive(), "the deliverer did not stop"


def states(lab: Laboratory) -> list[str]:
    with lab.sessions() as session:
        return list(session.scalars(select(Notice.state).order_by(Notice.id)))


def test_a_notice_owed_while_the_deliverer_sleeps_goes_out_at_once(
    here: Ward, lab: Laboratory
) -> None:
    with receiver() as team, delivering(lab):
        notice = here.owe(here.webhook(team.url))
        here.session.execute(select(func.pg_notify("notice_owed", "")))
        here.session.commit()
        until(lambda: states(lab) == ["delivered"], "the delivery")
    assert team.ids == [f"msg_{notice}"]


def test_a_receiver_that_fails_twice_gets_the_same_notice_a_third_time(
    here: Ward, lab: Laboratory
) -> None:
    with receiver(lambda n: Answer(500 if n < 3 else 204)) as team:
        notice = here.owe(here.webhook(team.url))
        here.session.commit()
        with delivering(lab):
            until(lambda: states(lab) == ["delivered"], "the delivery")
    assert team.ids == [f"msg_{notice}"] * 3
    codes = here.session.scalars(select(Delivery.status_code).order_by(Delivery.attempt)).all()
    assert codes == [500, 500, 204]


def test_a_receiver_that_hangs_delays_nobody_else(here: Ward, lab: Laboratory) -> None:
    with receiver(slow=True) as hung, receiver() as quick:
        stuck, flowing = here.webhook(hung.url), here.webhook(quick.url)
        for _ in range(12):
            here.owe(stuck)
        for _ in range(12):
            here.owe(flowing)
        here.session.commit()
        with delivering(lab, pace=Pace(senders=4, share=Share(at_once=2))):
            until(lambda: len(quick.ids) == 12, "the twelve of the quick one")
            assert len(hung.ids) <= 2
            hung.gate.set()


def test_killed_between_sending_and_settling_the_same_id_arrives_twice(
    here: Ward, lab: Laboratory
) -> None:
    with receiver() as team:
        notice = here.owe(here.webhook(team.url))
        here.session.commit()
        with lab.sessions.begin() as session:
            leased = dispatch.lease(session, lab.clock(), 1, 30, site_id=lab.site_id)
        sender = WebhookSender(BASE, private=True)
        sender.send(leased[0], lab.clock)  # and here the power goes
        sender.close()
        later = replace(lab, clock=lambda: datetime.now(UTC) + timedelta(seconds=31))
        deliverer = Deliverer(later, Ways.of(BASE, private=True), plan=SOON)
        assert deliverer.drain() == 1
        deliverer.close()
    assert team.ids == [f"msg_{notice}"] * 2


def test_a_lease_still_running_is_respected(here: Ward, lab: Laboratory) -> None:
    with receiver() as team:
        here.owe(here.webhook(team.url))
        here.session.commit()
        with lab.sessions.begin() as session:
            dispatch.lease(session, lab.clock(), 1, 600, site_id=lab.site_id)
        deliverer = Deliverer(lab, Ways.of(BASE, private=True), plan=SOON)
        assert deliverer.drain() == 0
        deliverer.close()
    assert team.ids == []


def test_two_deliverers_deliver_each_notice_once_and_each_case_in_order(
    here: Ward, lab: Laboratory
) -> None:
    with receiver() as team:
        subscription = here.webhook(team.url)
        cases = [here.case() for _ in range(8)]
        for sequence in (1, 2, 3):
            for case in cases:
                here.owe(subscription, case=case, sequence=sequence)
        here.session.commit()
        with delivering(lab), delivering(lab):
            until(lambda: states(lab) == ["delivered"] * 24, "all deliveries")
    assert len(team.ids) == len(set(team.ids)) == 24
    for case in cases:
        assert _sequences(team, case) == [1, 2, 3]


def test_a_receiver_that_says_slow_down_is_left_alone_for_that_long(
    here: Ward, lab: Laboratory
) -> None:
    with receiver(lambda _n: Answer(429, {"retry-after": "600"})) as team:
        notice = here.owe(here.webhook(team.url))
        here.session.commit()
        deliverer = Deliverer(lab, Ways.of(BASE, private=True), plan=SOON)
        assert deliverer.drain() == 0
        deliverer.close()
    row = here.session.get_one(Notice, notice, populate_existing=True)
    assert row.next_attempt_at > datetime.now(UTC) + timedelta(seconds=500)
    assert len(team.ids) == 1


def test_a_receiver_that_is_gone_gets_nothing_more(here: Ward, lab: Laboratory) -> None:
    with receiver(lambda _n: Answer(410)) as team:
        subscription, case = here.webhook(team.url), here.case()
        here.owe(subscription, case=case, sequence=1)
        here.owe(subscription, case=case, sequence=2)
        here.session.commit()
        deliverer = Deliverer(lab, Ways.of(BASE, private=True), plan=SOON)
        assert deliverer.drain() == 0
        deliverer.close()
    assert len(team.ids) == 1
    assert states(lab) == [NoticeState.DEAD, NoticeState.OWED]


@pytest.mark.parametrize(
    "answer", [Answer(410), Answer(429, {"retry-after": "600"})], ids=["gone", "slow down"]
)
def test_a_receiver_that_takes_no_more_hears_no_more_of_what_was_leased(
    answer: Answer, here: Ward, lab: Laboratory
) -> None:
    with receiver(lambda _n: answer) as team, receiver(lambda _n: Answer(204)) as other:
        subscription, later = here.webhook(team.url), here.webhook(other.url)
        for _ in range(20):
            here.owe(subscription)
        here.session.commit()
        with delivering(lab):
            until(lambda: bool(team.ids), "the first at the one")
            here.owe(later)
            here.session.commit()
            until(lambda: bool(other.ids), "the one behind at the other")
    assert len(team.ids) <= Pace().share.at_once
    assert states(lab).count(NoticeState.OWED) >= 20 - Pace().share.at_once


def test_the_board_is_told_through_the_database_alone(here: Ward, lab: Laboratory) -> None:
    here.owe(here.board(team=here.team()))
    here.session.commit()
    with delivering(lab):
        until(lambda: states(lab) == ["delivered"], "the delivery")


def test_what_nobody_claims_is_told_to_the_next_ones_by_the_deliverer(
    here: Ward, lab: Laboratory
) -> None:
    with receiver() as province:
        here.case(opened_at=here.now - timedelta(minutes=31))
        here.webhook(province.url, area=HANOI)
        here.session.commit()
        with delivering(lab):
            until(lambda: len(province.said) == 1, "the notice to the province")
    assert province.said[0]["data"]["unclaimed_min"] == 31


def test_the_deliverer_survives_a_database_that_throws_everybody_out(
    here: Ward, lab: Laboratory
) -> None:
    with receiver() as team, delivering(lab):
        subscription = here.webhook(team.url)
        first = here.owe(subscription)
        here.session.execute(select(func.pg_notify("notice_owed", "")))
        here.session.commit()
        until(lambda: states(lab) == ["delivered"], "the delivery")
        here.session.close()
        _throw_everybody_out(lab)
        second = here.owe(subscription)
        here.session.execute(select(func.pg_notify("notice_owed", "")))
        here.session.commit()
        until(lambda: states(lab) == ["delivered"] * 2, "both deliveries")
    assert team.ids == [f"msg_{first}", f"msg_{second}"]


def _throw_everybody_out(lab: Laboratory) -> None:
    """What a restart does: every connection but the asking one ends with 57P01, and is gone."""
    with lab.sessions() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _sequences(team: Receiver, case: UUID) -> list[int]:
    return [
        said["data"]["sequence"] for said in team.said if said["data"].get("case_id") == str(case)
    ]
