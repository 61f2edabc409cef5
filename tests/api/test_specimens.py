"""Registering one swab: once however often it is sent, never two people in one tube."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def test_a_swab_is_registered_once_however_often_it_is_sent(api: Caller) -> None:
    body = bodies.registration()

    first, again = api.post("/specimens", body), api.post("/specimens", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert first.json()["barcode"] == body["barcode"]


def test_the_same_said_in_other_words_is_the_same(api: Caller) -> None:
    body = bodies.registration(collected_at="2021-09-11T07:30:00+07:00")
    first = api.done("/specimens", body)

    shown = f"{body['barcode'][:4]}-{body['barcode'][4:8]}-{body['barcode'][8:].lower()}"
    again = body | {"collected_at": "2021-09-11T00:30:00Z", "barcode": shown, "campaign_id": None}

    assert api.done("/specimens", again, status=200) == first | {"replayed": True}


@pytest.mark.parametrize(
    "changed",
    [
        {"person": bodies.person(name="Lê Văn Tám")},
        {"collected_at": "2021-09-11T07:31:00+07:00"},
        {"person": bodies.person(address="12 Hai Bà Trưng")},
    ],
)
def test_another_body_under_the_same_id_is_refused(
    changed: bodies.Json, api: Caller, database: Engine
) -> None:
    body = bodies.registration()
    api.done("/specimens", body)

    with nothing_written(database):
        refused(api.post("/specimens", body | changed), 409, "different-body")


def test_a_second_swab_of_the_same_card_is_the_same_person(api: Caller) -> None:
    mai = bodies.person(national_id="079189012345")
    first = api.done("/specimens", bodies.registration(person=mai))
    second = api.done("/specimens", bodies.registration(person=mai))
    known = bodies.registration(person_id=first["person_id"])
    del known["person"]

    assert second["person_id"] == first["person_id"]
    assert api.done("/specimens", known)["person_id"] == first["person_id"]


def test_a_label_on_another_tube_is_refused(api: Caller, database: Engine) -> None:
    [taken] = api.registered()
    with nothing_written(database):
        said = refused(
            api.post("/specimens", bodies.registration(barcode=taken)), 409, "barcode-taken"
        )
    assert said["came"] == taken


def test_a_name_is_kept_as_written_and_times_in_utc(api: Caller, laboratory: Laboratory) -> None:
    name = "Nguyễn Thị Ánh 👩‍🔬"  # composed or not, with whatever a telephone can type
    api.done("/specimens", bodies.registration(person=bodies.person(name=f"  {name}  ")))

    with laboratory.sessions() as session:
        row = session.execute(
            text("SELECT p.name, s.collected_at FROM person p JOIN specimen s ON true")
        ).one()
    assert row.name == name
    assert row.collected_at == datetime.fromisoformat(bodies.COLLECTED)


def test_a_registration_that_fails_leaves_nothing_though_it_opens_no_transaction(
    api: Caller, laboratory: Laboratory, database: Engine
) -> None:
    """The one statement is its own transaction: a constraint met by its last part undoes all."""
    with laboratory.sessions.begin() as session:
        session.execute(
            text("ALTER TABLE tube_specimen ADD CONSTRAINT refuse_all CHECK (false) NOT VALID")
        )
    try:
        with nothing_written(database):
            said = refused(api.post("/specimens", bodies.registration()), 422, "invalid-body")
    finally:
        with laboratory.sessions.begin() as session:
            session.execute(text("ALTER TABLE tube_specimen DROP CONSTRAINT refuse_all"))
    assert "refuse_all" in said["errors"][0]["detail"]


def test_no_connection_is_left_in_a_transaction_or_in_autocommit(
    api: Caller, database: Engine
) -> None:
    """The pool is shared: what registers without BEGIN must not change how others commit."""
    api.registered(3)
    with database.connect() as connection:
        connection.execute(text("UPDATE tube SET created_by = 'nobody'"))
        connection.rollback()
        assert "nobody" not in set(
            connection.execute(text("SELECT created_by FROM tube")).scalars()
        )
