"""A message's text to a capture: what it belongs to, and what the driver reads in it or why not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instruments.astm import records
from instruments.driven import driven, quarantined
from instruments.drivers import Driver, Format
from instruments.hl7 import message as hl7
from instruments.line import Received
from instruments.measurement import Capture, Measurement, Quarantine, digest_of
from instruments.poct import message as poct1
from instruments.sending_time import sent_at


@dataclass(frozen=True, slots=True)
class _Told:
    """A text taken apart for its driver, or why that cannot be."""

    text: bytes
    complete: bool
    message: object
    unfit: Quarantine | None = None


class Reader:
    """Texts to captures: finds what a tail belongs to and asks the driver. Never raises."""

    def __init__(self, driver: Driver[Any], instrument: str, held: bytes = b"") -> None:
        self._driver = driver
        self._instrument = instrument
        self.held = held

    @property
    def format(self) -> Format:
        return self._driver.format

    def capture(self, received: Received, at: datetime) -> Capture | None:
        """None for a text in which nothing was reported: a header that went no further."""
        told = self._taken_apart(received)
        if told is None:
            return None
        measurements, quarantine = self._measured(told)
        return Capture(
            digest=digest_of(told.text),
            instrument=self._instrument,
            driver=self._driver.name,
            driver_version=self._driver.version,
            captured_at=at.isoformat(timespec="microseconds"),
            complete=told.complete,
            raw=told.text,
            measurements=measurements,
            quarantine=quarantine,
            sent_at=sent_at(told.message),
        )

    def _taken_apart(self, received: Received) -> _Told | None:
        match self.format:
            case Format.HL7:
                return _hl7(received)
            case Format.POCT1:
                return _poct1(received)
            case _:
                return self._astm(received)

    def _astm(self, received: Received) -> _Told | None:
        text = received.text
        text, message = (text, _read(text)) if received.conflict else self._whole(text)
        if not message.terminated and not message.faults and not _reports(text):
            return None
        unfit = None
        if received.conflict:
            self.held = b""  # no tail may make whole what is not known to be right
            unfit = Quarantine("frame-conflict", received.conflict)
        elif not message.terminated:
            self.held = self._further(_whole_records(text))
        elif any(message.orders()):  # a line test or a query says nothing of what is held
            self.held = b""
        return _Told(text, message.terminated, message, unfit)

    def _whole(self, text: bytes) -> tuple[bytes, records.Message]:
        """A tail together with what was held, if it fits there and does not stand alone. H, P, L
        is a tail of which all but L was saved; a bare H, L may be a line test and closes nothing.
        """
        message = _read(text)
        only_l = message.terminated and message.patients and not any(message.orders())
        if self.held and (message.faults or only_l):
            together = _read(self.held + text)
            if not together.faults:
                return self.held + text, together
        return text, message

    def _further(self, text: bytes) -> bytes:
        """What is held after one more text broke off. One that goes on where the held one stopped
        adds to it; one that only repeats it (H and the parents, then silence again) takes nothing
        away; what belongs elsewhere takes its place."""
        if not self.held or text.startswith(self.held):
            return text
        together = records.read(self.held + text)
        if together.faults:
            return text
        held = records.read(self.held)
        return self.held if _results(together) == _results(held) else self.held + text

    def _measured(self, told: _Told) -> tuple[tuple[Measurement, ...], Quarantine | None]:
        if told.unfit:
            return (), told.unfit
        return driven(self._driver, told.message)


def _read(text: bytes) -> records.Message:
    """Of a text that broke off its whole records: half a number would be another number."""
    message = records.read(text)
    whole = b"" if message.terminated else _whole_records(text)
    return records.read(whole) if whole and whole != text else message


def _reports(text: bytes) -> bool:
    """Half an order is one: that somebody's result broke off there must be seen."""
    return any(records.read(text).orders())


def _results(message: records.Message) -> int:
    return sum(1 + len(order.children) for _path, order in message.orders())


def _hl7(received: Received) -> _Told:
    """A block is whole or was broken off; nothing of it is held, for it comes again whole."""
    if received.broken_off:
        return _Told(received.text, False, None, Quarantine("broken-off", received.broken_off))
    try:
        return _Told(received.text, True, hl7.read(received.text))
    except hl7.NotHl7 as why:
        return _Told(received.text, True, None, quarantined(why.reason, why.detail))


def _poct1(received: Received) -> _Told:
    """A message is whole or was broken off; it comes again whole."""
    if received.broken_off:
        return _Told(received.text, False, None, Quarantine("broken-off", received.broken_off))
    try:
        return _Told(received.text, True, poct1.read(received.text))
    except poct1.NotPoct1 as why:
        return _Told(received.text, True, None, Quarantine(why.reason, why.detail))


def _whole_records(text: bytes) -> bytes:
    """Without a last record that was cut."""
    return text[: max(text.rfind(b"\r"), text.rfind(b"\n")) + 1]
