"""ACK: what is said about a message that came (HL7 v2.5.1, 2.9.2 and 2.15.8).

The reply is in the sender's own delimiters, version and character set, and names its MSH-10. Its
own MSH-10 follows from that, so that the same message twice is answered with the same bytes but
for the time.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

from instruments.hl7.message import USUAL, Delimiters, Message, NotHl7, write

LONGEST_ID = 20  # characters of MSH-10 (2.15.9.10)
_UNLABELLED = "ASCII"


class Code(StrEnum):
    """MSA-1, table 0008, original mode: what every machine we know of understands."""

    ACCEPT = "AA"
    ERROR = "AE"  # send it again
    REJECT = "AR"  # not like this


_CONDITIONS = {  # table 0357
    Code.ERROR: ("207", "Application internal error", "HL70357"),
    Code.REJECT: ("100", "Segment sequence error", "HL70357"),
}


def wants_answer(message: Message) -> bool:
    """Unless MSH-15 and MSH-16 both say never (`NE`, table 0155)."""
    return {message.header.value(15), message.header.value(16)} != {"NE"}


def acknowledgement(message: Message | None, code: Code, now: datetime, text: str = "") -> bytes:
    """About `message`, or about bytes in which there was none. `text` is for a person."""
    told: list[tuple[object, ...]] = [
        answer_header(message, f"ACK^{_trigger(message)}", now),
        ("MSA", str(code), message.control_id if message else "", text or None),
    ]
    if code in _CONDITIONS:
        told.append(error_segment(code, text))
    marks = message.header.marks if message else USUAL
    return written(told, marks)


def error_segment(code: Code, text: str) -> tuple[object, ...]:
    """ERR: the condition, its severity, and `text` for a person (2.15.5)."""
    return ("ERR", None, None, _CONDITIONS[code], "E", None, None, None, text)


def answer_header(
    message: Message | None, kind: str, now: datetime, *, which: str = "", profile: str = ""
) -> tuple[object, ...]:
    """MSH of an answer of this kind (`RSP^K11`): back to whom it came from. `which` tells several
    answers to one message apart; `profile` is MSH-21, by default as it came."""
    code, _, trigger = kind.partition("^")
    structure = "ACK" if code == "ACK" else f"{code}_{trigger}"
    of = message.header if message else None
    version = (of.value(12) if of else "") or "2.5.1"
    return (
        "MSH",
        of.components(5) if of else None,
        of.components(6) if of else None,
        of.components(3) if of else None,
        of.components(4) if of else None,
        now.strftime("%Y%m%d%H%M%S+0000"),
        None,
        (code, trigger, structure if version > "2.3" else "") if trigger else code,
        _answer_id(message, kind + which),
        (of.value(11) if of else "") or "P",
        version,
        *[None] * 5,
        of.value(18) if of else None,
        None,
        None,
        tuple(profile.split("^")) if profile else _profile(message),
    )


def written(segments: list[tuple[object, ...]], marks: Delimiters) -> bytes:
    """In the character set that was declared to us; where it has no name here, in ASCII."""
    try:
        return write(segments, marks)
    except NotHl7:
        header = list(segments[0])
        header[16] = _UNLABELLED
        return write([tuple(header), *segments[1:]], marks)


def _answer_id(message: Message | None, about: str) -> str:
    asked = message.control_id if message else ""
    return hashlib.sha256(f"{about}:{asked}".encode()).hexdigest()[:LONGEST_ID]


def _trigger(message: Message | None) -> str:
    return message.header.value(9, 2) if message else ""


def _profile(message: Message | None) -> tuple[str, ...] | None:
    return message.header.components(21) if message else None
