"""The plate runner of the load day asks for a plate of a queue that somebody may just empty."""

from __future__ import annotations

import threading

import pytest

from lims.db.ids import uuid7
from lims.demo.client import Refused, Station
from lims.work.tokens import Scope
from loadtests.day.meter import Book, Judged, Meter
from loadtests.day.plates import next_plate
from tests.api import bodies
from tests.api.caller import Caller
from tests.api.conftest import (  # noqa: F401 - fixtures, which pytest finds by name
    Serving,
    api,
    clock,
    laboratory,
    serving,
)


def test_an_empty_queue_is_no_failure_of_the_day_and_any_other_refusal_is(
    serving: Serving,  # noqa: F811 - the fixture above
    api: Caller,  # noqa: F811 - the fixture above
) -> None:
    book = Book()
    meter = Meter(book, lambda: 0.0, lambda: None)
    with Station(serving.address, api.tokens[Scope.RUN], threading.Event(), meter) as station:
        assert next_plate(station, meter, bodies.fresh_id(), "PL-1") is None
        api.received(2)
        layout = next_plate(station, meter, str(uuid7()), "PL-1")
        assert layout is not None
        assert sum(well["role"] == "specimen" for well in layout["wells"]) == 2
        with pytest.raises(Refused):
            next_plate(station, meter, str(uuid7()), "PL-1")  # the plate stands on the bench
    assert [one.said for one in book.exchanges] == ["409", "201", "409"]
    assert book.exchanges[0].judged is Judged.GOOD
