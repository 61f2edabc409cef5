"""An analyser's message: taken once, believed exactly, never lost."""

from __future__ import annotations

import base64

from sqlalchemy import Engine, text

from instruments.astm.session import LONGEST_MESSAGE
from instruments.files import export
from instruments.hl7.mllp import LONGEST_BLOCK
from instruments.measurement import digest_of
from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written


def count(laboratory: Laboratory, table: str, where: str = "true") -> int:
    with laboratory.sessions() as session:
        return int(
            session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()
        )


def test_a_message_is_taken_once_however_often_it_is_sent(api: Caller, database: Engine) -> None:
    positive, _negative = api.received(2)
    body = bodies.message(api.planned(), {positive: 24.0})

    first = api.post("/messages", body)
    with nothing_written(database):
        again = api.post("/messages", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert first.json()["runs"] == {"PLATE-0001": "valid"}
    assert (first.json()["matched"], first.json()["unmatched"]) == (4, 0)


def test_what_it_says_becomes_results_and_a_case_in_the_same_breath(
    api: Caller, laboratory: Laboratory
) -> None:
    positive, _negative = api.received(2)
    api.done("/messages", bodies.message(api.planned(), {positive: 24.0}))
    assert count(laboratory, "result") == 2
    assert count(laboratory, "f0_case") == 1
    assert count(laboratory, "notice") >= 1


def test_a_tube_that_nobody_knows_is_kept_unmatched_and_the_rest_proceeds(
    api: Caller, laboratory: Laboratory
) -> None:
    api.received(2)
    body = bodies.message(api.planned())
    stranger = bodies.label()
    body["measurements"][0]["specimen"] = stranger
    body["measurements"][0]["specimens"] = [stranger]

    receipt = api.done("/messages", body)

    assert (receipt["matched"], receipt["unmatched"]) == (3, 1)
    assert count(laboratory, "measurement", f"specimen_text = '{stranger}'") == 1
    assert count(laboratory, "result") == 1


def test_an_instrument_that_nobody_set_up_is_refused_and_may_send_again(
    api: Caller, database: Engine
) -> None:
    api.received(1)
    body = bodies.message(api.planned())
    with nothing_written(database):
        said = refused(
            api.post("/messages", body | {"instrument": "XX-9"}), 404, "unknown-instrument"
        )
    assert said["came"] == "XX-9"
    api.done("/messages", body)


def test_a_message_that_says_it_could_not_be_read_is_kept(
    api: Caller, laboratory: Laboratory
) -> None:
    raw = b"\x02noise\x00\xff\x03"
    body = {
        "digest": digest_of(raw),
        "instrument": "QS5-1",
        "driver": "plate-csv",
        "driver_version": "1",
        "captured_at": "2021-09-11T01:00:00Z",
        "complete": True,
        "raw": base64.b64encode(raw).decode(),
        "measurements": [],
        "quarantine": {"reason": "not-a-plate", "detail": "no header"},
    }
    receipt = api.done("/messages", body)
    assert (receipt["state"], receipt["reason"]) == ("quarantined", "not-a-plate")
    with laboratory.sessions() as session:
        assert session.execute(text("SELECT body FROM raw_message")).scalar_one() == raw


def test_a_message_that_contradicts_itself_is_refused(api: Caller, database: Engine) -> None:
    api.received(1)
    body = bodies.message(api.planned())
    first = body["measurements"][0]
    with nothing_written(database):
        for wrong in (
            {"digest": "0" * 64},
            {"raw": "no base64!"},
            {"raw": "é"},
            {"measurements": [first, first]},
            {"measurements": [first | {"specimens": ["another", "first"]}]},
            {"captured_at": "0001-01-01T00:00:00+14:00"},
            {"captured_at": 1631322000},
            {"complete": "yes"},
        ):
            refused(api.post("/messages", body | wrong), 422, "invalid-body")


def test_a_cycle_number_that_no_run_has_is_refused(api: Caller, database: Engine) -> None:
    api.received(1)
    body = bodies.message(api.planned())
    with nothing_written(database):
        for ct in ("-1", "0", "60.01", "NaN", "Infinity", "-Infinity", "1e400", '"24"', "true"):
            body["measurements"][0]["targets"][0]["ct_cycles"] = -273.15
            written = bodies.written(body).replace(b"-273.15", ct.encode())
            refused(api.post_bytes("/messages", written), 422, "invalid-body")


UNREAD = b"\x02noise\x00\xff\x03"


def test_bytes_in_quarantine_are_read_anew_when_a_driver_can(
    api: Caller, laboratory: Laboratory, database: Engine
) -> None:
    positive, _negative = api.received(2)
    body = bodies.message(api.planned(), {positive: 24.0})
    unread = body | {
        "measurements": [],
        "quarantine": {"reason": "driver-fault", "detail": "KeyError at measurements:80"},
    }
    assert api.done("/messages", unread)["state"] == "quarantined"
    with nothing_written(database):
        assert api.post("/messages", unread).status_code == 200

    anew = api.done("/messages", body | {"driver_version": "2"})
    assert (anew["state"], anew["matched"], anew["reason"]) == ("accepted", 4, None)
    assert count(laboratory, "raw_message", "driver_version = '2' AND reason IS NULL") == 1
    assert count(laboratory, "f0_case") == 1
    with nothing_written(database):
        again = api.post("/messages", unread)
    assert (again.status_code, again.json()) == (200, anew), "an older reading changes nothing"


def test_a_packet_is_taken_in_order_each_message_by_itself(
    api: Caller, laboratory: Laboratory, database: Engine
) -> None:
    positive, _negative = api.received(2)
    plate = bodies.message(api.planned(), {positive: 24.0})
    noise = plate | {
        "digest": digest_of(UNREAD),
        "raw": base64.b64encode(UNREAD).decode(),
        "measurements": [],
        "quarantine": {"reason": "not-a-plate", "detail": "no header"},
    }
    packet = {"messages": [noise, plate | {"instrument": "XX-9"}, plate]}
    rows = api.done("/messages/batch", packet)["rows"]
    assert [row["receipt"] and row["receipt"]["state"] for row in rows] == [
        "quarantined",
        None,
        "accepted",
    ]
    assert rows[1]["problem"]["type"] == "/problems/unknown-instrument"
    assert rows[1]["problem"]["status"] == 404
    assert count(laboratory, "f0_case") == 1
    with nothing_written(database):
        again = api.post("/messages/batch", packet)
    assert (again.status_code, again.json()["rows"]) == (200, rows)


def test_the_longest_message_that_a_gateway_keeps_is_taken(api: Caller) -> None:
    api.received(1)
    longest = max(export.MOST_BYTES, LONGEST_MESSAGE, LONGEST_BLOCK)
    raw = b"x" * longest
    body = bodies.message(api.planned()) | {
        "raw": base64.b64encode(raw).decode("ascii"),
        "digest": digest_of(raw),
        "measurements": [],
        "quarantine": {"reason": "encoding", "detail": "the file is in no known encoding"},
    }
    assert api.post("/messages", body).json()["state"] == "quarantined"
