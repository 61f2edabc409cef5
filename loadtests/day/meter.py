"""Every exchange with the LIMS is timed on the wire's near side, named by its route and judged.

An answer that the plan provoked, or that a race may give, is expected and says so beforehand; what
breaks while a fault of the day is on is the fault's; anything else that is not 2xx or 3xx is a
failure.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Protocol

import httpx

_IDS = re.compile(r"/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Judged(StrEnum):
    """How an exchange counts."""

    GOOD = "good"
    OF_A_FAULT = "of a fault"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; ``said`` is the status or what broke, with the fault if any."""

    at_s: float
    name: str
    took_ms: float
    judged: Judged
    said: str
    length: int


class Heard(Protocol):
    """Somebody who keeps exchanges."""

    def __call__(self, exchange: Exchange) -> None:
        """One more."""


@dataclass
class Book:
    """All exchanges of the day, in the order in which they ended."""

    exchanges: list[Exchange] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def took_ms(self, name: str) -> list[float]:
        """The times of the good exchanges of this name."""
        return [e.took_ms for e in self.exchanges if e.name == name and e.judged is Judged.GOOD]


class Meter(httpx.BaseTransport):
    """The transport of one station or browser; not shared between greenlets.

    ``fault`` says which fault of the day explains a broken exchange just now, or None.
    """

    def __init__(
        self,
        heard: Heard,
        elapsed_s: Callable[[], float],
        fault: Callable[[], str | None],
        suffix: str = "",
    ) -> None:
        self._heard = heard
        self._elapsed_s = elapsed_s
        self._fault = fault
        self._suffix = suffix
        self._expected: int | None = None
        self._allowed: int | None = None
        self._line = httpx.HTTPTransport(verify=_trust())

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Inside, this refusal is what the plan provoked, and its absence is the failure."""
        self._expected = status
        try:
            yield
        finally:
            self._expected = None

    @contextmanager
    def allowing(self, status: int) -> Iterator[None]:
        """Inside, this refusal is as good an answer as any: somebody else was quicker."""
        self._allowed = status
        try:
            yield
        finally:
            self._allowed = None

    @contextmanager
    def named(self, suffix: str) -> Iterator[None]:
        """Inside, exchanges carry this beside their route."""
        before, self._suffix = self._suffix, suffix
        try:
            yield
        finally:
            self._suffix = before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises what the plain transport raises."""
        began = time.perf_counter()
        try:
            response = self._line.handle_request(request)
            response.read()
        except httpx.TransportError as broke:
            self._note(request, began, type(broke).__name__, good=False, broken=True, length=0)
            raise
        status = response.status_code
        good = self._is_good(status)
        broken = status >= 500
        self._note(request, began, str(status), good=good, broken=broken, length=_length(response))
        return response

    def _is_good(self, status: int) -> bool:
        if self._expected is not None:
            return status == self._expected
        return status < 400 or status == self._allowed

    def close(self) -> None:
        self._line.close()

    def _note(
        self,
        request: httpx.Request,
        began: float,
        said: str,
        *,
        good: bool,
        broken: bool,
        length: int,
    ) -> None:
        took_ms = (time.perf_counter() - began) * 1000
        fault = self._fault() if broken else None
        judged = Judged.GOOD if good else Judged.OF_A_FAULT if fault else Judged.FAILED
        said = f"{said} ({fault})" if fault else said
        name = _name(request) + self._suffix
        self._heard(Exchange(self._elapsed_s(), name, took_ms, judged, said, length))


@cache
def _trust() -> ssl.SSLContext:
    """Loading the machine's certificates takes 20 ms; two hundred users share them."""
    return httpx.create_ssl_context()


def _name(request: httpx.Request) -> str:
    path = _IDS.sub("/<id>", request.url.path.removeprefix("/api/v1"))
    if path.startswith("/tubes/"):
        path = "/tubes/<barcode>"
    return f"{request.method} {path}"


def _length(response: httpx.Response) -> int:
    return len(response.content)
