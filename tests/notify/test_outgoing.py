"""Leased notices in a line for each receiver: a slow one holds a few senders, and never all."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from lims.db.ids import uuid7
from lims.domain.telling import Channel
from lims.notify.outgoing import Outgoing, Share
from lims.work.owed import News, Owed
from tests.until import WITHIN_S, until

SLOW, QUICK = uuid7(), uuid7()
NOW = datetime(2021, 9, 1, tzinfo=UTC)


def notice(receiver: UUID, sequence: int = 1) -> Owed:
    news = News(uuid7(), "case.opened", uuid7(), None, sequence, {}, NOW)
    return Owed(news.notice_id, receiver, Channel.WEBHOOK, "", (), (news,))


def line(pool: ThreadPoolExecutor, send: Callable[[Owed], object]) -> Outgoing:
    def sent(owed: Owed) -> bool:
        send(owed)
        return True

    return Outgoing(
        pool, sent, lambda: None, lambda _left: None, share=Share(at_once=2, quick_at_once=2)
    )


def later() -> float:
    return monotonic() + 2 * WITHIN_S


def until_all_are_back(outgoing: Outgoing) -> None:
    """A pool that ends takes nothing more, and each notice is handed to it in its turn."""
    until(lambda: outgoing.out == 0, "the last one back")


def test_a_receiver_that_does_not_answer_holds_two_senders_and_the_other_is_told() -> None:
    answered, told = threading.Event(), []
    quick_ones = threading.Semaphore(0)

    def send(owed: Owed) -> None:
        if owed.subscription_id == SLOW:
            answered.wait(WITHIN_S)
        else:
            told.append(owed)
            quick_ones.release()

    with ThreadPoolExecutor(3) as pool:
        outgoing = line(pool, send)
        outgoing.take([notice(SLOW) for _ in range(8)], later())
        outgoing.take([notice(QUICK) for _ in range(8)], later())
        for _ in range(8):
            assert quick_ones.acquire(timeout=WITHIN_S)
        assert outgoing.out >= 8
        answered.set()
        until_all_are_back(outgoing)
    assert len(told) == 8


def test_one_receivers_notices_leave_in_the_order_they_were_leased() -> None:
    told: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        outgoing = line(pool, lambda owed: told.append(owed.news[0].sequence))
        outgoing.take([notice(QUICK, number) for number in range(20)], later())
        until_all_are_back(outgoing)
    assert told == list(range(20))


def test_what_has_not_begun_when_its_lease_runs_out_is_not_sent() -> None:
    told: list[Owed] = []
    with ThreadPoolExecutor(2) as pool:
        outgoing = line(pool, told.append)
        outgoing.take([notice(QUICK) for _ in range(5)], monotonic() - 1)
        until_all_are_back(outgoing)
    assert told == []


def test_at_the_end_what_has_not_begun_is_given_back_and_what_has_is_finished() -> None:
    begun, go_on, told = threading.Semaphore(0), threading.Event(), []

    def send(owed: Owed) -> None:
        begun.release()
        go_on.wait(WITHIN_S)
        told.append(owed)

    with ThreadPoolExecutor(4) as pool:
        outgoing = line(pool, send)
        outgoing.take([notice(SLOW) for _ in range(6)], later())
        for _ in range(2):
            assert begun.acquire(timeout=WITHIN_S)
        left = outgoing.give_back()
        go_on.set()
    assert len(left) == 4
    assert len(told) == 2
    assert {one.message_id for one in left}.isdisjoint(one.message_id for one in told)


def test_a_sender_that_fails_makes_room_as_one_that_succeeds() -> None:
    def send(_owed: Owed) -> None:
        raise RuntimeError("a fault of ours")

    with ThreadPoolExecutor(2) as pool:
        outgoing = line(pool, send)
        outgoing.take([notice(QUICK) for _ in range(5)], later())
        until_all_are_back(outgoing)
