"""The first page and the navigation say what waits for whom, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.tables import (
    Notice,
    Recollection,
    Subscription,
    Team,
    TestOrder,
)
from lims.web.counting import CHEAP_S, REST, Counting, Kept
from lims.web.item_words import WORDS, path
from lims.work.access import Role
from lims.work.views.stages import LIMITS, STAGE_OF, Item, Stage
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.rows import case, finding, tube

MINUTE = timedelta(minutes=1)


def counted(lab: Laboratory, now: datetime, team_id: UUID | None = None) -> dict[Item, int]:
    items = Counting(lab).waiting(team_id, now)
    return {item.item: item.count for item in items if item.count}


def test_every_kind_of_waiting_thing_has_a_stage_and_words() -> None:
    assert set(STAGE_OF) == set(Item) == set(WORDS)
    assert set(Item) - set(LIMITS) == {Item.RECEIVED_TODAY, Item.UNCLAIMED}  # policy says


def test_a_stranger_is_asked_who_they_are_and_brought_back(client: FlaskClient) -> None:
    answer = client.get("/admin/users?page=2")
    assert answer.status_code == 303
    assert answer.location == "/login?next=/admin/users%3Fpage%3D2"


def test_a_technician_sees_the_four_stages_of_the_bench(signed_in: SignIn) -> None:
    said = words(signed_in(Role.TECHNICIAN).get("/"))
    assert all(stage in said for stage in ("Collect", "Receive", "Pool", "Run"))
    assert "F0 hand-off" not in said and "Review" not in said


def test_a_tube_is_counted_at_the_stage_where_it_waits(
    laboratory: Laboratory, now: datetime
) -> None:
    with laboratory.sessions.begin() as session:
        tube(session, laboratory.site_id, now, serial=1, received=False)
        tube(session, laboratory.site_id, now, serial=2, received=True)
        for serial, received in ((3, True), (4, False)):  # the fourth: of a positive strip
            queued = tube(session, laboratory.site_id, now, serial=serial, received=received)
            session.add(
                TestOrder(
                    site_id=laboratory.site_id,
                    tube_id=queued,
                    assay_code="sars-cov-2",
                    created_at=now,
                )
            )
    assert counted(laboratory, now) == {
        Item.ON_THE_WAY: 2,
        Item.RECEIVED_TODAY: 2,
        Item.TO_POOL: 1,
        Item.TO_PLATE: 1,
    }


def test_a_reviewer_is_asked_for_what_the_machine_may_not_decide(
    laboratory: Laboratory, now: datetime
) -> None:
    with laboratory.sessions.begin() as session:
        for outcome in ("positive", "inconclusive", "discordant", "preliminary", "negative"):
            finding(session, laboratory.site_id, now, outcome, "P")
        finding(session, laboratory.site_id, now, "positive", "F")
    assert counted(laboratory, now) == {
        Item.POSITIVE: 1,
        Item.HELD_NEGATIVE: 1,
        Item.INCONCLUSIVE: 1,
        Item.DISCORDANT: 1,
    }


def test_late_is_said_in_words_and_comes_first(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    with laboratory.sessions.begin() as session:
        finding(session, laboratory.site_id, now - 61 * MINUTE, "discordant", "P")
        positive = finding(session, laboratory.site_id, now - 5 * MINUTE, "positive", "P")
        session.add(
            Recollection(
                site_id=laboratory.site_id,
                specimen_id=positive.specimen_id,
                person_id=positive.person_id,
                why="test",
                created_at=now - 10 * MINUTE,
            )
        )
    said = words(signed_in(Role.REVIEWER).get("/"))
    assert "2 Review 1 late" in said
    assert said.index("late: 1 h 01") < said.index("positive to confirm")
    assert "swab again" not in said


def test_a_tracer_counts_the_cases_their_team_was_told_of(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    with laboratory.sessions.begin() as session:
        told = case(session, laboratory.site_id, now - 6 * MINUTE)
        case(session, laboratory.site_id, now - 20 * MINUTE)
        team = Team(id=uuid7(), site_id=laboratory.site_id, name="Tổ 1", created_at=now)
        session.add(team)
        session.flush()
        board = Subscription(
            id=uuid7(),
            site_id=laboratory.site_id,
            team_id=team.id,
            channel="board",
            created_at=now,
        )
        session.add(board)
        session.flush()
        session.add(
            Notice(
                site_id=laboratory.site_id,
                subscription_id=board.id,
                kind="case.opened",
                case_id=told,
                sequence=1,
                facts={},
                next_attempt_at=now,
                created_at=now,
            )
        )
    assert counted(laboratory, now)[Item.UNCLAIMED] == 2
    assert counted(laboratory, now, team.id)[Item.UNCLAIMED] == 1
    said = words(signed_in(Role.TRACER, team_id=team.id).get("/"))
    assert "1 F0 hand-off unclaimed for 6 min" in said


def test_a_page_that_stands_asks_for_the_stages_alone(signed_in: SignIn) -> None:
    part = signed_in(Role.OPERATOR).get("/stages?at=/pools/TT7K40FQ9XB").text
    assert part.count("data-stage=") == len(Stage)
    assert 'data-stage="pool" aria-current="page"' in part
    assert "<html" not in part


def test_an_administrator_is_shown_the_system_and_no_samples(signed_in: SignIn) -> None:
    page = signed_in(Role.ADMIN).get("/")
    assert "You look after the system" in words(page)
    assert 'class="scan"' not in page.text and "data-stage=" not in page.text


def test_an_expensive_count_is_kept_ten_times_as_long_as_it_took(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = [0.0], list[datetime]()

    def count(at: datetime) -> int:
        asked.append(at)
        clock[0] += cost
        return len(asked)

    monkeypatch.setattr("lims.web.counting.monotonic", lambda: clock[0])
    cost, cheap = CHEAP_S / 2, Kept(count)
    assert [cheap.get(now), cheap.get(now)] == [1, 2]
    cost, dear = CHEAP_S * 2, Kept(count)
    assert [dear.get(now), dear.get(now)] == [3, 3]
    clock[0] += cost * REST + 0.01
    assert dear.get(now) == 4


def test_what_waits_elsewhere_than_at_its_stages_first_page_leads_there() -> None:
    assert path(Item.ON_THE_WAY) == "/receive"
    assert path(Item.SWAB_AGAIN) == "/collect/again"
    assert path(Item.TO_POOL) == "/pools"
