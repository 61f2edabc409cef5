"""What stands on the strips of a timer, written down: what somebody saw, and what stands now.

`1- 2+c 3?s`: the roster's own signs, each number with its exposure (`c`, `f`) and `s` for
symptoms. A confirmation carries the line that it was shown, not numbers of numbers: two desks that
move a sign from one number to another leave the counts as they were.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.roster_line import Sign

_SIGNS: Final = {
    RapidOutcome.NEGATIVE: Sign.NEGATIVE,
    RapidOutcome.POSITIVE: Sign.POSITIVE,
    RapidOutcome.INVALID: Sign.INVALID,
}
_NEAR: Final = {Exposure.NONE: "", Exposure.FACTOR: "f", Exposure.CONTACT: "c"}
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class StripStands:
    """One number and what stands on its strip."""

    position: int
    outcome: RapidOutcome
    exposure: Exposure
    suspect: bool

    def __str__(self) -> str:
        near, ill = _NEAR[self.exposure], "s" if self.suspect else ""
        return f"{self.position}{_SIGNS[self.outcome]}{near}{ill}"


def written(strips: Iterable[StripStands]) -> str:
    """All of them in one line, by number."""
    return " ".join(str(one) for one in sorted(strips, key=lambda one: one.position))


def changed(seen: str, now: str) -> str:
    """What stands there now and was not seen, the first few; those that went where none came."""
    before, after = seen.split(), now.split()
    new = [one for one in after if one not in set(before)]
    new = new or [one for one in before if one not in set(after)]
    return " ".join([*new[:_MOST_SHOWN], *(["…"] if len(new) > _MOST_SHOWN else [])])
