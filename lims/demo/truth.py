"""What is really so in the demonstration's commune, drawn from a seed. Nobody in it exists.

Infections cluster by household (secondary attack rate .25, our assumption within the published
range). Viral load is the Ct that an undiluted swab would show: the screening mix 60 % N(25, 5)
and 40 % N(33.5, 2.5) cycles, clipped to 12 to 38.5 (our assumption; medians near 25 as published).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from lims.demo import names

ATTACK_RATE: Final = 0.25
LOWEST_CT, HIGHEST_CT = 12.0, 38.5
HOUSEHOLD_SIZES: Final = {1: 12, 2: 20, 3: 22, 4: 26, 5: 13, 6: 7}  # people at one door, by weight
_OUTSIDE: Final = 0.04  # of the households, registered in another province
_WORKS_ELSEWHERE: Final = 0.3  # of the adults
_THIS_YEAR: Final = 2021  # the wave the story is set in


@dataclass(frozen=True, slots=True)
class Ward:
    """A commune, by code and scheme."""

    scheme: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where people live and work. ``home`` comes first; ``outside`` is another province."""

    province_scheme: str
    province_code: str
    province_name: str
    wards: tuple[Ward, ...]
    outside: tuple[Ward, ...]


class Route(StrEnum):
    """How a household is tested today."""

    ALONE = "alone"  # a tube each; the laboratory pools ten
    TOGETHER = "together"  # one tube for the household
    RAPID = "rapid"  # an antigen test each; a positive gives a PCR tube


_ROUTES: Final = {Route.ALONE: 60, Route.TOGETHER: 25, Route.RAPID: 15}


@dataclass(frozen=True, slots=True)
class Villager:
    """One invented person. ``ct_cycles`` is None where there is no infection."""

    number: int
    name: str
    birth_year: int
    sex: str
    phone: str
    national_id: str
    work: Ward | None
    ct_cycles: float | None

    @property
    def infected(self) -> bool:
        return self.ct_cycles is not None


@dataclass(frozen=True, slots=True)
class Household:
    """People behind one door, and how they are tested; ``campaign``: which of the day's, from 0."""

    number: int
    label: str
    address: str
    ward: Ward
    route: Route
    villagers: tuple[Villager, ...]
    campaign: int = 0


@dataclass(frozen=True)
class Commune:
    """Everybody, by household."""

    seed: int
    households: tuple[Household, ...]

    @property
    def villagers(self) -> tuple[Villager, ...]:
        return tuple(v for h in self.households for v in h.villagers)

    @property
    def infected(self) -> frozenset[int]:
        """The numbers of those who really are."""
        return frozenset(v.number for v in self.villagers if v.infected)


def draw_commune(places: Places, *, people: int, prevalence: float, seed: int) -> Commune:
    """``prevalence`` is the expected share of infected people, from 0 to 1.

    A commune that is to have infections has at least one: a story without any shows nothing.
    """
    rng = Random(f"commune {seed}")
    sizes = _sizes(rng, people)
    infected = _infected(rng, sizes, prevalence)
    households: list[Household] = []
    number = 0
    for sick in infected:
        first = number
        number += len(sick)
        households.append(_household(rng, places, len(households), first, sick))
    return Commune(seed, tuple(households))


def _sizes(rng: Random, people: int) -> list[int]:
    sizes: list[int] = []
    while (left := people - sum(sizes)) > 0:
        sizes.append(
            min(left, rng.choices(list(HOUSEHOLD_SIZES), weights=list(HOUSEHOLD_SIZES.values()))[0])
        )
    return sizes


def _infected(rng: Random, sizes: Sequence[int], prevalence: float) -> list[list[bool]]:
    """Some bring it home; each of the others there then has it with the attack rate."""
    brought = _index_rate(sizes, prevalence)
    drawn = [_behind_one_door(rng, size, brought) for size in sizes]
    if prevalence > 0 and not any(map(any, drawn)):
        rng.choice(drawn)[0] = True
    return drawn


def _behind_one_door(rng: Random, size: int, brought: float) -> list[bool]:
    first = [rng.random() < brought for _ in range(size)]
    if not any(first):
        return first
    return [sick or rng.random() < ATTACK_RATE for sick in first]


def _index_rate(sizes: Sequence[int], prevalence: float) -> float:
    """The rate of bringing it home at which the expected share is the prevalence (bisection)."""

    def expected(rate: float) -> float:
        sick = 0.0
        for size in sizes:
            by_others = 1 - (1 - rate) ** (size - 1)
            sick += size * (rate + (1 - rate) * ATTACK_RATE * by_others)
        return sick / max(sum(sizes), 1)

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < prevalence else (low, middle)
    return low


def _household(
    rng: Random, places: Places, number: int, first: int, sick: Sequence[bool]
) -> Household:
    family = names.family_name(rng)
    phone = names.phone(rng)
    outside = rng.random() < _OUTSIDE
    ward = rng.choice(places.outside) if outside else _ward(rng, places)
    route = rng.choices(list(_ROUTES), weights=list(_ROUTES.values()))[0]
    if route is Route.TOGETHER and len(sick) == 1:
        route = Route.ALONE
    villagers = tuple(
        _villager(rng, places, first + place, place, family=family, phone=phone, sick=is_sick)
        for place, is_sick in enumerate(sick)
    )
    return Household(
        number=number,
        label=f"Hộ {number + 1:03d} {family}",
        address=names.address(rng),
        ward=ward,
        route=route,
        villagers=villagers,
    )


def _ward(rng: Random, places: Places) -> Ward:
    """Most live in the commune that is tested, the rest around it."""
    return places.wards[0] if rng.random() < 0.6 else rng.choice(places.wards[1:])


def _villager(
    rng: Random, places: Places, number: int, place: int, *, family: str, phone: str, sick: bool
) -> Villager:
    """The first two at a door are grown up; a telephone is shared until one has their own."""
    sex = rng.choice((names.FEMALE, names.MALE))
    grown = place < 2
    age = rng.randrange(24, 82) if grown else rng.randrange(1, 60)
    birth_year = _THIS_YEAR - age
    own = family if place != 1 else names.family_name(rng)  # a wife keeps her family name
    works_elsewhere = 18 <= age < 62 and rng.random() < _WORKS_ELSEWHERE
    return Villager(
        number=number,
        name=names.full_name(rng, own, sex),
        birth_year=birth_year,
        sex=sex,
        phone=phone if rng.random() < 0.4 else names.phone(rng),
        national_id=names.national_id(number * 37 + 11, birth_year, sex),
        work=rng.choice((*places.wards, *places.outside)) if works_elsewhere else None,
        ct_cycles=_viral_load(rng) if sick else None,
    )


def _viral_load(rng: Random) -> float:
    ct = rng.gauss(25, 5) if rng.random() < 0.6 else rng.gauss(33.5, 2.5)
    return min(max(ct, LOWEST_CT), HIGHEST_CT)
