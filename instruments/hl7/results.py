"""The tree of results in a message: specimens, the requests of each, the observations of each.

OUL^R22 (HL7 v2.5.1, 7.3.3) and ORU^R01 (7.3.1) alike: a SPM, or the first OBR where there is none,
begins a specimen; an OBR begins a request and an OBX an observation, and whatever else comes
belongs to the last of these. Numbers that run (SPM-1, OBX-1) must run: a gap says that something
which was sent is not here.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from instruments.hl7.message import Message, Segment

LONGEST_NUMBER = 10  # digits; a longer set id is no number
_TIMES = frozenset({8, 10, 12, 14})  # digits; a year or a month is no time of a measurement


class Gap(ValueError):
    """Numbered segments that do not follow one another."""


@dataclass(slots=True)
class Observation:
    """An OBX with what was said about it: TCD, INV, NTE."""

    obx: Segment
    details: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Request:
    """An OBR with its ORC, NTE and TQ1, and its observations. `path` is unique in the message."""

    path: str
    obr: Segment
    details: list[Segment] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)


@dataclass(slots=True)
class Specimen:
    """`spm` is None in a message that names only a patient. `details`: SAC, INV, OBX before OBR."""

    path: str
    spm: Segment | None
    details: list[Segment] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def named(self, name: str) -> list[Segment]:
        return [segment for segment in self.details if segment.name == name]


def specimens(message: Message) -> list[Specimen]:
    """Raises `Gap`."""
    found: list[Specimen] = []
    owner: Specimen | Request | Observation | None = None
    last: dict[str, int] = {}
    request: Request | None = None
    for segment in message.segments[1:]:
        name = segment.raw[0]
        if name in ("SPM", "OBX"):
            _follow(last, segment)
        match name:
            case "SPM":
                owner = Specimen(f"SPM{len(found) + 1}", segment)
                request = None
                found.append(owner)
            case "OBR":
                if not found:
                    found.append(Specimen("", None))
                path = f"{found[-1].path}OBR{len(found[-1].requests) + 1}"
                owner = request = Request(path, segment)
                found[-1].requests.append(request)
            case "OBX" if request is not None:
                owner = Observation(segment)
                request.observations.append(owner)
            case _ if owner is not None:
                owner.details.append(segment)
    return found


def hl7_time(text: str) -> str | None:
    """ISO 8601 of `YYYYMMDD[HH[MM[SS[.S…]]]][+/-ZZZZ]` (2.16.25), with a zone only where one was
    sent; None where it is no time: a wrong clock is no reason to hold a result back."""
    sign = max(text.find("+"), text.find("-"))
    digits, zone = (text[:sign], text[sign:]) if sign >= 0 else (text, "")
    digits = digits.split(".", 1)[0]
    if len(digits) not in _TIMES or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        read = datetime.fromisoformat(f"{digits[:8]}T{digits[8:] or '00'}")
        if zone:
            read = read.replace(tzinfo=_zone(zone))
    except ValueError:
        return None
    return read.isoformat()


def _zone(text: str) -> timezone:
    """Raises ValueError."""
    if len(text) != 5 or not text[1:].isdigit():
        raise ValueError(text)
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return timezone(-ahead if text[0] == "-" else ahead)


def _follow(last: dict[str, int], segment: Segment) -> None:
    """Set ids run through the message, or begin again at 1; some senders leave them out."""
    text = segment.text(1)
    if not (text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER):
        return
    number, before = int(text), last.get(segment.name, 0)
    if number not in (1, before + 1):
        raise Gap(f"after {segment.name}|{before} came {segment.name}|{number}")
    last[segment.name] = number
