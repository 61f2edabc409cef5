"""How many to a pool, on its page: prevalence by area, advice with why, and a person's click."""

from __future__ import annotations

from lims.domain.pooling.monitoring import RULES, Alarm
from lims.domain.pooling.pool_size import Because
from lims.tables import Campaign
from lims.web.admin.campaign_pooling import _alarm, _reason
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_the_page_says_what_was_found_what_is_better_and_why(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=3)
    pools = [
        bench.lab_pool([bench.swab(campaign_id=campaign) for _ in range(3)]) for _ in range(20)
    ]
    bench.run(dict.fromkeys(pools[:6], 26.0))
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    listed = browser.get("/admin/campaigns").text
    path = f"/admin/campaigns/{campaign}/pooling"
    assert path in listed
    page = words(browser.get(path))
    assert "30.0 % of the pools are positive, more than 25 %" in page
    assert "Now: 3 to a pool. Better: 2 to a pool." in page
    assert "In larger pools more than a quarter would be positive" in page
    assert "6 of 20 pools positive (30.0 %), 60 people." in page
    assert "Tân Định" in page

    form = {"pool_size": "2", "shown": "3"}
    assert browser.post(path, form).status_code == 303
    bench.session.expire_all()
    assert bench.session.get_one(Campaign, campaign).pool_size == 2
    late = browser.post(path, {"pool_size": "5", "shown": "3"})
    assert late.status_code == 409
    assert browser.post(path, {"pool_size": "many", "shown": "2"}).status_code == 422


def test_a_campaign_without_results_says_so_and_keeps_its_size(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=10)
    bench.session.commit()
    browser = signed_in(Role.ADMIN)
    page = words(browser.get(f"/admin/campaigns/{campaign}/pooling"))
    assert "No pool of this campaign has answered in these days." in page
    assert "Fewer than 20 pools have answered: too few to change the size." in page
    assert browser.get(f"/admin/campaigns/{bench.site_id}/pooling").status_code == 404


def test_every_reason_and_alarm_can_be_said_in_both_languages(signed_in: SignIn) -> None:
    browser = signed_in(Role.OPERATOR)
    for code in ("vi", "en"):
        cookie = {"Cookie": f"language={code}"}
        with browser.client.application.test_request_context(headers=cookie):
            said = [_reason(because) for because in Because]
            said += [_alarm(Alarm(rule, 0.3)) for rule in RULES]
        assert all("%(" not in one and "%%" not in one for one in said)
        assert len(set(said)) == len(said)
