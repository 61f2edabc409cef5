"""The positive list: a team takes its own, nobody's Ct in it, and taking it is recorded."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from lims.tables import AuditEvent, F0Case, Subscription
from lims.work.access import Role
from tests.builders import HOME, WORK, Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn

NAME = '=HYPERLINK("http://x","Nguyễn")'


@pytest.fixture
def told(bench: Bench) -> tuple[UUID, UUID]:
    """Two teams, each told of one positive; the first one's name would be a formula."""
    home, work = bench.subscribe(HOME), bench.subscribe(WORK)
    here, there = bench.swab(area=HOME, name=NAME), bench.swab(area=WORK, name="Lý A Páo")
    bench.session.execute(
        text(
            "UPDATE person SET phone = '+84912345218', national_id = '001087000123'"
            " WHERE id = :person"
        ),
        {"person": here.person_id},
    )
    bench.run({here.barcode: 21.5, there.barcode: 24.0})
    bench.session.commit()
    teams = [bench.session.get_one(Subscription, one).team_id for one in (home, work)]
    return teams[0], teams[1]


def rows(answer: TestResponse) -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(BytesIO(answer.data))
    return book.get_sheet_by_index(0).to_python(skip_empty_area=False)


def test_a_tracer_takes_their_own_teams_list_and_no_other(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    mine, other = told
    browser = signed_in(Role.TRACER, team_id=mine)
    form = {"day": "2021-09-11", "form": "xlsx", "team": str(other)}
    answer = browser.post("/handoff/list", form, seen="/handoff/list")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = rows(answer)
    people = lines[5:]
    assert [line[2] for line in people] == [NAME]
    assert people[0][5] == "0912345218"  # text: the zero stays
    assert "Ct" not in lines[4] and "National ID" not in lines[4]
    assert "001087000123" not in str(lines)


def test_the_laboratory_reads_the_numbers_and_the_ct(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.REVIEWER)
    lines = rows(browser.post("/handoff/list", {"form": "xlsx"}, seen="/handoff/list"))
    head, people = lines[4], lines[5:]
    assert len(people) == 2
    one = next(line for line in people if line[2] == NAME)
    assert one[head.index("National ID")] == "001087000123"
    assert one[head.index("Ct")] == 21.5


def test_whoever_takes_a_list_stands_on_it_and_in_the_record(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.OPERATOR)
    answer = browser.post(
        "/handoff/list", {"form": "pdf", "day": "2021-09-11"}, seen="/handoff/list"
    )
    pages = pypdfium2.PdfDocument(answer.data)
    said = pages[0].get_textpage().get_text_range()
    assert "Operator" in said and "Page 1 of 1" in said and "Destroy by 25 Sep 2021" in said
    assert "Lý A Páo" in said and "21.5" not in said and "001087000123" not in said
    taken = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "positive-list-taken")
    ).one()
    cases = bench.session.scalars(select(F0Case.id)).all()
    assert taken.actor == "user:operator"
    assert set(taken.detail["cases"]) == {str(case) for case in cases}


def test_a_withdrawn_case_is_listed_as_no_longer_one(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    bench.session.execute(text("UPDATE f0_case SET state = 'withdrawn'"))
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    lines = rows(browser.post("/handoff/list", {"form": "xlsx", "day": "2021-09-11"}))
    assert {line[1] for line in lines[5:]} == {"No longer an F0"}
    open_now = rows(browser.post("/handoff/list", {"form": "xlsx", "day": ""}))
    assert open_now[5:] == []


def test_a_day_that_is_none_is_said_beside_the_field(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    answer = signed_in(Role.OPERATOR).post("/handoff/list", {"day": "31/31"})
    assert answer.status_code == 422
    assert "Give a day: 21/11/2026." in words(answer)


def test_a_tracer_without_a_team_gets_nothing(
    signed_in: SignIn, bench: Bench, told: tuple[UUID, UUID]
) -> None:
    browser = signed_in(Role.TRACER)
    assert "You are in no tracing team yet." in words(browser.get("/handoff/list"))
    assert browser.post("/handoff/list", {"form": "xlsx"}).status_code == 422
