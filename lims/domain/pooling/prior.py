"""What was expected of a pool's people before it was parted, as stored with the choice of how.

How many carry it where they live, and who lives with whom: as places in the pool, never as names.
Relatives infect one another, so that without their households a negative one would be believed of
people whom her infected sister speaks against (pooling.md, "Pitfalls").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lims.domain.pooling.bayes.states import States, in_households, independent

FEWEST_EXPECTED: Final = 0.001
"""Of a pool that was detected. With fewer, most detected pools would be false alarms by the error
model's cautious specificity, and the tests would be spent on that question."""

MOST_EXPECTED: Final = 0.1  # from here on the designs win anyway (docs/pooling.md)
USUAL_ATTACK_RATE: Final = 0.25
"""Of household contacts who catch it: .19 to June 2021, .30 with the Delta variant (Madewell et
al., JAMA Netw Open 2022;5:e229317). A site sets its own."""


@dataclass(frozen=True, slots=True)
class Prior:
    """``households``: for each member a number, the same for those who live together; empty where
    nobody does."""

    prevalence: float
    households: tuple[int, ...] = ()
    secondary_attack_rate: float = USUAL_ATTACK_RATE

    def states(self, members: int) -> States:
        """Every way in which so many members may be infected."""
        risks = [self.prevalence] * members
        if len(self.households) != members:
            return independent(risks)
        return in_households(risks, self.households, self.secondary_attack_rate)


def usual_risk(members: int) -> float:
    """The prevalence for which a pool of this size needs the fewest tests in two stages, near
    enough: 1 / n². What a laboratory expects, it says by the pools it makes."""
    return min(MOST_EXPECTED, 1 / members**2)


def prior_of(facts: Mapping[str, Any], members: int) -> Prior:
    """As it was stored. Pools of before it was stored: the usual risk, and nobody lives with
    another."""
    return Prior(
        prevalence=float(facts.get("prevalence") or usual_risk(members)),
        households=tuple(facts.get("households", ())),
        secondary_attack_rate=float(facts.get("secondary_attack_rate", USUAL_ATTACK_RATE)),
    )


def expected(prevalence: float) -> float:
    """What is stored of an estimate: within bounds, and in two figures, so that pools of one day
    share their designs."""
    return float(f"{min(MOST_EXPECTED, max(FEWEST_EXPECTED, prevalence)):.2g}")


def numbered(homes: Sequence[object | None]) -> tuple[int, ...]:
    """A number for each member's household by its first member's place; empty where nobody lives
    with another. None: nobody knows where."""
    first: dict[object, int] = {}
    told = tuple(
        place if home is None else first.setdefault(home, place) for place, home in enumerate(homes)
    )
    return told if len(set(told)) < len(told) else ()
