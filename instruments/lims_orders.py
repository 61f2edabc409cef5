"""What the LIMS says is to be measured, for an analyser that asks on its line.

The LIMS names an assay by its own code and an analyser by another, which its owner gave it there;
`tests` is the one for the other. When the LIMS does not answer, nothing is: an analyser that hears
nothing asks again, one that hears "no order" measures nothing.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx
import structlog
from structlog.contextvars import bound_contextvars

from instruments.astm.query import Query, Wanted
from instruments.drivers import Format
from instruments.host_query import QueryDesk
from instruments.lims_door import LimsDoor, NoToken
from instruments.line_driver import LineDriver

PATH: Final = "/instruments/orders"
WAIT_S: Final = 0.5  # for a question, and so how soon a stop is heeded
STOP_S: Final = 5.0
STAT, ROUTINE = "S", "R"  # LIS2-A2 8.4.6

_log = structlog.get_logger()


def tests_asked(
    asks: bool, tests: Mapping[str, str], reads: LineDriver | None
) -> Mapping[str, str] | None:
    """What a line is asked for; None where it is not asked. Raises ValueError where the settings
    contradict each other."""
    if not asks:
        if tests:
            raise ValueError("tests: only with host_query = true")
        return None
    if reads is not None and reads.driver.format is not Format.ASTM:
        raise ValueError("host_query: only a line that speaks ASTM is answered")
    if not tests or not all(assay and code.strip() for assay, code in tests.items()):
        raise ValueError('host_query: needs tests = {sars-cov-2 = "the code on the analyser"}')
    return tests


class LimsOrders:
    """The lookup of one line's desk."""

    def __init__(self, lims: LimsDoor, instrument: str, tests: Mapping[str, str]) -> None:
        self._lims = lims
        self._instrument = instrument
        self._tests = tests

    def __call__(self, query: Query) -> list[Wanted] | None:
        """None when it cannot be told now."""
        asked = {
            "instrument": self._instrument,
            "assays": [*self._tests],
            "specimens": None if query.everything else [*query.specimens],
        }
        try:
            said = self._lims.post(self._lims.at(PATH), json.dumps(asked).encode("utf-8"))
            if said.status_code != httpx.codes.OK:
                _log.warning("orders not told", status=said.status_code, problem=said.text[:200])
                return None
            return [self._wanted(order) for order in said.json()["orders"]]
        except (httpx.HTTPError, NoToken, OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("orders not told", error=f"{type(error).__name__} {error}")
            return None

    def _wanted(self, order: Mapping[str, Any]) -> Wanted:
        """Raises KeyError for an assay that was not asked for."""
        return Wanted(
            specimen=str(order["specimen"]),
            tests=tuple(self._tests[assay] for assay in order["assays"]),
            priority=STAT if order["urgent"] else ROUTINE,
        )


@contextmanager
def answering(desk: QueryDesk | None, instrument: str) -> Iterator[None]:
    """A thread that looks orders up, beside the one that reads the line."""
    if desk is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_serve, args=(desk, instrument, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_S)


def _serve(desk: QueryDesk, instrument: str, over: threading.Event) -> None:
    with bound_contextvars(instrument=instrument):
        while not over.is_set():
            try:
                desk.serve_one(WAIT_S)
            except Exception as error:  # one question's fault must not silence the desk
                _log.error("question not answered", error=type(error).__name__)
