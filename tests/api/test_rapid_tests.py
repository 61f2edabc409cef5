"""Rapid tests at the desk: read inside the window, a positive asks for PCR, all of it once."""

from __future__ import annotations

from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def test_a_negative_is_kept_once(api: Caller) -> None:
    body = bodies.rapid_test()

    first, again = api.post("/rapid-tests", body), api.post("/rapid-tests", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert first.json()["pcr_specimen_id"] is None


def test_a_positive_opens_one_case_and_queues_one_pcr(api: Caller, laboratory: Laboratory) -> None:
    body = bodies.rapid_test("positive", pcr_barcode=bodies.label())

    first = api.done("/rapid-tests", body)
    assert api.done("/rapid-tests", body, status=200) == first | {"replayed": True}

    assert first["pcr_specimen_id"] is not None
    with laboratory.sessions() as session:
        assert session.execute(text("SELECT state FROM f0_case")).scalars().all() == ["presumptive"]
        assert session.execute(text("SELECT why FROM test_order")).scalars().all() == ["confirm"]


def test_a_positive_without_its_pcr_tube_is_refused(api: Caller, database: Engine) -> None:
    with nothing_written(database):
        said = refused(api.post("/rapid-tests", bodies.rapid_test("positive")), 422, "invalid-body")
    assert said["errors"][0]["pointer"] == "#/pcr_barcode"


def test_a_strip_read_outside_its_window_is_refused(api: Caller, database: Engine) -> None:
    with nothing_written(database):
        for read_at in ("2021-09-11T00:42:00Z", "2021-09-11T01:01:00Z", "2021-09-10T23:00:00Z"):
            refused(
                api.post("/rapid-tests", bodies.rapid_test(read_at=read_at)),
                409,
                "outside-read-window",
            )


def test_another_reading_under_the_same_id_is_refused(api: Caller, database: Engine) -> None:
    body = bodies.rapid_test()
    api.done("/rapid-tests", body)
    with nothing_written(database):
        refused(api.post("/rapid-tests", body | {"kit_lot": "LOT-8"}), 409, "different-body")


def test_a_pcr_label_that_is_taken_undoes_the_whole_reading(api: Caller, database: Engine) -> None:
    [taken] = api.registered()
    with nothing_written(database):
        refused(
            api.post("/rapid-tests", bodies.rapid_test("positive", pcr_barcode=taken)),
            409,
            "barcode-taken",
        )
