"""What every driver is, how it refuses, and how the standard writes times and numbers."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from instruments.astm.records import Message, Node
from instruments.measurement import Measurement

MOST_CYCLES = 60.0  # no real-time PCR runs longer; most stop at 40 or 45
LONGEST_ERROR = 200  # characters that are told; the rest stands in the message's bytes


Said_contra = TypeVar("Said_contra", contravariant=True)


class Format(StrEnum):
    """What a driver reads: an ASTM `records.Message`, an HL7 `message.Message`, a POCT1
    `poct.message.Message`, a FILE `Export`."""

    ASTM = "astm"
    HL7 = "hl7"
    POCT1 = "poct1"
    FILE = "file"


class Unreadable(Exception):
    """The message cannot be trusted as results: it is quarantined whole, under this reason.

    reason: a stable slug. detail: for a person; names records by letter and number, and never
    quotes a patient record.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Driver(Protocol[Said_contra]):
    """`version` rises with every change of what is read, so a capture says by which it was.
    `Said_contra` is the message of its `format`."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def format(self) -> Format: ...

    def measurements(self, message: Said_contra) -> tuple[Measurement, ...]:
        """Raises `Unreadable`."""
        ...


def refuse_faults(message: Message) -> None:
    """A gap says that something which was sent is not here."""
    if message.faults:
        first = message.faults[0]
        raise Unreadable(first.reason, first.detail)


def orders_told(message: Message) -> list[tuple[str, Node]]:
    """With their paths. Of a message that was broken off those that are closed: held results.
    Raises `Unreadable`: no-terminator, where none is."""
    orders = list(message.closed_orders())
    if not orders and not message.terminated:
        raise Unreadable("no-terminator", "the message was broken off before L")
    return orders


def iso_time(text: str) -> str | None:
    """LIS2-A2 5.6.2, `YYYYMMDD[HHMM[SS]]`, by the instrument's clock and so without a zone; None
    where it is no time: a wrong clock is no reason to hold a result back."""
    if len(text) not in (8, 12, 14) or not (text.isascii() and text.isdigit()):
        return None
    try:
        read = datetime.fromisoformat(f"{text[:8]}T{text[8:] or '0000'}")
    except ValueError:
        return None
    return read.isoformat()


def cycles(text: str, where: str) -> float | None:
    """A cycle number; a decimal comma is borne. Empty or not above zero: no amplification."""
    plain = text.replace(",", ".")
    if plain == "":
        return None
    if not re.fullmatch(r"[+-]?\d{1,4}(\.\d{0,6})?", plain):
        raise Unreadable("cycle-number", f"{where}: expected a cycle number, came {text[:20]!r}")
    value = float(plain)
    if value > MOST_CYCLES:
        raise Unreadable("cycle-number", f"{where}: {value} cycles, more than a run has")
    return value if value > 0 else None


def instrument_errors(node: Node) -> str | None:
    """From the C records of source I and type N (an error; a note, type I, may name people):
    `Error^code^what^details^when`. None where there is none."""
    told = []
    for comment in node.comments:
        if comment.text(5) != "I" and comment.component(4, 1).casefold() != "notes":
            _kind, *rest = comment.components(4)
            told.append(" ".join(part for part in rest[:2] if part) or comment.text(4))
    return "; ".join(told)[:LONGEST_ERROR] or None
