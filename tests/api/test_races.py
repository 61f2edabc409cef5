"""Two desks at the same moment: one of them wins, nobody gets half, and nobody gets an error."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.racing import at_once
from tests.until import WITHIN_S
from tests.waiting import until_somebody_waits

ROUNDS = range(5)  # a race that is lost once in a while must be lost here


def count(laboratory: Laboratory, table: str) -> int:
    with laboratory.sessions() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def statuses(answers: Sequence[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize(
    "path", ["/specimens", "/field-pools", "/rapid-tests", "/rapid-tests/batch"]
)
def test_the_same_sent_twice_at_once_is_registered_once(
    path: str, api: Caller, laboratory: Laboratory
) -> None:
    makers = {
        "/specimens": bodies.registration,
        "/field-pools": bodies.field_pool,
        "/rapid-tests": bodies.rapid_test,
        "/rapid-tests/batch": bodies.rapid_batch,
    }
    for _ in ROUNDS:
        body = makers[path]()
        before = count(laboratory, "person")
        answers = at_once(*[partial(api.post, path, body)] * 3)
        assert statuses(answers) == [200, 200, 201]
        receipts = [answer.json() | {"replayed": None} for answer in answers]
        assert receipts[0] == receipts[1] == receipts[2]
        assert count(laboratory, "person") - before == len(
            body.get("members") or body.get("strips") or [1]
        )


def test_the_same_pool_and_the_same_plate_sent_twice_at_once_are_made_once(
    api: Caller, campaign: str, laboratory: Laboratory
) -> None:
    for round_ in ROUNDS:
        sources = api.received(2, campaign_id=campaign)
        for path, body in (
            ("/pools", bodies.pool(sources)),
            ("/runs", bodies.run(f"PLATE-{round_:04d}")),
        ):
            answers = at_once(*[partial(api.post, path, body)] * 3)
            assert statuses(answers) == [200, 200, 201]
            assert len({str(answer.json() | {"replayed": None}) for answer in answers}) == 1
        assert count(laboratory, "run") == round_ + 1


def test_the_same_batch_twice_at_once_is_registered_once(
    api: Caller, laboratory: Laboratory
) -> None:
    for round_ in ROUNDS:
        rows = [bodies.registration() for _ in range(20)]
        answers = at_once(*[partial(api.post, "/specimens/batch", {"rows": rows})] * 2)
        assert statuses(answers) == [200, 201]
        assert count(laboratory, "tube") == 20 * (round_ + 1)


def test_a_request_that_the_database_stops_as_a_deadlock_is_tried_again(
    api: Caller, database: Engine
) -> None:
    """Another transaction holds the last row and asks for the first. The database looks for a
    deadlock once, a second after a wait began: the request must be the last to wait, however long
    the rest takes, and so it is held at the row between until the other waits for it."""
    api.registered()
    first, between, last = rows = [bodies.registration() for _ in range(3)]
    with (
        ThreadPoolExecutor(2) as threads,
        database.connect() as gate,
        gate.begin() as shut,
        database.connect() as other,
        other.begin() as held,
    ):
        gate.execute(_COPY_OF_ANY, {"id": between["specimen_id"]})
        other.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # so that the request is stopped
        other.execute(_COPY_OF_ANY, {"id": last["specimen_id"]})
        answer = threads.submit(api.post, "/specimens/batch", {"rows": rows})
        until_somebody_waits(database)
        crossing = threads.submit(other.execute, _COPY_OF_ANY, {"id": first["specimen_id"]})
        until_somebody_waits(database, many=2)
        shut.rollback()
        crossing.result(timeout=WITHIN_S)
        held.rollback()
        assert answer.result(timeout=WITHIN_S).json()["registered"] == 3


_COPY_OF_ANY = text("""
INSERT INTO specimen (id, site_id, person_id, material, collected_at, registered_at,
                      registered_by, body_digest)
SELECT :id, site_id, person_id, material, collected_at, registered_at, registered_by, ''
FROM specimen LIMIT 1
""")


def test_two_people_with_one_label_are_one_tube_and_one_refusal(
    api: Caller, laboratory: Laboratory
) -> None:
    for round_ in ROUNDS:
        label = bodies.label()
        answers = at_once(
            *(partial(api.post, "/specimens", bodies.registration(barcode=label)) for _ in range(3))
        )
        assert statuses(answers) == [201, 409, 409]
        for answer in answers:
            if answer.status_code == 409:
                refused(answer, 409, "barcode-taken")
        assert count(laboratory, "person") == round_ + 1


def test_one_id_for_two_people_is_one_tube_and_one_refusal(
    api: Caller, laboratory: Laboratory
) -> None:
    for round_ in ROUNDS:
        shared = bodies.fresh_id()
        answers = at_once(
            *(
                partial(api.post, "/specimens", bodies.registration(specimen_id=shared))
                for _ in range(2)
            )
        )
        assert statuses(answers) == [201, 409]
        assert count(laboratory, "person") == round_ + 1


def test_one_card_at_two_desks_is_one_person_with_two_tubes(
    api: Caller, laboratory: Laboratory
) -> None:
    mai = bodies.person(national_id="079189012345")
    answers = at_once(
        *(partial(api.post, "/specimens", bodies.registration(person=mai)) for _ in range(3))
    )
    assert statuses(answers) == [201, 201, 201]
    assert len({answer.json()["person_id"] for answer in answers}) == 1
    assert (count(laboratory, "person"), count(laboratory, "tube")) == (1, 3)


def test_one_rack_scanned_from_both_ends_is_received_once(
    api: Caller, laboratory: Laboratory
) -> None:
    rack = api.registered(20)
    answers = at_once(
        partial(api.post, "/receptions", {"barcodes": rack}),
        partial(api.post, "/receptions", {"barcodes": rack[::-1]}),
    )
    assert statuses(answers) == [200, 201]
    assert count(laboratory, "test_order") == 20


def test_a_tube_wanted_for_two_pools_is_in_one(
    api: Caller, campaign: str, laboratory: Laboratory
) -> None:
    for round_ in ROUNDS:
        left, shared, right = api.received(3, campaign_id=campaign)
        answers = at_once(
            partial(api.post, "/pools", bodies.pool([left, shared])),
            partial(api.post, "/pools", bodies.pool([shared, right])),
        )
        assert statuses(answers) == [201, 409]
        slow = next(answer for answer in answers if answer.status_code == 409)
        refused(slow, 409, "already-in-pool")
        assert count(laboratory, "tube_source") == 2 * (round_ + 1)


def test_two_plates_filled_at_once_share_no_test(api: Caller, laboratory: Laboratory) -> None:
    api.received(30)
    answers = at_once(
        *(partial(api.post, "/runs", bodies.run(f"PLATE-000{n}", most=15)) for n in range(2))
    )
    assert statuses(answers) == [201, 201]
    barcodes = [
        well["barcode"] for answer in answers for well in answer.json()["wells"] if well["barcode"]
    ]
    assert len(barcodes) == len(set(barcodes)) == 30


def test_one_plate_name_for_two_runs_is_one_run_and_one_refusal(api: Caller) -> None:
    for round_ in ROUNDS:
        api.received(2)
        answers = at_once(
            *[lambda r=round_: api.post("/runs", bodies.run(f"PLATE-{r:04d}", most=1))] * 2
        )
        assert statuses(answers) == [201, 409]
        refused(next(a for a in answers if a.status_code == 409), 409, "well-taken")
