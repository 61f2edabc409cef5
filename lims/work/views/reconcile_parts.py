"""What does not add up, and in which part of the day."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """The parts that are held against each other, in the order of the tube's way."""

    SWABS = "swabs"
    ANSWERS = "answers"
    CASES = "cases"
    NOTICES = "notices"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up: a tube by its barcode, a case or a pool by its id."""

    part: Part
    subject: str
    why: str


SAID_OF_CASES: Final = frozenset(
    {
        "a case stands without evidence",
        "told to nobody",
        "a recipient was not told",
        "told to somebody it does not concern",
        "a notice could not be delivered",
        "delivered, and no attempt is kept",
        "somebody who was told did not hear of the last change",
    }
)
"""Of these ``why``, a ``subject`` that is no barcode is a case."""
