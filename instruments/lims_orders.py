"""What the LIMS says is to be measured, for an analyser that asks on its line.

The LIMS names an assay by its own code and an analyser by another, which its owner gave it there;
`tests` is the one for the other. When the LIMS does not tell, nobody makes it up: an analyser that
hears nothing (ASTM) or AE (HL7) asks again, one that hears "no order" measures nothing.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx
import structlog
from structlog.contextvars import bound_contextvars

from instruments.astm.query import Query, Wanted
from instruments.drivers import Format
from instruments.hl7 import worklist as law
from instruments.lims_door import LimsDoor, NoToken
from instruments.line_driver import LineDriver

PATH: Final = "/instruments/orders"
WAIT_S: Final = 0.5  # for a question, and so how soon a stop is heeded
STOP_S: Final = 5.0
STAT, ROUTINE = "S", "R"  # LIS2-A2 8.4.6
ASKING: Final = (Format.ASTM, Format.HL7)
NOT_TOLD_S: Final = 600.0  # how long it stands that a question went unanswered, if no other comes

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
    if reads is not None and reads.driver.format not in ASKING:
        raise ValueError("host_query: only a line that speaks ASTM or HL7 is answered")
    if not tests or not all(assay and code.strip() for assay, code in tests.items()):
        raise ValueError('host_query: needs tests = {sars-cov-2 = "the code on the analyser"}')
    return tests


@dataclass(frozen=True, slots=True)
class _Ordered:
    """What waits on one tube: the analyser's codes, each with the LIMS' number of the order."""

    specimen: str
    tests: tuple[tuple[str, str], ...]
    urgent: bool


class LimsOrders:
    """The lookup of one line's desk. `not_told` may be asked from another thread."""

    def __init__(self, lims: LimsDoor, instrument: str, tests: Mapping[str, str]) -> None:
        self._lims = lims
        self._instrument = instrument
        self._tests = tests
        self._refused: tuple[float, str] | None = None

    @property
    def not_told(self) -> str | None:
        """Why the last question could not be answered, of late; None when it could."""
        refused = self._refused
        if refused is None or time.monotonic() - refused[0] > NOT_TOLD_S:
            return None
        return refused[1]

    def of_astm(self, query: Query) -> list[Wanted] | None:
        """None when it cannot be told now."""
        waiting = self._waiting(None if query.everything else query.specimens)
        if waiting is None:
            return None
        return [
            Wanted(
                specimen=each.specimen,
                tests=tuple(code for code, _number in each.tests),
                priority=STAT if each.urgent else ROUTINE,
            )
            for each in waiting
        ]

    def of_law(self, query: law.Query, within_s: float) -> list[law.Order] | None:
        """None when it cannot be told now."""
        if not query.fit:
            return []  # the answer rejects it, whatever waits
        waiting = self._waiting([query.specimen] if query.specimen else None, within_s)
        if waiting is None:
            return None
        return [law.Order(each.specimen, each.tests, urgent=each.urgent) for each in waiting]

    def _waiting(
        self, specimens: Sequence[str] | None, within_s: float | None = None
    ) -> list[_Ordered] | None:
        """On these tubes, or of all."""
        asked = {
            "instrument": self._instrument,
            "assays": [*self._tests],
            "specimens": None if specimens is None else [*specimens],
        }
        body = json.dumps(asked).encode("utf-8")
        try:
            said = self._lims.post(self._lims.at(PATH), body, within_s=within_s)
            if said.status_code != httpx.codes.OK:
                _log.warning("orders not told", status=said.status_code, problem=said.text[:200])
                self._refused = time.monotonic(), f"{said.status_code} {_detail(said)}".strip()
                return None
            found = [self._ordered(order) for order in said.json()["orders"]]
        except (httpx.HTTPError, NoToken, OSError, ValueError, KeyError, TypeError) as error:
            why = f"{type(error).__name__} {error}".strip()
            self._refused = time.monotonic(), why
            _log.warning("orders not told", error=why)
            return None
        self._refused = None
        return found

    def _ordered(self, order: Mapping[str, Any]) -> _Ordered:
        """Raises KeyError for an assay that was not asked for. One without numbers, of an older
        LIMS, is named by its tube and test."""
        specimen, assays = str(order["specimen"]), order["assays"]
        codes = [self._tests[assay] for assay in assays]
        numbers = order.get("numbers") or [f"{specimen}-{code}" for code in codes]
        return _Ordered(
            specimen, tuple(zip(codes, map(str, numbers), strict=True)), order["urgent"]
        )


def _detail(said: httpx.Response) -> str:
    """Of a problem document (RFC 9457)."""
    try:
        told = said.json()
        return str(told.get("detail") or told.get("title") or told["type"])
    except (ValueError, KeyError, AttributeError):
        return ""


class Desk(Protocol):
    """Looks up one question, waiting at most so many seconds for one."""

    def serve_one(self, wait_s: float, /) -> object: ...


@contextmanager
def answering(desk: Desk | None, instrument: str) -> Iterator[None]:
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


def _serve(desk: Desk, instrument: str, over: threading.Event) -> None:
    with bound_contextvars(instrument=instrument):
        while not over.is_set():
            try:
                desk.serve_one(WAIT_S)
            except Exception as error:  # one question's fault must not silence the desk
                _log.error("question not answered", error=type(error).__name__)
