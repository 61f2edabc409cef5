"""The page of declarations: set up, what came, what could not be read, what is missing."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.exchange.compare import Comparer
from lims.exchange.pull import Puller
from lims.work.access import Role
from tests.exchange.declaring import LABORATORY, TOKEN, Declaring, declaring, health, subject
from tests.web.browsing import words
from tests.web.conftest import SignIn

PAGE = "/admin/declarations"


def given(there: Declaring) -> dict[str, str]:
    return {"name": "Khai báo y tế", "url": there.url, "token": TOKEN, "laboratory": LABORATORY}


def one(laboratory: Laboratory, table: str) -> UUID:
    with laboratory.sessions.begin() as session:
        found: UUID = session.execute(text(f"SELECT id FROM {table}")).scalar_one()
        return found


def test_a_platform_is_set_up_asked_stopped_and_started(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    assert "Nobody declares themselves ahead yet." in browser.get(PAGE).text
    with declaring() as there:
        there.say(*(health(n) for n in range(4)))
        assert browser.post(PAGE, given(there)).status_code == 303
        assert "not asked yet" in browser.get(PAGE).text
        assert Puller(laboratory).one()
        shown = words(browser.get(PAGE))
        assert "last answer" in shown
        assert "Declarations Withdrawn People expected Have come Unreadable 4 0 4 0 0" in shown
        about = f"{PAGE}/{one(laboratory, 'destination')}"
        browser.post(f"{about}/ask", {})
        assert Puller(laboratory).one(), "due at once"
        browser.post(f"{about}/stop", {})
        assert "stopped since" in browser.get(PAGE).text
        assert Puller(laboratory).one() is None
        browser.post(f"{about}/start", {})
        assert Puller(laboratory).one()
    assert "Khai báo y tế" not in browser.get("/admin/destinations").text


def test_one_that_does_not_answer_is_shown_with_its_words(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    with declaring(broken=lambda _: (503, b'{"detail": "bao tri"}')) as there:
        browser.post(PAGE, given(there))
        assert Puller(laboratory).one()
    shown = browser.get(PAGE).text
    assert "no answer since" in shown and "503 bao tri" in shown and "Ask now" in shown


def test_what_could_not_be_read_is_listed_with_its_reason_until_it_is_dealt_with(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    with declaring() as there:
        browser.post(PAGE, given(there))
        there.say(health(1, "<b>Mai</b>\ud800", person={"phone": "không có"}))
        assert Puller(laboratory).one()
        shown = browser.get(PAGE)
        assert "no telephone number" in shown.text and "/person/phone" in shown.text
        assert "<b>Mai" not in shown.text and "&lt;b&gt;Mai" in shown.text
        browser.post(f"{PAGE}/faults/{one(laboratory, 'declaration_fault')}/settle", {})
        assert "no telephone number" not in browser.get(PAGE).text


def test_communes_of_the_older_scheme_are_a_worklist(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    with declaring() as there:
        browser.post(PAGE, given(there))
        there.say(health(1, home={"commune": {"code": "27000", "name": "Xã Đã Nhập"}}))
        assert Puller(laboratory).one()
    shown = words(browser.get(PAGE))
    assert "1 declaration from a commune that is none of today’s" in shown
    assert "KB-000001-HN 27000 Xã Đã Nhập" in shown


def test_what_is_missing_is_shown_and_fetched_once_more(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    with declaring() as there:
        browser.post(PAGE, given(there))
        there.say(health(1), health(2))
        there.hidden = [health(7)]
        about = f"{PAGE}/{one(laboratory, 'destination')}"
        browser.post(f"{about}/compare", {})
        assert "It is being asked since" in browser.get(PAGE).text
        assert Comparer(laboratory).one()
        shown = words(browser.get(PAGE))
        assert "it has 3, 2 were taken here" in shown
        assert f"{subject(7)[-12:]} was not taken here" in shown
        browser.post(f"{about}/fetch", {})
        assert "1 is being fetched once more." in browser.get(PAGE).text
        assert Puller(laboratory).one()
        browser.post(f"{about}/compare", {})
        assert Comparer(laboratory).one()
        assert "Everything that it has is here." in browser.get(PAGE).text


def test_a_token_is_never_written_out_and_faults_stand_beside_their_fields(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    wrong = {"name": "K", "url": "ftp://kb", "token": "rat-bi-mat có dấu", "laboratory": "a b"}
    answer = browser.post(PAGE, wrong)
    assert answer.status_code == 422
    for said in (
        "an https address, or http inside a private network",
        "the token that the platform gave, without spaces",
        "the code that the platform knows this laboratory by",
    ):
        assert said in answer.text
    assert "rat-bi-mat" not in answer.text
    with declaring() as there:
        browser.post(PAGE, given(there))
        assert TOKEN not in browser.get(PAGE).text
    with laboratory.sessions.begin() as session:
        audited = session.execute(text("SELECT detail::text FROM audit_event")).scalars()
        assert not any(TOKEN in detail for detail in audited)
