"""The board of open positive pools, and the clock on a pool's own page."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import text

from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.test_preparing import positive_pool


def test_nothing_open_says_what_comes_here(signed_in: SignIn) -> None:
    page = words(signed_in(Role.TECHNICIAN).get("/pools/open"))
    assert "No positive pool is open." in page


def test_the_board_says_what_each_pool_waits_for_and_when_it_is_due(
    signed_in: SignIn, bench: Bench
) -> None:
    started = bench.now
    pool, _people = positive_pool(bench)
    browser = signed_in(Role.REVIEWER)
    page = words(browser.get("/pools/open"))
    assert "9 sub-pools to pipette" in page and "names by" in page
    assert "A grid of rows and columns" in page and "Ct 27.0" in page
    own = words(browser.get(f"/pools/{pool}"))
    assert "9 sub-pools to pipette" in own and "left" in own and "last words about" in own

    at_the_bench = words(signed_in(Role.TECHNICIAN).get("/pools"))
    assert "9 Pool oldest" in at_the_bench and "Open positive pools" in at_the_bench

    bench.session.execute(
        text("UPDATE pool_resolution SET chosen_at = :long_ago"),
        {"long_ago": started - timedelta(hours=5)},
    )
    bench.session.commit()
    late = words(browser.get("/pools/open"))
    assert "Past their deadline 1" in late and "late: 1 h 00" in late
    assert "late: 1 h 00" in words(browser.get(f"/pools/{pool}"))


def test_a_page_that_is_none_leads_back_to_the_first(signed_in: SignIn, bench: Bench) -> None:
    positive_pool(bench)
    browser = signed_in(Role.OPERATOR)
    assert "There is no such page." in words(browser.get("/pools/open?page=7"))
    for nonsense in ("0", "-1", "x", "99999999999"):
        assert "9 sub-pools to pipette" in words(browser.get(f"/pools/open?page={nonsense}"))


def test_a_forecast_past_its_deadline_is_said_with_its_day_beside_the_clock(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, _people = positive_pool(bench)
    browser = signed_in(Role.TECHNICIAN)
    in_time = browser.get(f"/pools/{pool}").text
    assert re.search(r"<span>names about \d\d:\d\d, due", in_time)
    bench.session.execute(
        text("UPDATE pool_resolution SET chosen_at = :yesterday"),
        {"yesterday": bench.now - timedelta(hours=30)},
    )
    bench.session.commit()
    late = browser.get(f"/pools/{pool}").text
    assert re.search(r'<span class="late">names about \d+ \w+ \d\d:\d\d, due', late)


def test_a_negative_pool_has_no_clock(signed_in: SignIn, bench: Bench) -> None:
    pool = bench.lab_pool(bench.swabs(4))
    bench.run()
    bench.session.commit()
    assert "last words about" not in words(signed_in(Role.TECHNICIAN).get(f"/pools/{pool}"))


def test_the_page_draws_who_is_likely_and_what_each_test_would_change(
    signed_in: SignIn, bench: Bench
) -> None:
    pool, people = positive_pool(bench)
    browser = signed_in(Role.TECHNICIAN)
    first = words(browser.get(f"/pools/{pool}"))
    assert "probability after 1 answer" in first and "4.7 %" in first
    assert "The tests that would split them 9" in first
    assert "clears 5" in first and "15 tubes" in first

    made = bench.prepare_sub_pools()
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})
    bench.session.commit()
    page = browser.get(f"/pools/{pool}")
    said = words(page)
    assert "probability after 10 answers" in said
    assert "Ct 25.7; 26.0" in said
    assert "The tests that would split them 1" in said
    assert page.text.count('<svg class="bar cold"') == 1  # the nineteen who are cleared
    named = page.text.index(people[7].barcode)
    assert named < page.text.index('class="bar hot"')


def test_contradictions_and_swabs_in_one_tube_are_not_drawn(
    signed_in: SignIn, bench: Bench
) -> None:
    household = bench.field_pool(4).barcode
    bench.run({household: 25.0})
    bench.session.commit()
    page = words(signed_in(Role.TECHNICIAN).get(f"/pools/{household}"))
    assert "4 people to swab again" in page and "probability after" not in page
