"""Every door at which a day can be asked for has a kind answer to one that nobody could mean."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import quote

import pytest

from lims.domain.days import day_of, typed_day, typed_moment
from lims.work.access import Role
from tests.builders import Bench
from tests.web.conftest import SignIn

IMPOSSIBLE = ("0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31", "2021-02-30", "20210911")
AT_THE_ENDS = ("2000-01-01", "2100-12-31")
NOT_FOUND = ("/reports?day=", "/reports/situation.json?day=", "/results?day=")
ASKED_AGAIN = ("/slips?since=", "/slips?until=")
AS_TODAY = ("/runs?day=", "/results?after=")


@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_a_day_that_nobody_could_mean_is_none(said: str) -> None:
    with pytest.raises(ValueError, match=r"expected a day|day is out of range"):
        day_of(said)


@pytest.mark.parametrize(
    "said", ["21/11/2026", "21.11.2026", "21-11-2026", "21112026", "2026-11-21", " 21/11/2026 "]
)
def test_the_day_comes_before_the_month_however_it_is_typed(said: str) -> None:
    assert typed_day(said) == date(2026, 11, 21)
    assert typed_day("03/04/2026") == date(2026, 4, 3)


@pytest.mark.parametrize("said", ["11/21/2026", "31/02/2026", "21/11/26", "21/11", "hôm nay", ""])
def test_what_is_no_day_is_not_guessed(said: str) -> None:
    with pytest.raises(ValueError):
        typed_day(said)


@pytest.mark.parametrize(
    "said", ["21/11/2026 08:12", "21/11 08:12", "8:12", "08h12", "2026-11-21T08:12"]
)
def test_a_clock_alone_is_todays(said: str) -> None:
    assert typed_moment(said, date(2026, 11, 21)) == datetime(2026, 11, 21, 8, 12)  # noqa: DTZ001 - the wall clock of a form


@pytest.mark.parametrize("said", ["25:00", "31/02 08:12", "08", "11/21 08:12", "sáng nay"])
def test_what_is_no_moment_is_not_guessed(said: str) -> None:
    with pytest.raises(ValueError):
        typed_moment(said, date(2026, 11, 21))


def test_every_page_of_a_day_answers_an_impossible_one_kindly(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.OPERATOR, Role.REVIEWER, Role.TECHNICIAN)
    for day in IMPOSSIBLE:
        for path in NOT_FOUND:
            assert browser.client.get(path + day).status_code == 404, path + day
        for path in AS_TODAY:
            assert browser.client.get(path + day).status_code == 200, path + day
        for path in ASKED_AGAIN:
            answer = browser.client.get(path + day)
            assert answer.status_code == 422, path + day
            assert "Give a day: 21/11/2026." in answer.text and f'value="{day}"' in answer.text
        taken = browser.post("/handoff/list", {"day": day, "form": "pdf"})
        assert taken.status_code == 422, day
        assert "Give a day: 21/11/2026." in taken.text
    for day in AT_THE_ENDS:
        for path in (*NOT_FOUND, *AS_TODAY, *ASKED_AGAIN):
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


def test_a_page_takes_a_day_as_technicians_type_it_and_shows_it_so(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.OPERATOR, Role.REVIEWER, Role.TECHNICIAN)
    for path in ("/reports?day=", "/results?day=", "/slips?since="):
        page = browser.client.get(path + quote("03/04/2021"))
        assert page.status_code == 200, path
        assert 'value="03/04/2021"' in page.text, path
        assert 'type="date' not in page.text, path
