"""A message's text to a capture: what it belongs to, and what the driver reads in it or why not."""

import traceback
from datetime import datetime

import structlog

from instruments.astm.records import Message, read
from instruments.astm.session import Received
from instruments.drivers import Driver, Unreadable
from instruments.measurement import Capture, Measurement, Quarantine, digest_of

_log = structlog.get_logger()


class Reader:
    """Texts to captures: finds what a tail belongs to and asks the driver. Never raises."""

    def __init__(self, driver: Driver, instrument: str, held: bytes = b"") -> None:
        self._driver = driver
        self._instrument = instrument
        self.held = held

    def capture(self, received: Received, at: datetime) -> Capture | None:
        """None for a text in which nothing was reported: a header that went no further."""
        text, message = self._whole(received.text)
        if not message.terminated and not any(message.orders()) and not message.faults:
            return None
        self.held = b"" if message.terminated else self._further(_whole_records(text))
        measurements, quarantine = self._measured(message, conflict=received.conflict)
        return Capture(
            digest=digest_of(text),
            instrument=self._instrument,
            driver=self._driver.name,
            driver_version=self._driver.version,
            captured_at=at.isoformat(timespec="microseconds"),
            complete=message.terminated,
            raw=text,
            measurements=measurements,
            quarantine=quarantine,
        )

    def _whole(self, text: bytes) -> tuple[bytes, Message]:
        """A tail together with what was held, if it fits there and does not stand alone. H, P, L
        is a tail of which all but L was saved; a bare H, L may be a line test and closes nothing.
        """
        message = read(text)
        only_l = message.terminated and message.patients and not any(message.orders())
        if self.held and (message.faults or only_l):
            together = read(self.held + text)
            if not together.faults:
                return self.held + text, together
        return text, message

    def _further(self, text: bytes) -> bytes:
        """What is held after one more text broke off. One that goes on where the held one stopped
        adds to it; one that only repeats it (H and the parents, then silence again) takes nothing
        away; what belongs elsewhere takes its place."""
        if not self.held or text.startswith(self.held):
            return text
        together = read(self.held + text)
        if together.faults:
            return text
        return self.held if _results(together) == _results(read(self.held)) else self.held + text

    def _measured(
        self, message: Message, *, conflict: bool
    ) -> tuple[tuple[Measurement, ...], Quarantine | None]:
        if conflict:
            detail = "a frame came twice under one number with different bytes"
            return (), Quarantine("frame-conflict", detail)
        try:
            return self._driver.measurements(message), None
        except Unreadable as why:
            return (), Quarantine(why.reason, why.detail)
        except Exception as error:  # a driver's fault must not stop the line
            told = traceback.extract_tb(error.__traceback__)[-1]  # the place, never the values
            at = f"{type(error).__name__} at {told.name}:{told.lineno}"
            _log.error("driver fault", driver=self._driver.name, at=at)
            return (), Quarantine("driver-fault", at)


def _results(message: Message) -> int:
    return sum(1 + len(order.children) for _path, order in message.orders())


def _whole_records(text: bytes) -> bytes:
    """Without a last record that was cut."""
    return text[: max(text.rfind(b"\r"), text.rfind(b"\n")) + 1]
