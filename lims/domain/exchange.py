"""The words of what other systems are told of results, and whose systems they are."""

from enum import StrEnum
from typing import Final


class DestinationKind(StrEnum):
    """What a destination understands; the room that speaks it is in ``lims/exchange``."""

    ORU = "oru"
    HEALTH_BOOK = "health-book"
    AREA_FIGURES = "area-figures"
    DECLARATIONS = "declarations"
    POPULATION = "population"
    VACCINATION = "vaccination"


WANT_FINDINGS: Final = frozenset({DestinationKind.ORU, DestinationKind.HEALTH_BOOK})
"""Kinds that are owed every final word on a swab."""


PULLED: Final = frozenset({DestinationKind.DECLARATIONS})
"""Kinds that are told nothing: they are asked, page by page, what is new there."""


COMPARES: Final = frozenset(
    {DestinationKind.HEALTH_BOOK, DestinationKind.AREA_FIGURES, DestinationKind.DECLARATIONS}
)
"""Kinds that can say what they hold, to be compared with what they took, or we of them."""


class ComparisonState(StrEnum):
    """Asked for; done; or given up on, since they did not say what they hold."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class Gap(StrEnum):
    """How a record there differs from what its system took."""

    MISSING = "missing"  # they took it, and do not have it
    BEHIND = "behind"  # they have an older word than the last one that they took
    OTHER = "other"  # they have the same word, saying something else
    STRANGER = "stranger"  # they have one as ours that was never owed to them
    UNTAKEN = "untaken"  # they have one, or a newer version of it, that was not taken here
    UNREAD = "unread"  # it came here, and could not be read
    VANISHED = "vanished"  # it was taken here, and they list it no more


MENDED_BY_SENDING: Final = frozenset({Gap.MISSING, Gap.BEHIND, Gap.OTHER})
MENDED_BY_FETCHING: Final = frozenset({Gap.UNTAKEN})


class OutboundKind(StrEnum):
    """What an owed row is about, and so which of its columns names it."""

    FINDING = "finding"
    AREA_DAY = "area-day"


class Says(StrEnum):
    """What is said of a subject (HL7 table 0085, observation result status).

    P goes only to whom a final word was told that is none any more. W is "post original as wrong,
    e.g. transmitted for wrong patient"; X says that there is no result after all.
    """

    PRELIMINARY = "P"
    FINAL = "F"
    CORRECTED = "C"
    CANCELLED = "X"
    WRONG = "W"
