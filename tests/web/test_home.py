"""The first page says what waits for whom."""

from __future__ import annotations

from flask.testing import FlaskClient

from lims.work.access import Role
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_a_stranger_is_asked_who_they_are_and_brought_back(client: FlaskClient) -> None:
    answer = client.get("/admin/users?page=2")
    assert answer.status_code == 303
    assert answer.location == "/login?next=/admin/users%3Fpage%3D2"


def test_a_technician_sees_the_four_stages_of_the_bench(signed_in: SignIn) -> None:
    page = signed_in(Role.TECHNICIAN).get("/")
    said = words(page)
    assert page.status_code == 200
    assert "Collect" in said and "Run" in said
    assert "F0 hand-off" not in said and "Review" not in said
