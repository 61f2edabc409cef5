"""A roster that a telephone kept: all of it or none, once, the positives told at once (S19)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def test_forty_strips_are_kept_once_and_the_positive_is_told(
    api: Caller, laboratory: Laboratory
) -> None:
    body = bodies.rapid_batch(*[""] * 38, "positive", "invalid")

    first = api.done("/rapid-tests/batch", body)
    again = api.done("/rapid-tests/batch", body, status=200)

    assert again == first | {"replayed": True}
    assert (first["negative"], first["positive"], first["invalid"]) == (38, 1, 1)
    with laboratory.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM rapid_test")).scalar_one() == 40
        assert session.execute(text("SELECT state FROM f0_case")).scalars().all() == ["presumptive"]
        lot = session.execute(text("SELECT lot, expires_on::text, source FROM kit_lot")).one()
    assert tuple(lot) == ("AG21-07", "2023-01-31", "scanned")


def test_the_pcr_tube_of_a_positive_may_follow(api: Caller) -> None:
    strips = api.done("/rapid-tests/batch", bodies.rapid_batch("positive", ""))["strips"]
    path, tube = f"/rapid-tests/{strips[0]['specimen_id']}/pcr-tube", {"barcode": bodies.label()}

    first = api.done(path, tube)

    assert api.done(path, tube, status=200) == first | {"replayed": True}
    refused(api.post(path, {"barcode": bodies.label()}), 409, "different-body")
    negative = f"/rapid-tests/{strips[1]['specimen_id']}/pcr-tube"
    refused(api.post(negative, {"barcode": bodies.label()}), 404, "not-found")


@pytest.mark.parametrize(
    ("changed", "status", "slug"),
    [
        ({"read_at": "2021-09-11T00:42:00Z"}, 409, "outside-read-window"),
        ({"read_at": "2021-09-11T01:01:00Z"}, 409, "outside-read-window"),
        ({"kit_lot": "(01)08935212000017(17)210910(10)OLD"}, 409, "kit-expired"),
        ({"kit_lot": "(01)08935212000018(17)230131(10)AG21"}, 422, "not-a-kit-code"),
    ],
)
def test_a_roster_that_cannot_be_read_leaves_nothing(
    api: Caller, database: Engine, changed: bodies.Json, status: int, slug: str
) -> None:
    with nothing_written(database):
        refused(api.post("/rapid-tests/batch", bodies.rapid_batch(**changed)), status, slug)


def test_other_strips_under_the_same_ids_are_refused(api: Caller, database: Engine) -> None:
    body = bodies.rapid_batch("", "")
    api.done("/rapid-tests/batch", body)
    body["strips"][0]["outcome"] = "positive"
    with nothing_written(database):
        refused(api.post("/rapid-tests/batch", body), 409, "different-body")


def test_somebody_twice_on_one_roster_is_refused(api: Caller, database: Engine) -> None:
    body = bodies.rapid_batch("", "")
    for strip in body["strips"]:
        strip["person"] = bodies.person(national_id="079207012345")
    with nothing_written(database):
        refused(api.post("/rapid-tests/batch", body), 409, "person-twice-in-pool")
