"""The queue of F0s whose commune is not known: seen with the words that came, and placed."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from lims.domain.registration import AreaRef
from lims.tables import Notice
from lims.work.access import Role
from tests.builders import ELSEWHERE, HOME, OLD, Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

PLACE = re.compile(r'action="(/review/addresses/[^"]+)"')


@pytest.fixture
def reviewer(signed_in: SignIn) -> Browser:
    return signed_in(Role.REVIEWER)


def test_an_f0_without_a_commune_of_today_waits_with_the_words_that_came_and_is_placed(
    reviewer: Browser, bench: Bench
) -> None:
    team = bench.subscribe(ELSEWHERE, name="Đội Cầu Ông Lãnh")
    swab = bench.swab(area=AreaRef(OLD, HOME.code))
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    page = words(reviewer.get("/review?show=addresses"))
    for said in ("Nguyễn Thị Mai", "Đa Kao, Hồ Chí Minh", f"code {HOME.code}", "National desk"):
        assert said in page, said
    (place,) = PLACE.findall(reviewer.get("/review?show=addresses").text)
    assert reviewer.post(place, {"area": "Xứ không có"}).status_code == 422
    assert reviewer.post(place, {"area": ""}).status_code == 422

    answer = reviewer.post(place, {"area": f"{ELSEWHERE.code} · Cầu Ông Lãnh"})

    assert answer.location == "/review?show=addresses"
    after = words(reviewer.get("/review?show=addresses"))
    assert "Placed: 1 recipient more is told." in after
    assert "The commune of every F0 is known." in after
    told = bench.session.scalars(select(Notice.subscription_id)).all()
    assert team in told


def test_an_unknown_commune_is_on_the_reviewers_first_page(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab(area=None)
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    assert "F0 whose commune is not known" in words(reviewer.get("/"))


def test_who_looks_at_unknown_communes_places_none(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab(area=None)
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    assert "no commune said" in words(browser.get("/review?show=addresses"))
    assert PLACE.findall(browser.get("/review?show=addresses").text) == []
