"""The words of what national registers are asked about people, and of what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from lims.domain.exchange import DestinationKind

MOST_DOSES: Final = 20
AT_ONCE: Final = 100  # people of one request, which is what the contract promises


class QuestionKind(StrEnum):
    """What is asked of a register: is this number this person's; which doses did they have."""

    IDENTITY = "identity"
    DOSES = "doses"


ASKS: Final[Mapping[DestinationKind, QuestionKind]] = {
    DestinationKind.POPULATION: QuestionKind.IDENTITY,
    DestinationKind.VACCINATION: QuestionKind.DOSES,
}


class QuestionState(StrEnum):
    """Overtaken: the person's number, name or birth changed, and is asked about as it is now."""

    OWED = "owed"
    ANSWERED = "answered"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"


class Verdict(StrEnum):
    """What a register says of a number, a name and a birth.

    Conflict: the number is somebody's of another name or birth. Unverified: it knows no such
    number, or cannot say.
    """

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    CONFLICT = "conflict"


class Differs(StrEnum):
    """What a conflict is about. What the register has instead is never told."""

    NAME = "name"
    BIRTH = "birth"


@dataclass(frozen=True, slots=True)
class Answer:
    """``differs`` of a conflict, perhaps nothing of it; ``doses`` with the days that are known of
    them only where doses were asked for and the person is the register's own."""

    verdict: Verdict
    differs: frozenset[Differs] = frozenset()
    doses: int | None = None
    dose_dates: tuple[date, ...] = ()
