"""Every refusal has a page that says what to do, in both languages, for anybody."""

from __future__ import annotations

from flask.testing import FlaskClient

from lims.domain.refusals import every_refusal
from lims.web.access import public
from tests.web.browsing import words


def test_each_problem_type_of_the_api_is_a_page_that_says_what_to_do(client: FlaskClient) -> None:
    client.set_cookie("language", "en")
    for kind in every_refusal():
        page = client.get(f"/problems/{kind.slug}")
        assert page.status_code == 200
        assert kind.todo in words(page), kind.slug


def test_the_list_leads_to_each_of_them(client: FlaskClient) -> None:
    page = client.get("/problems").text
    missing = [k.slug for k in every_refusal() if f'href="/problems/{k.slug}"' not in page]
    assert missing == []


def test_an_address_of_nothing_is_a_page_of_ours_and_not_a_bare_answer(client: FlaskClient) -> None:
    for path in ("/problems/no-such-thing", "/nowhere"):
        page = client.get(path)
        assert page.status_code == 404
        assert "Không tìm thấy" in words(page)
    assert client.delete("/problems").status_code == 405


def test_what_broke_is_said_without_its_inside(client: FlaskClient) -> None:
    def breaks() -> str:
        raise ZeroDivisionError("people's data in a message")

    client.application.add_url_rule("/breaks", "breaks", public(breaks))
    answer = client.get("/breaks")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text and "data in a message" not in answer.text
    assert "Hệ thống gặp lỗi" in words(answer)


def test_every_answer_carries_the_headers_that_keep_a_browser_safe(client: FlaskClient) -> None:
    for path in ("/login", "/nowhere", "/static/look.css"):
        with client.get(path) as answer:
            headers = answer.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert client.get("/login").headers["Cache-Control"] == "no-store"
