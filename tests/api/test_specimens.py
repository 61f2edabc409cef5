"""Registering one swab: once however often it is sent, never two people in one tube."""

from __future__ import annotations

from tests.api import bodies
from tests.api.caller import Caller, refused


def test_a_swab_is_registered_once_however_often_it_is_sent(api: Caller) -> None:
    body = bodies.registration()

    first, again = api.post("/specimens", body), api.post("/specimens", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert first.json()["barcode"] == body["barcode"]


def test_another_body_under_the_same_id_is_refused(api: Caller) -> None:
    body = bodies.registration()
    api.done("/specimens", body)

    refused(
        api.post("/specimens", body | {"person": bodies.person(name="Lê Văn Tám")}),
        409,
        "different-body",
    )
