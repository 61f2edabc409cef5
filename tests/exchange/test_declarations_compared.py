"""What a platform has against what was taken of it: each gap, and fetched once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lims.exchange.compare import Comparer
from lims.work import comparing
from lims.work.destinations import stop
from lims.work.forget import forget_declarations
from lims.work.pulling import fetch_what_is_not_here
from tests.exchange.declaring import declaring, health, newer, subject, withdrawn
from tests.exchange.laboratories import Lab
from tests.exchange.test_compare import gaps


def compare(lab: Lab, destination: UUID) -> Any:
    """Ask about the day, make it, and read the row that came of it."""
    with lab.laboratory.sessions.begin() as session:
        asked = comparing.ask(
            session,
            destination,
            since=lab.clock.now - timedelta(days=1),
            until=lab.clock.now + timedelta(seconds=1),
            by="user:admin",
            now=lab.clock.now,
        )
    assert Comparer(lab.laboratory).one(asked)
    with lab.laboratory.sessions.begin() as session:
        return session.execute(text("SELECT * FROM comparison WHERE id = :id"), {"id": asked}).one()


def fetch(lab: Lab, destination: UUID) -> int:
    with lab.laboratory.sessions.begin() as session:
        return fetch_what_is_not_here(session, destination, by="user:admin", now=lab.clock.now)


def _none(only: str) -> dict[str, Any]:
    """They give nothing of what is asked for."""
    return {"entries": []}


def wanted(lab: Lab) -> int:
    with lab.laboratory.sessions.begin() as session:
        many: int = session.execute(
            text("SELECT count(*) FROM comparison_gap WHERE wanted")
        ).scalar_one()
        return many


def test_where_everything_came_nothing_is_missing(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(*(health(n) for n in range(7)))
        there.say(withdrawn(there.feed[2]))
        done = compare(lab, one)
    assert (done.state, done.held, done.told) == ("done", 7, 7)
    assert gaps(lab) == {}, "what is new is taken before it is compared"


def test_what_was_forgotten_for_its_age_is_no_difference(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(*(health(n) for n in range(3)))
        lab.pull()
        with lab.laboratory.sessions.begin() as session:
            later = lab.clock.now + timedelta(days=31)
            forget_declarations(session, site_id=lab.bench.site_id, now=later)
        there.hidden = [withdrawn(health(2))]
        done = compare(lab, one)
    assert (done.held, done.told) == (3, 3)
    assert gaps(lab) == {subject(2): ("untaken", 1, 2)}


def test_what_their_feed_left_out_is_named_and_fetched_once_more(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(*(health(n) for n in range(5)))
        lab.pull()
        there.hidden = [health(7, "Lê Văn Bảy"), newer(health(3), symptoms=["sốt"])]
        done = compare(lab, one)
        assert (done.held, done.told) == (6, 5)
        assert gaps(lab) == {subject(7): ("untaken", None, 1), subject(3): ("untaken", 1, 2)}
        assert fetch(lab, one) == wanted(lab) == 2
        assert lab.pull().taken == 2
        assert wanted(lab) == 0
        assert sorted(there.asked[-2]["only"].split(",")) == [subject(3), subject(7)]
        compare(lab, one)
    assert gaps(lab) == {}


def test_what_they_do_not_give_is_asked_for_once_and_shows_again(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(health(1))
        lab.pull()
        there.hidden = [health(7)]
        compare(lab, one)
        assert fetch(lab, one) == 1
        given = there.these
        there.these = _none  # type: ignore[method-assign]  # as a platform may
        assert lab.pull().away is None
        there.these = given  # type: ignore[method-assign]  # as a platform may
        lab.clock.later(1)
        assert wanted(lab) == 0
        compare(lab, one)
    assert gaps(lab) == {subject(7): ("untaken", None, 1)}


def test_what_could_not_be_read_is_told_from_what_never_came(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(health(1, person={"phone": "không có"}))
        compare(lab, one)
        assert gaps(lab) == {subject(1): ("unread", 1, 1)}
        assert fetch(lab, one) == 0, "the same again is no use"


def test_what_they_list_no_more_is_found_and_what_has_just_come_is_not(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(health(1), health(2))
        lab.pull()
        lab.clock.later(1)
        del there.feed[0]
        there.epoch = "b"
        listing = there.held

        def declares_meanwhile(asked: dict[str, str]) -> dict[str, Any]:
            said = listing(asked)
            there.say(health(3))
            return said

        there.held = declares_meanwhile  # type: ignore[method-assign]  # as a platform may
        done = compare(lab, one)
    assert (done.held, done.told) == (1, 3)
    assert gaps(lab) == {subject(1): ("vanished", 1, None)}


@pytest.mark.parametrize(
    "said",
    [b"{}", b'{"declarations": [{"declaration": "x", "version": 1, "state": "declared"}]}', b"[]"],
)
def test_half_a_list_is_no_list(lab: Lab, said: bytes) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(health(1))
        lab.pull()
        there.broken = lambda _: (200, said)
        asked = compare(lab, one)
    assert asked.state == "asked", "asked again in a while"
    assert "contract" in asked.said or "no page" in asked.said


def test_one_whose_feed_is_away_is_not_compared(lab: Lab) -> None:
    """What came since would show as gaps that are none."""
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(health(1))
        there.broken = lambda _: (503, b"") if not there.paths[-1].endswith("held") else None
        asked = compare(lab, one)
    assert (asked.state, asked.said) == ("asked", "503")


def test_it_is_compared_once_a_day_by_itself_and_never_while_it_is_stopped(lab: Lab) -> None:
    def due() -> int:
        with lab.laboratory.sessions.begin() as session:
            return comparing.ask_daily(session, site_id=lab.bench.site_id, now=lab.clock.now)

    with declaring() as there:
        one = lab.expects(there.url)
        assert due() == 0, "nothing was taken yet"
        there.say(health(1))
        lab.pull()
        assert due() == 1
        assert Comparer(lab.laboratory).one()
        lab.clock.later(25 * 60)
        assert due() == 1
        with lab.laboratory.sessions.begin() as session:
            stop(session, one, by="user:admin", now=lab.clock.now)
        assert not Comparer(lab.laboratory).one()
