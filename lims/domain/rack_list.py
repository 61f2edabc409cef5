"""What a rack scanner exports: a position and a barcode a line, in whatever order and dialect.

Seen from the makers' programs: `A01,TT7K40FQ9XJ`, `TT7K40FQ9XJ;A1`, tab-separated with a heading
and a rack id, and `NO TUBE` or `NO READ` where there was nothing to read. One barcode a line, as
somebody pastes from a list, is the same without positions.
"""

import re
from dataclasses import dataclass

from lims.domain.barcodes import looks_like, normalise

MOST_LINES = 2_000
_POSITION = re.compile(r"[A-P]0?([1-9]|1[0-9]|2[0-4])", re.IGNORECASE)
_NOTHING = re.compile(r"no[ _-]?tube|empty|-+|", re.IGNORECASE)
_UNREAD = re.compile(r"no[ _-]?(read|code)|error|unread\w*|\?+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RackRead:
    """One tube of the rack as the scanner gave it; ``position`` None where it told none."""

    text: str
    position: str | None = None


@dataclass(frozen=True, slots=True)
class RackList:
    """What was read, and the places where a tube stands whose code could not be."""

    reads: tuple[RackRead, ...]
    unread: tuple[str, ...]


def read_rack_list(text: str) -> RackList:
    """Every line's tube. A heading and empty places are passed over; nothing is guessed.

    A line without anything like a barcode is kept as unread, by its position or its own text, so
    that a tube never falls out of a list in silence.
    """
    reads: list[RackRead] = []
    unread: list[str] = []
    for number, line in enumerate(text.splitlines()[:MOST_LINES]):
        fields = [field.strip().strip('"') for field in re.split(r"[,;\t]", line)]
        position = next((_tidy(field) for field in fields if _POSITION.fullmatch(field)), None)
        rest = [field for field in fields if not _POSITION.fullmatch(field)]
        tube = next((field for field in rest if looks_like(field)), None)
        if tube is not None and any(character.isdigit() for character in tube):
            reads.append(RackRead(normalise(tube), position))
        elif any(_UNREAD.fullmatch(field) for field in rest):
            unread.append(position or line.strip()[:40])
        elif all(_NOTHING.fullmatch(field) for field in rest) or (number == 0 and position is None):
            continue
        else:
            unread.append(position or line.strip()[:40])
    return RackList(tuple(reads), tuple(unread))


def _tidy(position: str) -> str:
    """`A01` from `a1`."""
    return f"{position[0].upper()}{int(position[1:]):02d}"
