"""What the posterior allows to be said of each member.

Nobody is cleared but by a negative tube that held her, and nobody is confirmed but by a test of her
own: a probability alone does neither (pooling.md, "Pitfalls").
"""

from enum import StrEnum
from typing import Final

from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.posterior import Posterior, attempts_at
from lims.domain.pooling.bayes.remaining_work import CLEARED_BELOW, NAMED_FROM

_RATHER_NOT: Final = 0.5
MOST_ALONE: Final = 2  # attempts at one member's own tube; a third would say no more


class Stands(StrEnum):
    """How one member of a detected pool stands."""

    CLEARED = "cleared"
    PRESUMPTIVE = "presumptive"
    CONFIRMED = "confirmed"
    UNRESOLVED = "unresolved"
    DISCORDANT = "discordant"


def classify(seen: Posterior, cleared_below: float = CLEARED_BELOW) -> tuple[Stands, ...]:
    """One word for each member, in their order.

    ``cleared_below``: the risk under which a negative tube clears, no lower than what a person of a
    pool that was not detected still has: her prior times what the pool misses.

    ``DISCORDANT``: her own tests contradict what the pools say of her, or contradict one another.
    Where the pool was detected and nobody in it can be, everybody is: a state of its own (S4),
    never a silent clear.
    """
    negative = held_negative(seen)
    detected_alone, missed_alone = _own_words(seen)
    words = [
        _word(
            risk,
            cleared_below,
            negative=member in negative,
            detected=detected_alone.get(member, 0),
            missed=missed_alone.get(member, 0),
        )
        for member, risk in enumerate(seen.marginals)
    ]
    if unexplained(seen) and all(word is Stands.CLEARED for word in words):
        return tuple(Stands.DISCORDANT for _ in words)
    return tuple(words)


def unexplained(seen: Posterior) -> bool:
    """A pool was detected, and the evidence has it that nobody is infected."""
    return any(m.role is Role.MASTER and m.detected for m in seen.measurements) and (
        seen.nobody > 0.5
    )


def _word(
    risk: float, cleared_below: float, *, negative: bool, detected: int, missed: int
) -> Stands:
    if detected and missed:
        return Stands.CONFIRMED if detected > missed else Stands.DISCORDANT
    if detected:
        return Stands.CONFIRMED
    if negative and risk < cleared_below:
        return Stands.CLEARED
    if missed and risk <= _RATHER_NOT:  # as anybody whose own tube was not detected
        return Stands.CLEARED
    if missed >= MOST_ALONE:
        return Stands.DISCORDANT
    return Stands.PRESUMPTIVE if risk >= NAMED_FROM else Stands.UNRESOLVED


def held_negative(seen: Posterior) -> frozenset[int]:
    """Who was in a tube, other than the master, that never was detected."""
    return frozenset(
        member
        for (role, members), (detected, _) in attempts_at(seen.measurements).items()
        if role is not Role.MASTER and not detected
        for member in members
    )


def _own_words(seen: Posterior) -> tuple[dict[int, int], dict[int, int]]:
    """How often each member's own tube was detected, and how often not."""
    detected: dict[int, int] = {}
    missed: dict[int, int] = {}
    for one in seen.measurements:
        if one.role is Role.ALONE:
            told = detected if one.detected else missed
            told[one.members[0]] = told.get(one.members[0], 0) + 1
    return detected, missed
