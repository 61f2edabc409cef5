"""What people declared is forgotten after the days of the laboratory's policy, and only then."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import text

from lims.exchange import together
from lims.exchange.forget import Forgetter
from lims.work import forget
from lims.work.forget import Forgotten, forget_declarations
from lims.work.sites import found_site
from tests.exchange.declaring import Declaring, declaring, health, household, newer, withdrawn
from tests.exchange.kept import faults, people, rows
from tests.exchange.laboratories import Lab
from tests.until import until


def declared(lab: Lab, there: Declaring) -> None:
    lab.expects(there.url)
    there.say(
        health(1),
        household(2, ["Trần Văn Ba", "Lê Thị Tư"]),
        household(3, ["Lý A Páo"]),
        health(4, "Lê Văn Hai", kind="rumour"),
    )
    lab.pull()
    there.say(withdrawn(household(3, ["Lý A Páo"])))
    lab.clock.later(1)
    lab.pull()


def days_later(lab: Lab, days: int) -> None:
    lab.clock.now += timedelta(days=days)


def test_what_is_too_old_keeps_nothing_of_anybody(lab: Lab) -> None:
    with declaring() as there:
        declared(lab, there)
        days_later(lab, 29)
        assert not Forgetter(lab.laboratory).once()
        assert people(lab) == ["Lê Thị Tư", "Nguyễn Thị Mai", "Trần Văn Ba"]
        assert len(rows(lab, "household")) == 2 and len(faults(lab)) == 1
        days_later(lab, 2)
        assert not Forgetter(lab.laboratory).once()
        assert (people(lab), rows(lab, "household"), faults(lab)) == ([], [], [])
        assert {(row.state, row.code, row.address) for row in rows(lab, "declaration")} == {
            ("withdrawn", None, None)
        }
        assert [row.entry for row in rows(lab, "declaration_fault")] == [None]
        audited = "SELECT detail FROM audit_event WHERE verb = 'declarations-forgotten'"
        with lab.laboratory.sessions.begin() as session:
            detail = session.execute(text(audited)).scalar_one()
        assert (detail["declarations"], detail["unread"]) == (3, 1)
        assert not Forgetter(lab.laboratory).once()
        with lab.laboratory.sessions.begin() as session:
            assert len(session.execute(text(audited)).all()) == 1, "once"


@pytest.mark.parametrize("at_once", [1, 2_000])
def test_the_same_version_does_not_come_back_and_a_newer_one_does(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(forget, "AT_ONCE", at_once)
    with declaring() as there:
        declared(lab, there)
        days_later(lab, 31)
        turns = 1
        while Forgetter(lab.laboratory).once():
            turns += 1
        assert turns == (4 if at_once == 1 else 1)
        with lab.laboratory.sessions.begin() as session:
            session.execute(text("UPDATE destination SET cursor = NULL"))
        lab.pull()
        assert people(lab) == []
        there.say(newer(household(2, ["Trần Văn Ba"])))
        lab.clock.later(1)
        lab.pull()
        Forgetter(lab.laboratory).once()
        assert people(lab) == ["Trần Văn Ba"]
        assert [row.label for row in rows(lab, "household")] == ["114/2"]
        (again,) = (row for row in rows(lab, "declaration") if row.state == "declared")
        assert again.forgotten_at is None and again.household_id is not None


def test_a_door_that_somebody_of_here_lives_behind_stays_the_door(lab: Lab) -> None:
    with declaring() as there:
        declared(lab, there)
        (door,) = (one.id for one in rows(lab, "household") if one.label == "114/2")
        came = {"door": door, "person": lab.bench.swab().person_id}
        lab.bench.session.execute(
            text("UPDATE person SET household_id = :door WHERE id = :person"), came
        )
        lab.bench.session.commit()
        days_later(lab, 31)
        Forgetter(lab.laboratory).once()
        assert [row.id for row in rows(lab, "household")] == [door]
        there.say(newer(household(2, ["Trần Văn Ba", "Trần Thị Bé"])))
        lab.clock.later(1)
        lab.pull()
    assert [row.id for row in rows(lab, "household")] == [door]
    assert {row.household_id for row in rows(lab, "declaration")} == {door, None}


def test_another_laboratory_keeps_what_it_took(lab: Lab) -> None:
    with declaring() as there:
        declared(lab, there)
        with lab.laboratory.sessions.begin() as session:
            now = lab.clock.now + timedelta(days=99)
            other = found_site(session, prefix="X2", name="Khác", now=now)
            assert forget_declarations(session, site_id=other, now=now) == Forgotten(0, 0, False)
    assert len(people(lab)) == 3


def test_the_laboratory_says_how_long(lab: Lab) -> None:
    with declaring() as there:
        declared(lab, there)
        with lab.laboratory.sessions.begin() as session:
            session.execute(text("UPDATE site SET declaration_days = 2"))
        days_later(lab, 3)
        Forgetter(lab.laboratory).once()
    assert people(lab) == []


def test_what_fails_once_is_begun_again() -> None:
    stop, turns = Event(), list[int]()

    def run(ends: Event) -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            raise ValueError("of a turn, not for ever")
        ends.wait()

    thread = Thread(target=together.kept, args=("a look", run, stop), kwargs={"pause_s": 0.01})
    thread.start()
    until(lambda: len(turns) == 3, "the third turn")
    stop.set()
    thread.join()
    assert turns == [0, 1, 2]
