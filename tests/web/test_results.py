"""The results of a day as a page: each word for one thing, and when a result was released."""

from __future__ import annotations

import re

from sqlalchemy import text

from lims.work.access import Role
from lims.work.reject import reject
from tests.builders import Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


def test_the_filters_say_each_thing_in_its_own_word(signed_in: SignIn, bench: Bench) -> None:
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    for language in ("vi", "en"):
        page = Browser(browser.client, language=language).get("/results").text
        said = re.findall(r"<option[^>]*>([^<]+)</option>", page)
        assert len(said) > 10
        assert len({one.casefold() for one in said}) == len(said), said


def test_a_result_says_when_it_was_released_and_whose_campaign_it_belongs_to(
    signed_in: SignIn, bench: Bench
) -> None:
    positive = bench.swab()
    bench.run({positive.barcode: 22.0})
    first = bench.swab(campaign_id=bench.campaign())
    reject(bench.session, first.barcode, "Swab missing", by="door", now=bench.now)
    bench.later(60).swab(person_id=first.person_id)
    bench.run()
    bench.session.commit()
    reviewer = signed_in(Role.REVIEWER)
    page = words(reviewer.get("/results?day=2021-09-11"))
    assert "released" not in page, "the negative was released as it came, the positive not at all"
    assert "of the first swab" in page
    waited = "UPDATE finding SET released_at = released_at + interval '35 minutes'"
    bench.session.execute(text(waited))
    bench.session.commit()
    assert words(reviewer.get("/results?day=2021-09-11")).count("released 11") == 1
