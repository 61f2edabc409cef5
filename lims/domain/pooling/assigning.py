"""Which received tubes go into one pool: those alike in risk, and whole households.

Carriers come together: in households, and among contacts. Put into the same pool they make one pool
positive in place of several, and a pool with two carriers is seen where one of them might be lost
in the dilution. So tubes are taken by risk, the contacts first, and within a stratum household by
household, the oldest first; a household is divided only where it is larger than a pool.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from typing import Final
from uuid import UUID

_LOOK_AHEAD: Final = 50  # blocks from which a pool is filled; more changes little and costs time


class Risk(IntEnum):
    """How likely a person carries it, the likeliest first."""

    CONTACT = 0
    USUAL = 1


@dataclass(frozen=True, slots=True)
class WaitingTube:
    """A tube on the pooling rack, whose swab it holds, and with what it may be put.

    ``kept_apart``: tubes of different values never share a pool (campaign, assay, material, tubes
    that are pools already).
    """

    barcode: str
    person_id: UUID
    received_at: datetime
    household_id: UUID | None = None
    household: str | None = None
    risk: Risk = Risk.USUAL
    kept_apart: Hashable = None


@dataclass(frozen=True, slots=True)
class Together:
    """People of one household in a pool. ``whole``: everybody of it who waits is in this pool."""

    household_id: UUID
    label: str | None
    tubes: int
    whole: bool


@dataclass(frozen=True, slots=True)
class AssignedPool:
    """Tubes to draw from, the oldest of their households first."""

    tubes: tuple[WaitingTube, ...]
    households: tuple[Together, ...]

    @property
    def risks(self) -> frozenset[Risk]:
        """The strata it holds; more than one only where the last of a stratum was filled up."""
        return frozenset(tube.risk for tube in self.tubes)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Every tube is in one pool or waits for company (a single tube is no pool)."""

    pools: tuple[AssignedPool, ...]
    waiting: tuple[WaitingTube, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """Tubes that stay together: a household, a part of one too large, or somebody alone."""

    tubes: tuple[WaitingTube, ...]
    order: tuple[Risk, datetime, str]

    @property
    def people(self) -> frozenset[UUID]:
        return frozenset(tube.person_id for tube in self.tubes)


def assign_pools(tubes: Iterable[WaitingTube], size: int) -> Assignment:
    """Pools of at most ``size`` tubes, never two of one person; as few as the households allow.

    Every pool begins with the block that is first in turn, and takes with it the oldest blocks that
    fill it best. Raises ValueError for a size below two, which is no pool.
    """
    if size < 2:
        raise ValueError(f"a pool of {size}")
    apart: dict[Hashable, list[WaitingTube]] = {}
    for tube in tubes:
        apart.setdefault(tube.kept_apart, []).append(tube)
    made = [group for alike in apart.values() for group in _pooled(_blocks(alike, size), size)]
    many = _waiting_of_households(made)
    return Assignment(
        pools=tuple(AssignedPool(one, _together(one, many)) for one in made if len(one) > 1),
        waiting=tuple(one[0] for one in made if len(one) == 1),
    )


def _blocks(tubes: Sequence[WaitingTube], size: int) -> list[_Block]:
    """In turn: by risk, then by the oldest tube of each.

    A person's second tube is a block of its own, which no pool takes beside the first.
    """
    households: dict[Hashable, list[WaitingTube]] = {}
    blocks = []
    met: set[UUID] = set()
    for tube in sorted(tubes, key=lambda one: (one.received_at, one.barcode)):
        if tube.household_id is None or tube.person_id in met:
            blocks.append(_block([tube]))
        else:
            households.setdefault(tube.household_id, []).append(tube)
        met.add(tube.person_id)
    for household in households.values():
        parts = range(0, len(household), size)
        blocks += [_block(household[start : start + size]) for start in parts]
    return sorted(blocks, key=lambda block: block.order)


def _block(tubes: Sequence[WaitingTube]) -> _Block:
    """A household with one contact in it is one of contacts."""
    first = tubes[0]
    return _Block(
        tuple(tubes), (min(tube.risk for tube in tubes), first.received_at, first.barcode)
    )


def _pooled(blocks: list[_Block], size: int) -> Iterator[tuple[WaitingTube, ...]]:
    left = blocks
    while left:
        chosen = _filling(_candidates(left, size), size)
        taken = {id(block) for block in chosen}
        left = [block for block in left if id(block) not in taken]
        yield tuple(tube for block in chosen for tube in block.tubes)


def _candidates(left: Sequence[_Block], size: int) -> list[_Block]:
    """The next in turn, nobody twice; the following stratum only where this one fills no pool."""
    candidates: list[_Block] = []
    people: set[UUID] = set()
    room = 0
    for risk, blocks in groupby(left, key=lambda block: block.order[0]):
        for block in blocks:
            if len(candidates) == _LOOK_AHEAD:
                return candidates
            if people.isdisjoint(block.people):
                candidates.append(block)
                people |= block.people
                room += len(block.tubes)
        if room >= size or risk is Risk.USUAL:
            break
    return candidates


def _filling(candidates: Sequence[_Block], size: int) -> list[_Block]:
    """The first and those after it that fill a pool best; of equal fillings the oldest.

    Sums are reached block by block, so that the first way to a sum is by the oldest blocks.
    """
    first = candidates[0]
    reached: dict[int, tuple[_Block, ...]] = {len(first.tubes): (first,)}
    for block in candidates[1:]:
        if size in reached:
            break
        for filled, by in sorted(reached.items(), reverse=True):
            together = filled + len(block.tubes)
            if together <= size and together not in reached:
                reached[together] = (*by, block)
    return list(reached[max(reached)])


def _waiting_of_households(made: Iterable[Sequence[WaitingTube]]) -> dict[UUID, int]:
    many: dict[UUID, int] = {}
    for group in made:
        for tube in group:
            if tube.household_id is not None:
                many[tube.household_id] = many.get(tube.household_id, 0) + 1
    return many


def _together(group: Sequence[WaitingTube], many: dict[UUID, int]) -> tuple[Together, ...]:
    here: dict[UUID, list[WaitingTube]] = {}
    for tube in group:
        if tube.household_id is not None:
            here.setdefault(tube.household_id, []).append(tube)
    return tuple(
        Together(household_id, tubes[0].household, len(tubes), len(tubes) == many[household_id])
        for household_id, tubes in here.items()
        if len(tubes) > 1
    )
