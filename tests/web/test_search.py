"""The search page: posted, paged, by role, and written down."""

from __future__ import annotations

from sqlalchemy import select

from lims.tables import AuditEvent
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_a_name_in_the_one_field_shows_people_and_their_last_tube(
    signed_in: SignIn, bench: Bench
) -> None:
    swab = bench.swab(name="Trần Thị Mỹ Hạnh", received=False)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    for path in ("/scan", "/search", "/collect/scan"):
        page = browser.post(path, {"text": "my hanh"})
        assert page.status_code == 200 and f"/people/{swab.person_id}" in page.text
        assert f"/tubes/{swab.barcode}" in page.text and "Tân Định" in page.text
    assert page.request.query_string == b"", "nobody's name stands in an address"


def test_a_piece_of_a_label_shows_the_tube_and_where_it_is(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab(received=False)
    bench.session.commit()
    page = signed_in(Role.REVIEWER).post("/scan", {"text": swab.barcode[-4:]})
    assert f"/tubes/{swab.barcode}" in page.text and "on the way" in words(page)
    assert "/collect?person" not in page.text, "a reviewer swabs nobody"


def test_who_searched_and_whom_they_saw_is_recorded_without_what_they_typed(
    signed_in: SignIn, bench: Bench
) -> None:
    swab = bench.swab(name="Trần Thị Mỹ Hạnh")
    bench.session.commit()
    signed_in(Role.OPERATOR).post("/search", {"text": "my hanh"})
    event = bench.session.scalars(select(AuditEvent).where(AuditEvent.verb == "search")).one()
    assert (event.actor, event.subject) == ("user:operator", "name")
    assert event.detail == {"people": [str(swab.person_id)]}


def test_the_next_page_is_posted_too(signed_in: SignIn, bench: Bench) -> None:
    for _ in range(23):
        bench.swab(name="Trần Thị Mỹ Hạnh")
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    first = browser.post("/search", {"text": "tran thi"})
    second = browser.post("/search", {"text": "tran thi", "page": "2"})
    assert (first.text.count("/people/"), second.text.count("/people/")) == (20, 3)
    assert "Next page" in words(first) and "Page before" in words(second)
    assert browser.post("/search", {"text": "tran thi", "page": "²"}).status_code == 200


def test_nobody_found_says_what_to_do(signed_in: SignIn, bench: Bench) -> None:
    page = signed_in(Role.TECHNICIAN).post("/search", {"text": "<script>nobody"})
    assert page.status_code == 404 and "Register somebody new" in words(page)
    assert "<script>nobody" not in page.text
