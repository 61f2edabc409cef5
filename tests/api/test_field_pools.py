"""One tube with several people's swabs, registered together or not at all."""

from __future__ import annotations

from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def test_a_family_in_one_tube_is_registered_once(api: Caller) -> None:
    body = bodies.field_pool(5)

    first, again = api.post("/field-pools", body), api.post("/field-pools", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert len(set(first.json()["person_ids"])) == 5
    assert first.json()["places_left"] == 15


def test_a_family_lives_where_its_door_is(api: Caller, laboratory: Laboratory) -> None:
    api.done("/field-pools", bodies.field_pool(2))
    with laboratory.sessions() as session:
        homes = session.execute(text("SELECT DISTINCT household_id, area_code FROM person")).all()
    assert len(homes) == 1
    assert homes[0].household_id is not None


def test_another_family_under_the_same_id_is_refused(api: Caller, database: Engine) -> None:
    body = bodies.field_pool(2)
    api.done("/field-pools", body)
    with nothing_written(database):
        refused(
            api.post("/field-pools", body | {"members": body["members"][:1]}), 409, "different-body"
        )


def test_a_person_twice_in_one_tube_is_refused(api: Caller, database: Engine) -> None:
    mai = bodies.person(national_id="079189012345")
    members = [{"specimen_id": bodies.fresh_id(), "person": mai} for _ in range(2)]
    with nothing_written(database):
        refused(
            api.post("/field-pools", bodies.field_pool(members=members)),
            409,
            "person-twice-in-pool",
        )


def test_more_people_than_a_tube_holds_are_refused(api: Caller, database: Engine) -> None:
    with nothing_written(database):
        said = refused(api.post("/field-pools", bodies.field_pool(21)), 409, "pool-full")
        refused(api.post("/field-pools", bodies.field_pool(101)), 422, "invalid-body")
        refused(api.post("/field-pools", bodies.field_pool(0)), 422, "invalid-body")
    assert said["came"].endswith("people, at most 20")


def test_a_swab_that_is_in_another_tube_is_refused(api: Caller, database: Engine) -> None:
    single = bodies.registration()
    api.done("/specimens", single)
    members = [{"specimen_id": single["specimen_id"], "person": bodies.person()}]
    with nothing_written(database):
        refused(api.post("/field-pools", bodies.field_pool(members=members)), 409, "different-body")
        refused(
            api.post("/field-pools", bodies.field_pool(barcode=single["barcode"])),
            409,
            "barcode-taken",
        )
