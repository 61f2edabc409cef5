"""Does the day add up, as an operator sees it, and what does not, as a file."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn

PAGE = "/reports/reconciliation"
DAY = "?day=2021-09-11"


@pytest.fixture
def furnished(bench: Bench) -> Bench:
    members = bench.swabs(4)
    pool = bench.lab_pool(members)
    bench.swab(received=False)
    bench.run({pool: 27.0})
    bench.run({members[0].barcode: 23.7})
    bench.swab()
    bench.session.commit()
    return bench


def test_every_sum_is_shown_with_its_terms(signed_in: SignIn, furnished: Bench) -> None:
    said = words(signed_in(Role.OPERATOR).get(PAGE + DAY))
    assert "Everything adds up" in said
    assert "6 swabs registered = 5 received + 0 rejected + 1 not arrived yet" in said
    assert "5 received = 4 answered + 1 waiting" in said
    assert "1 people found positive = 1 with a case" in said
    assert "to be plated 1" in said


def test_a_day_without_anybody_adds_up_too(signed_in: SignIn, bench: Bench) -> None:
    said = words(signed_in(Role.REVIEWER).get(PAGE + "?day=2021-09-01"))
    assert "Everything adds up" in said and "Nothing of this day waits." in said


def test_what_does_not_add_up_leads_to_its_tube_and_is_in_the_file(
    signed_in: SignIn, furnished: Bench
) -> None:
    furnished.session.execute(text("DELETE FROM test_order WHERE state = 'queued'"))
    furnished.session.commit()
    barcode = furnished.session.execute(
        text("SELECT max(barcode) FROM tube WHERE kind = 'individual'")
    ).scalar_one()
    browser = signed_in(Role.OPERATOR)

    page = browser.get(PAGE + DAY)

    assert "1 thing does not add up" in words(page)
    assert f'href="/tubes/{barcode}"' in page.text
    file = browser.get(PAGE + "/differences.csv" + DAY)
    assert file.data.decode("utf-8-sig").splitlines() == [
        "part,subject,why",
        f'swabs,{barcode},"received, nothing is known and nothing is wanted"',
    ]


def test_no_day_of_a_calendar_is_not_found(signed_in: SignIn, bench: Bench) -> None:
    client = signed_in(Role.OPERATOR).client
    assert client.get(PAGE, query_string={"day": "2021-02-30"}).status_code == 404


def test_the_page_says_why_preliminary_is_an_answer_and_what_each_case_is_multiplied_by(
    signed_in: SignIn, furnished: Bench
) -> None:
    furnished.run({furnished.lab_pool(furnished.swabs(3)): 27.0})
    furnished.session.commit()
    said = words(signed_in(Role.OPERATOR).get(PAGE + DAY))
    assert "preliminary: in a positive pool 3" in said
    assert "Preliminary counts as answered: the pool was measured" in said
    assert "one case told to three is three" in said
