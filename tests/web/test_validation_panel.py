"""The validation panel on its page: entered, judged, and binding at the bench at once."""

from __future__ import annotations

from lims.db.ids import uuid7
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.test_pooling import scanned

SERIES = {
    "source": "Biên bản 12/2021",
    "lod_ct": "36,5",
    "weak_positive_ct": "34,5",
    "pool_size": ["5", "", "10"],
    "ct_undiluted": ["30", "", "30"],
    "ct_pooled": ["32,3", "", "33,4"],
    "detected": ["20", "", "20"],
    "replicates": ["20", "", "20"],
}


def test_a_series_is_entered_once_and_says_what_follows(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.OPERATOR)
    assert "No panel was entered yet." in words(browser.get("/admin/validation-panel"))
    form = {"panel_id": str(uuid7()), **SERIES}
    for _ in range(2):
        assert browser.post("/admin/validation-panel", form).status_code == 303
    page = words(browser.get("/admin/validation-panel"))
    assert "3 swabs in a pool at most." in page
    assert "still shows a positive of Ct 34.5 before the limit of Ct 36.5" in page
    assert "2 lines" in page
    assert page.count("Biên bản 12/2021") == 1


def test_faults_are_said_in_their_line_and_nothing_typed_is_lost(
    signed_in: SignIn, bench: Bench
) -> None:
    wrong = {**SERIES, "detected": ["20", "", "21"], "lod_ct": "late"}
    answer = signed_in(Role.ADMIN).post("/admin/validation-panel", wrong)
    assert answer.status_code == 422
    page = words(answer)
    assert "Line 2: no more detected than measured" in page
    assert "a Ct from 20 to 45" in page
    assert 'value="33,4"' in answer.text


def test_the_bench_has_as_many_boxes_as_the_panel_allows_and_refuses_one_more(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=10)
    tubes = [bench.swab(campaign_id=campaign).barcode for _ in range(4)]
    bench.session.commit()
    signed_in(Role.OPERATOR).post("/admin/validation-panel", SERIES)
    browser = signed_in(Role.TECHNICIAN)
    page = scanned(browser, browser.get(f"/pools/new?campaign={campaign}").text, *tubes)
    assert "Pool above validated" in page
    assert "4 tubes, at most 3" in page
