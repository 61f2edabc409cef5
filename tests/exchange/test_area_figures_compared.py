"""What an epidemic-zone app holds of the figures it took: each gap by its commune and day."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from lims.work.views.comparisons import newest_comparisons
from tests.builders import ELSEWHERE, HOME, WORK
from tests.exchange.feeds import Feed
from tests.exchange.laboratories import Lab
from tests.exchange.platform import platform
from tests.exchange.test_compare import compare, gaps, send


@pytest.fixture
def told(lab: Lab) -> Iterator[tuple[Feed, UUID]]:
    """Three communes' figures, taken; WORK's of a second sequence."""
    with platform(areas=True) as app:
        destination = lab.area_app(app.url)
        feed = Feed(lab, app)
        for area in (HOME, WORK, ELSEWHERE):
            feed.positive(area=area)
        feed.send()
        feed.positive(area=WORK)
        feed.send()
        yield feed, destination


def record(feed: Feed, code: str) -> str:
    return next(key for key, one in feed.app.books.items() if one["area"]["code"] == code)


def test_what_they_hold_as_we_said_it_is_no_difference(told: tuple[Feed, UUID]) -> None:
    feed, destination = told
    done = compare(feed.lab, destination)
    assert (done.state, done.told, done.held) == ("done", 3, 3)
    assert gaps(feed.lab) == {}


def test_lost_older_other_and_foreign_figures_are_named_and_sent_once_more(
    told: tuple[Feed, UUID],
) -> None:
    feed, destination = told
    home, work, elsewhere = (record(feed, one.code) for one in (HOME, WORK, ELSEWHERE))
    books, foreign = feed.app.books, "0198c5a0-0000-7000-8000-000000000001"
    newest = dict(books)
    books[foreign] = {**books[home], "record": foreign}
    del books[home]
    books[work] = {**books[work], "sequence": 1}
    books[elsewhere] = {**books[elsewhere], "f0": {**books[elsewhere]["f0"], "open": 0}}
    done = compare(feed.lab, destination)
    assert (done.told, done.held) == (3, 3)
    assert gaps(feed.lab) == {
        home: ("missing", 1, None),
        work: ("behind", 2, 1),
        elsewhere: ("other", 1, 1),
        foreign: ("stranger", None, 1),
    }
    with feed.lab.laboratory.sessions.begin() as session:
        found = newest_comparisons(session, feed.lab.bench.site_id)[destination].ended
    assert found is not None
    assert {(one.place, str(one.day)) for one in found.shown if one.place} == {
        ("Tân Định", "2021-09-11"),
        ("Sài Gòn", "2021-09-11"),
        ("Cầu Ông Lãnh", "2021-09-11"),
    }
    del books[foreign], books[elsewhere]  # a platform that forgets takes the same sequence again
    assert send(feed.lab, destination) == 3
    assert books == newest


def test_a_figure_counted_anew_since_is_no_difference(told: tuple[Feed, UUID]) -> None:
    """It is owed: what they took last is what they have."""
    feed, destination = told
    feed.positive(area=HOME)
    assert feed.look() == 1
    compare(feed.lab, destination)
    assert gaps(feed.lab) == {}


@pytest.mark.parametrize("harm", ["f0", "pcr", "antigen"])
def test_a_list_without_figures_is_no_list(told: tuple[Feed, UUID], harm: str) -> None:
    feed, destination = told
    feed.app.listed_as = tuple(name for name in feed.app.listed_as if name != harm)
    done = compare(feed.lab, destination)
    assert (done.state, done.said) == ("asked", "a list of records that is not of the contract")
    assert gaps(feed.lab) == {}
