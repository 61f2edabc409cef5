"""Communes' figures on their way: an app that is away, replays, kills, and who wants which."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event, text

from lims.domain.exchange import DestinationKind
from lims.exchange.adapters.area_figures import AreaFigures
from lims.exchange.area_keeper import AreaKeeper
from lims.work.destinations import start, stop
from lims.work.outbound import lease, owed_now
from tests.builders import ELSEWHERE, FAR_PROVINCE, FAR_WARD, HOME, PROVINCE, WORK
from tests.exchange.feeds import TODAY, Feed
from tests.exchange.laboratories import Lab
from tests.exchange.platform import platform


def test_while_the_app_is_away_a_figure_gives_way_to_its_successor(lab: Lab) -> None:
    with platform(areas=True) as gone:
        url = gone.url
    away = lab.area_app(url)
    with platform(areas=True, broken=lambda _: (503, b"") if unwell else None) as app:
        unwell = True
        feed = Feed(lab, app)
        lab.area_app(app.url)
        for _ in range(3):
            feed.positive()
            feed.send()
            lab.bench.later(10)
        assert app.said == []
        unwell = False
        feed.send()
    (said,) = app.said
    assert (said["sequence"], said["f0"]["opened"]) == (3, 3)
    with lab.laboratory.sessions.begin() as session:
        rows = session.execute(
            text("SELECT destination_id = :away AS away, state, sequence FROM outbound"),
            {"away": away},
        ).all()
    assert sorted(map(tuple, rows)) == [(False, "delivered", 3), (True, "owed", 3)]


def test_looking_again_owes_nothing_and_so_does_another_who_looks(feed: Feed) -> None:
    feed.positive()
    assert feed.look() == 1
    assert feed.look() == 0
    feed.restart()
    assert feed.look() == 0
    assert len(feed.send()) == 1
    feed.restart()
    assert feed.send() == []


def test_what_happened_while_nobody_looked_is_counted_after_the_fall(feed: Feed) -> None:
    feed.positive(area=HOME)
    feed.send()
    feed.restart()
    feed.lab.bench.later(3 * 24 * 60)
    feed.positive(area=WORK)
    assert [one["area"]["code"] for one in feed.send()] == [WORK.code]


def test_two_who_look_at_once_owe_each_figure_once(feed: Feed) -> None:
    for area in (HOME, WORK, ELSEWHERE):
        feed.positive(area=area)
    feed.lab.bench.session.commit()
    owed: list[int] = []
    threads = [
        threading.Thread(target=lambda: owed.append(AreaKeeper(feed.lab.laboratory).once()))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(owed) == 3
    assert len(feed.send()) == 3


def test_a_sender_that_dies_before_writing_down_says_the_same_again(feed: Feed) -> None:
    feed.positive()
    feed.look()
    lab, kinds, speaker = feed.lab, [DestinationKind.AREA_FIGURES], AreaFigures(answer_s=1.0)
    with lab.laboratory.sessions.begin() as session:
        leased = lease(session, lab.clock.now, 60, site_id=lab.bench.site_id, kinds=kinds)
        assert leased is not None
        payloads = speaker.compose(session, leased, owed_now(session, leased, lab.clock.now, 10))
    with speaker.line(leased) as tell:
        tell(payloads)  # and here the power goes
    lab.clock.later(2)
    lab.deliver()
    first, second = feed.app.said
    assert first == second
    assert {row[1] for row in lab.rows()} == {"delivered"}


def test_a_figure_on_its_way_when_the_next_is_counted_never_stays_the_last_word(
    feed: Feed,
) -> None:
    feed.positive()
    feed.look()
    lab, kinds, speaker = feed.lab, [DestinationKind.AREA_FIGURES], AreaFigures(answer_s=1.0)
    with lab.laboratory.sessions.begin() as session:
        leased = lease(session, lab.clock.now, 60, site_id=lab.bench.site_id, kinds=kinds)
        assert leased is not None
        payloads = speaker.compose(session, leased, owed_now(session, leased, lab.clock.now, 10))
    feed.positive()
    assert feed.look() == 1
    with speaker.line(leased) as tell:
        tell(payloads)
    lab.clock.later(2)
    lab.deliver()
    assert [one["sequence"] for one in feed.app.said] == [1, 2]
    assert feed.shown()[(HOME.code, TODAY)] == (2, 2, 0, 2, 2)


def test_a_row_that_is_sent_late_says_the_figures_that_hold(feed: Feed) -> None:
    """Its successor could not take its place, since it was being written down just then."""
    feed.positive()
    feed.look()
    with feed.lab.laboratory.sessions.begin() as session:
        session.execute(text("SELECT FROM outbound FOR UPDATE"))
        feed.positive()
        assert feed.look() == 1
    feed.lab.deliver()
    assert [one["sequence"] for one in feed.app.said] == [2, 2]
    assert feed.lab.rows() == [("F", "delivered", 1), ("C", "delivered", 1)]


@pytest.mark.parametrize(
    ("wanted", "codes"), [(PROVINCE, [HOME.code, WORK.code]), (FAR_PROVINCE, [FAR_WARD.code])]
)
def test_an_app_of_a_province_hears_of_its_communes(
    lab: Lab, wanted: Any, codes: list[str]
) -> None:
    with platform(areas=True) as app:
        lab.area_app(app.url, area=wanted)
        feed = Feed(lab, app)
        for area in (HOME, WORK, FAR_WARD):
            feed.positive(area=area)
        feed.send()
    assert sorted(code for code, _ in feed.shown()) == codes


def test_a_new_app_hears_of_the_days_before_and_a_stopped_one_catches_up(feed: Feed) -> None:
    feed.positive(area=HOME)
    feed.send()
    with platform(areas=True) as other:
        destination = feed.lab.area_app(other.url)
        feed.send()
        assert [one["area"]["code"] for one in other.said] == [HOME.code]
        by = {"by": "user:admin", "now": feed.lab.clock.now}
        with feed.lab.laboratory.sessions.begin() as session:
            stop(session, destination, **by)  # type: ignore[arg-type]  # as every verb takes them
        feed.positive(area=WORK)
        feed.send()
        assert len(other.said) == 1
        with feed.lab.laboratory.sessions.begin() as session:
            start(session, destination, **by)  # type: ignore[arg-type]  # as every verb takes them
        feed.send()
        assert [one["area"]["code"] for one in other.said] == [HOME.code, WORK.code]


def test_a_refused_figure_is_kept_with_its_reason_until_the_next_takes_its_place(
    lab: Lab,
) -> None:
    with platform(lambda _: ("refused", "xã đã sáp nhập"), areas=True) as app:
        lab.area_app(app.url)
        feed = Feed(lab, app)
        feed.positive()
        feed.send()
        assert lab.answers() == ["refused xã đã sáp nhập"]
        assert lab.rows() == [("F", "dead", 1)]
        app.judge = lambda _: ("accepted", "")
        feed.positive()
        feed.send()
    assert lab.rows() == [("C", "delivered", 1)]


def test_without_an_app_nothing_is_counted(lab: Lab) -> None:
    with platform(areas=True) as app:
        feed = Feed(lab, app)
        feed.positive()
        assert feed.look() == 0
        assert feed.stored() == []


def test_a_result_costs_no_statement_more_for_an_app(lab: Lab) -> None:
    counted: list[int] = []
    for _ in range(3):  # the first one reads what a session reads once
        swab = lab.bench.swab()
        lab.bench.session.commit()
        said: list[str] = []

        def look(*given: Any, said: list[str] = said) -> None:
            said.append(given[2])

        connection = lab.bench.session.connection()
        event.listen(connection, "before_cursor_execute", look)
        lab.bench.run({swab.barcode: 24.0})
        event.remove(connection, "before_cursor_execute", look)
        counted.append(len(said))
        assert not any("area_day" in one for one in said)
        if len(counted) == 2:
            with platform(areas=True) as app:
                lab.area_app(app.url)
    assert counted[1] == counted[2]
