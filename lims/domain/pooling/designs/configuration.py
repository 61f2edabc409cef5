"""Which tests a design makes of whom: a tree of groups, or a square of rows and columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Algorithm(StrEnum):
    """The designs, by the names of the literature (Kim et al. 2007)."""

    INDIVIDUAL = "individual"
    D2 = "D2"
    D3 = "D3"
    D4 = "D4"
    A2 = "A2"
    A2M = "A2M"

    @property
    def stages(self) -> int:
        """The most rounds of testing it takes."""
        return _STAGES[self]

    @property
    def hierarchical(self) -> bool:
        """Each pool is parted into smaller ones; nobody is in two pools of one stage."""
        return self not in {Algorithm.A2, Algorithm.A2M}


_STAGES = {
    Algorithm.INDIVIDUAL: 1,
    Algorithm.D2: 2,
    Algorithm.D3: 3,
    Algorithm.D4: 4,
    Algorithm.A2: 2,
    Algorithm.A2M: 3,
}


@dataclass(frozen=True, slots=True)
class Group:
    """One pool of ``people``, and the smaller pools it is parted into when positive.

    Without ``parts`` each of its people is tested alone next; a group of one is that test.
    """

    people: int
    parts: tuple["Group", ...] = ()

    @classmethod
    def of(cls, parts: Sequence["Group"]) -> "Group":
        """The pool of all these."""
        return cls(sum(part.people for part in parts), tuple(parts))

    @property
    def stages(self) -> int:
        """Rounds of testing from this pool to the last single test, itself counted."""
        if self.people == 1:
            return 1
        return 1 + max((part.stages for part in self.parts), default=1)

    def next(self) -> tuple["Group", ...]:
        """What is tested when this is positive."""
        if self.people == 1:
            return ()
        return self.parts or (Group(1),) * self.people

    def walk(self) -> Iterator["Group"]:
        """Itself and every group inside it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """D2, D3, D4, or one person tested alone (a master of one)."""

    master: Group

    @property
    def people(self) -> int:
        return self.master.people

    @property
    def stages(self) -> int:
        return self.master.stages

    @property
    def largest_pool(self) -> int:
        return self.master.people


@dataclass(frozen=True, slots=True)
class SquareArray:
    """A2: ``side`` rows and as many columns. A2M: all of them in one master pool before that."""

    side: int
    master: bool = False

    @property
    def people(self) -> int:
        return self.side * self.side

    @property
    def stages(self) -> int:
        return 3 if self.master else 2

    @property
    def largest_pool(self) -> int:
        return self.people if self.master else self.side


Design = Hierarchical | SquareArray


@dataclass(frozen=True, slots=True)
class Cohort:
    """An informative design: people sorted by risk, least first, and the designs that take them in
    that order."""

    designs: tuple[Design, ...]

    @property
    def people(self) -> int:
        return sum(design.people for design in self.designs)

    @property
    def stages(self) -> int:
        return max(design.stages for design in self.designs)

    @property
    def largest_pool(self) -> int:
        return max(design.largest_pool for design in self.designs)
