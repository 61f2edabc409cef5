"""The page of other systems: set one up, see how it stands, send again, catch up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.work.access import Role
from tests.builders import open_bench
from tests.web.conftest import SignIn

PAGE = "/admin/destinations"
GIVEN = {"name": "Bệnh viện Tân Định", "host": "10.0.0.5", "port": "2575", "tls": "plain"}
GIVEN |= {"everywhere": "yes"}


def only(laboratory: Laboratory) -> UUID:
    with laboratory.sessions.begin() as session:
        found: UUID = session.execute(text("SELECT id FROM destination")).scalar_one()
        return found


def test_a_hospital_is_set_up_stopped_and_started_again(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    assert "No other system is told yet." in browser.get(PAGE).text
    browser.post(PAGE, GIVEN)
    shown = browser.get(PAGE).text
    assert "mllp://10.0.0.5:2575" in shown
    assert "nothing sent yet" in shown
    browser.post(f"{PAGE}/{only(laboratory)}/stop", {})
    assert "stopped since" in browser.get(PAGE).text
    browser.post(f"{PAGE}/{only(laboratory)}/start", {})
    assert "stopped since" not in browser.get(PAGE).text


def test_what_cannot_stand_is_said_beside_its_field(signed_in: SignIn) -> None:
    browser = signed_in(Role.ADMIN)
    wrong = GIVEN | {
        "name": " ",
        "host": "a host:1",
        "port": "0",
        "facility": "A|B",
        "certificate": "nonsense",
    }
    answer = browser.post(PAGE, wrong)
    assert answer.status_code == 422
    for said in (
        "a name, at most 200 characters",
        "a computer&#39;s name or address, without a port",
        "a port from 1 to 65535",
        "a name without | ^ ~ &amp; or a backslash",
        "a certificate in PEM form, with TLS",
    ):
        assert said in answer.text


def test_what_was_never_owed_is_counted_and_owed_on_request(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    browser = signed_in(Role.ADMIN)
    browser.post(PAGE, GIVEN)
    browser.post(f"{PAGE}/{only(laboratory)}/stop", {})
    with laboratory.sessions.begin() as session:
        bench = open_bench(session, now)
        bench.lab_pool(bench.swabs(3))
        bench.run()
    browser.post(f"{PAGE}/{only(laboratory)}/start", {})
    assert "3 final results were never owed to it" in browser.get(PAGE).text
    browser.post(f"{PAGE}/{only(laboratory)}/catch-up", {})
    shown = browser.get(PAGE).text
    assert "never owed" not in shown
    with laboratory.sessions.begin() as session:
        owed = session.execute(text("SELECT says, state FROM outbound")).all()
    assert [tuple(row) for row in owed] == [("F", "owed")] * 3


def test_what_was_refused_is_shown_with_their_answer_and_sent_again(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    browser = signed_in(Role.ADMIN)
    browser.post(PAGE, GIVEN)
    with laboratory.sessions.begin() as session:
        bench = open_bench(session, now)
        bench.swab()
        bench.run()
        session.execute(
            text(
                "UPDATE outbound SET state = 'dead', answer = 'AR unknown ward', sent_at = :now,"
                " attempts = 1, payload_digest = repeat('0', 64)"
            ),
            {"now": now},
        )
    shown = browser.get(PAGE).text
    assert "AR unknown ward" in shown
    browser.post(f"{PAGE}/{only(laboratory)}/send-again", {})
    with laboratory.sessions.begin() as session:
        assert session.execute(text("SELECT state FROM outbound")).scalar_one() == "owed"


def test_a_place_that_was_forgotten_is_asked_for(signed_in: SignIn) -> None:
    browser = signed_in(Role.ADMIN)
    answer = browser.post(PAGE, GIVEN | {"everywhere": ""})
    assert answer.status_code == 422
    assert "or a tick at “the whole country”" in answer.text
    assert "No other system is told yet." in browser.get(PAGE).text


@pytest.mark.parametrize("host", ["8.8.8.8", "[2001:4860:4860::8888]", "[::ffff:8.8.8.8]"])
def test_nothing_is_set_up_to_go_to_a_public_address_in_the_clear(
    signed_in: SignIn, host: str
) -> None:
    browser = signed_in(Role.ADMIN)
    answer = browser.post(PAGE, GIVEN | {"host": host})
    assert answer.status_code == 422
    assert "an address inside a private network, or encryption" in answer.text
    book = {"name": "Sổ", "url": f"http://{host}/lab", "token": "x" * 20, "laboratory": "79-0001"}
    answer = browser.post(f"{PAGE}/health-book", book | {"everywhere": "yes"})
    assert answer.status_code == 422
    assert "an https address, or http inside a private network" in answer.text
    assert browser.post(PAGE, GIVEN | {"host": host, "tls": "tls"}).status_code == 303
