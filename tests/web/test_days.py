"""Every door at which a day can be asked for has a kind answer to one that nobody could mean."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from lims.domain.days import day_of
from lims.work.access import Role
from tests.builders import Bench
from tests.web.conftest import SignIn

IMPOSSIBLE = ("0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31", "2021-02-30", "20210911")
AT_THE_ENDS = ("2000-01-01", "2100-12-31")
NOT_FOUND = ("/reports?day=", "/reports/situation.json?day=", "/results?day=")
AS_TODAY = ("/slips?since=", "/slips?until=", "/runs?day=", "/results?after=")


@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_a_day_that_nobody_could_mean_is_none(said: str) -> None:
    with pytest.raises(ValueError, match=r"expected a day|day is out of range"):
        day_of(said)


def test_every_page_of_a_day_answers_an_impossible_one_kindly(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.OPERATOR, Role.REVIEWER, Role.TECHNICIAN)
    for day in IMPOSSIBLE:
        for path in NOT_FOUND:
            assert browser.client.get(path + day).status_code == 404, path + day
        for path in AS_TODAY:
            assert browser.client.get(path + day).status_code == 200, path + day
        taken = browser.post("/handoff/list", {"day": day, "form": "pdf"})
        assert taken.status_code == 422, day
        assert "Give a day of the calendar." in taken.text
    for day in AT_THE_ENDS:
        for path in (*NOT_FOUND, *AS_TODAY):
            assert browser.client.get(path + day).status_code == 200, path + day
        assert browser.post("/handoff/list", {"day": day, "form": "pdf"}).status_code == 200


def test_a_page_after_a_moment_that_nobody_could_mean_is_a_page(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.REVIEWER, Role.TECHNICIAN)
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        after = quote(f"{at}~{bench.site_id}")
        assert browser.client.get(f"/results?after={after}").status_code == 200
        after = quote(f"{at}_{bench.site_id}")
        assert browser.client.get(f"/review?after={after}").status_code == 200


def test_a_line_of_headings_beyond_any_sheet_is_looked_for_and_not_found(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    kept = browser.post("/collect/imports", {"rows": "Mã ống,Họ và tên\nX,Y\n"})
    for line in ("99999999999", "0", "999999", "²"):
        answer = browser.post(f"{kept.location}/look", {"sheet": "", "line": line})
        assert answer.status_code in (303, 409), line
