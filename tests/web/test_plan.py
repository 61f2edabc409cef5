"""The planning page: what it recommends, and what it refuses beside which field."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.validation_panel import DilutionRow, Panel
from lims.work.access import Role
from lims.work.validation_panel import enter_panel
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_an_operator_is_told_the_pools_with_the_fewest_tests(signed_in: SignIn) -> None:
    page = signed_in(Role.OPERATOR).get("/plan")
    assert page.status_code == 200
    assert "D3 · 20: 5×4" in words(page)
    assert "Tests per 1,000 people" in words(page)
    assert page.text.count("<polyline") >= 5


def test_the_laboratorys_largest_pool_is_the_usual_and_the_most(
    signed_in: SignIn, session: Session
) -> None:
    operator = signed_in(Role.OPERATOR)
    session.execute(text("UPDATE site SET max_pool_size = 8"))
    session.commit()
    assert 'name="max_pool" type="text" value="8"' in operator.get("/plan").text
    above = operator.get("/plan?max_pool=9")
    assert above.status_code == 422
    assert "Pool above cap (9, at most 8)" in words(above)


def test_the_validation_panels_largest_pool_binds_where_it_is_smaller(
    signed_in: SignIn, session: Session, site_id: UUID, now: datetime
) -> None:
    admin = signed_in(Role.ADMIN)
    _panel_of(session, site_id, now, weak_positive_ct=34.0)
    page = admin.get("/plan")
    assert 'name="max_pool" type="text" value="4"' in page.text
    assert "Largest pool validated here: 4." in words(page)
    assert "Pool above cap (5, at most 4)" in words(admin.get("/plan?max_pool=5"))
    _panel_of(session, site_id, now + timedelta(minutes=1), weak_positive_ct=36.0)
    alone = admin.get("/plan")
    assert "The validation panel allows no pool here: everybody is tested alone." in words(alone)


def _panel_of(session: Session, site_id: UUID, at: datetime, *, weak_positive_ct: float) -> None:
    series = (DilutionRow(4, 30.0, 32.0, 20, 20), DilutionRow(20, 30.0, 34.3, 20, 20))
    enter_panel(
        session,
        uuid7(),
        Panel(lod_ct=36.0, weak_positive_ct=weak_positive_ct, rows=series),
        source="VR-12",
        site_id=site_id,
        by="user:admin",
        now=at,
    )
    session.commit()


def test_shares_are_typed_in_percent_and_a_comma_is_a_decimal(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR)
    asked = "/plan?prevalence=%s&se=98&sp=99,5&algorithm=D2&min_pse=0"
    assert "D2 · 11" in words(operator.get(asked % "1"))
    assert words(operator.get(asked % "1,5")) == words(operator.get(asked % "1.5")).replace(
        'value="1.5"', 'value="1,5"'
    )
    staged = operator.get("/plan?se=90;99&sp=99;99,5&algorithm=D2&min_pse=89")
    assert staged.status_code == 200
    assert "89.10" in words(staged)


def test_my_own_pools_stand_beside_the_best(signed_in: SignIn) -> None:
    page = words(signed_in(Role.OPERATOR).get("/plan?algorithm=D2&configuration=8"))
    assert "D2 · 8" in page
    assert "as written" in page
    assert "20: 5×4" in page


def test_my_own_pools_say_their_design_by_how_they_are_written(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR)
    assert "D2 · 11" in words(operator.get("/plan?configuration=11"))
    assert "D3 · 20: 5×4" in words(operator.get("/plan?configuration=20:+5x4"))


def test_where_many_are_positive_the_page_says_to_test_everybody_alone(signed_in: SignIn) -> None:
    page = words(signed_in(Role.OPERATOR).get("/plan?prevalence=45"))
    assert "Pooling saves nothing here: test everybody alone." in page


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ("prevalence=0", "prevalence", "More than 0 and less than 100 percent."),
        ("prevalence=x", "prevalence", "A number is wanted here."),
        ("prevalence=nan", "prevalence", "More than 0 and less than 100 percent."),
        ("se=40&sp=60", "se", "together be more than 100 percent"),
        ("sp=101", "sp", "More than 0 and at most 100 percent."),
        ("max_pool=1", "max_pool", "a pool of one is a single test"),
        ("min_pse=101", "min_pse", "From 0 to 100 percent."),
        ("min_pse=99.9", "algorithm", "Allow larger pools or more stages"),
        ("max_stages=9", "max_stages", "give 1, 2, 3 or 4"),
        ("configuration=25:4&algorithm=D3", "configuration", "Not a design"),
        ("configuration=12x12", "configuration", "Name D2, D3, D4, A2 or A2M"),
        ("configuration=50&algorithm=D2", "configuration", "at most 20"),
        ("run_hours=-1", "run_hours", "Hours from 0 to 1,000"),
    ],
)
def test_what_cannot_be_planned_is_said_beside_its_field(
    signed_in: SignIn, asked: str, field: str, said: str
) -> None:
    page = signed_in(Role.OPERATOR).get(f"/plan?{asked}")
    assert page.status_code == 422
    found = re.search(rf'id="{field}-says"[^>]*>(.*?)</', page.text, re.DOTALL)
    assert found, page.text
    assert said in found[1]
    assert "<polyline" not in page.text


def test_in_vietnamese_nothing_stays_english(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR, language="vi")
    for asked in ("", "?prevalence=0", "?configuration=50&algorithm=D2", "?min_pse=99.9"):
        page = words(operator.get(f"/plan{asked}"))
        assert not re.search(r"\b(pool|tests|people|percent|allow|expected)\b", page), page


def test_the_adaptive_strategy_is_simulated_step_by_step_and_then_answered(
    signed_in: SignIn,
) -> None:
    operator = signed_in(Role.OPERATOR)
    asked = "algorithm=bayesian&prevalence=1&max_pool=8&min_pse=0"
    page = operator.get(f"/plan?{asked}")
    assert page.status_code == 200
    assert "its own decisions are simulated" in words(page)
    assert "<polyline" not in page.text
    steps = json.loads(html.unescape(re.findall(r'data-steps="([^"]*)"', page.text)[0]))
    assert [int(step.rpartition("size=")[2]) for step in steps] == [2, 4, 5, 6, 8]
    assert {operator.get(step).status_code for step in steps} == {204}

    answer = words(operator.get(f"/plan?{asked}&simulated=1"))
    assert "bayesian · 8" in answer
    assert "Tests per 1,000 people" in answer


def test_of_the_adaptive_strategy_no_size_is_simulated_that_was_not_asked_for(
    signed_in: SignIn,
) -> None:
    operator = signed_in(Role.OPERATOR)
    assert operator.get("/plan/step?algorithm=bayesian&size=x").status_code == 422
    assert operator.get("/plan/step?prevalence=0&size=8").status_code == 422
    assert operator.get("/plan/step?prevalence=30&size=32").status_code == 204  # not simulated
    short = operator.get("/plan?algorithm=bayesian&max_stages=2&max_pool=4&simulated=1")
    assert short.status_code == 422
