"""When a message says it was sent: read in its header, for every way of speaking."""

from datetime import UTC, datetime, timedelta

import pytest

from instruments.analyser_messages import Well, encoded, plate_message
from instruments.drivers import DRIVERS
from instruments.line import Received
from instruments.measurement import Capture, Role
from instruments.misbehaviour import Order
from instruments.reader import Reader
from instruments.simulated.machines import Block, Task
from instruments.simulated.playing import CLOCK_JUMP, Playing
from instruments.simulated.poct1 import Observed
from instruments.simulated.said import said
from tests.instruments.hl7_messages import cobas6800
from tests.instruments.poct1_messages import observed
from tests.instruments.test_measurement import a_capture

NOW = datetime(2021, 7, 13, 16, 42, 24, tzinfo=UTC)


def captured(driver: str, *texts: bytes) -> Capture:
    """Of the last of these texts."""
    reader = Reader(DRIVERS[driver], "machine-1")
    captures = [reader.capture(Received(text), NOW) for text in texts]
    assert captures[-1] is not None
    return captures[-1]


def plate(ended_at: datetime, wells: int = 1) -> list[bytes]:
    drawn = [
        Well(f"A{n:02}", f"S{n}", Role.SPECIMEN, {"ORF1ab": 20.0 + n, "IC": 27.0})
        for n in range(1, wells + 1)
    ]
    return encoded(plate_message("PL7", drawn, serial="C1", ended_at=ended_at))


@pytest.mark.parametrize(
    ("driver", "text", "sent_at"),
    [
        ("plate", b"".join(plate(NOW)), "2021-07-13T16:42:24"),
        ("cobas", cobas6800(("TGT1", "NEG", "^^35.1")), "2023-05-17T16:16:02"),
        (
            "cobas",
            cobas6800(("TGT1", "NEG", "^^35.1")).replace(b"20230517161602", b"20230517161602+0700"),
            "2023-05-17T16:16:02+07:00",
        ),
        ("sofia2", observed(("SARS", "negative")), "2021-07-13T11:41:40"),
    ],
)
def test_a_header_says_when_it_was_sent(driver: str, text: bytes, sent_at: str) -> None:
    one = captured(driver, text)
    assert one.measurements
    assert one.sent_at == sent_at
    assert Capture.from_json(one.to_json()).sent_at == sent_at


@pytest.mark.parametrize("said_of_it", [b"", b"never", b"20211332"])
def test_a_header_without_a_time_is_no_reason_to_hold_anything_back(said_of_it: bytes) -> None:
    one = captured(
        "plate", b"".join(plate(NOW)).replace(b"|20210713164224\rP", said_of_it + b"\rP")
    )
    assert one.measurements
    assert one.sent_at is None


def test_what_could_not_be_read_also_says_when_it_was_sent() -> None:
    one = captured("plate", b"".join(plate(NOW)).replace(b"R|2|", b"R|7|"))
    assert one.quarantine is not None
    assert one.sent_at == "2021-07-13T16:42:24"
    assert captured("cobas", b"noise").sent_at is None


def test_a_resumed_message_was_sent_when_its_tail_was() -> None:
    records = plate(NOW, wells=2)
    later = plate(NOW + timedelta(hours=3), wells=2)[0]
    tail = [later, records[1], *records[5:]]
    first, whole = b"".join(records[:5]), b"".join(tail)
    one = captured("plate", first, whole)
    assert one.complete
    assert [m.well for m in one.measurements] == ["A01", "A02"]
    assert one.sent_at == "2021-07-13T19:42:24"


def test_a_capture_of_an_older_gateway_says_nothing_of_it() -> None:
    body = a_capture().to_json()
    del body["sent_at"]
    assert Capture.from_json(body) == a_capture()


def bytes_of(task: Task) -> bytes:
    match task:
        case Order():
            return b"".join(task.records)
        case Block() | Observed():
            return task.message
        case _:
            return task.content


@pytest.mark.parametrize(
    "driver", ["genexpert", "plate", "m2000", "cobas", "alinity-m", "cobas4800"]
)
def test_a_simulated_clock_that_jumps_is_seen_in_the_header(driver: str) -> None:
    targets = (
        {"": 21.0} if driver in ("m2000", "cobas4800", "alinity-m") else {"ORF1ab": 21.0, "E": 21.5}
    )
    asked = {"plate": "PL7", "wells": [{"well": "A01", "specimen": "S1", "targets": targets}]}
    for faults, jump in (([], timedelta()), (["clock-jump"], CLOCK_JUMP)):
        before = datetime.now(UTC)
        (task, *_more) = Playing(driver, "", "X1", faults=faults).tasks(said(asked))
        sent_at = captured(driver, bytes_of(task)).sent_at
        assert sent_at is not None
        read = datetime.fromisoformat(sent_at)
        off = (read if read.tzinfo else read.astimezone()) - before
        assert jump - timedelta(seconds=1) <= off <= jump + timedelta(minutes=9)
