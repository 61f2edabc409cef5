"""Two-stage resolution: a positive pool's sources are each tested alone.

Source: Dorfman, "The Detection of Defective Members of Large Populations",
Ann. Math. Statist. 14 (1943) 436-440.
"""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from lims.domain.pooling.calls import Call
from lims.domain.pooling.evidence import Composition, TubeFacts


class Strategy(Protocol):
    """Which tubes to test next to resolve one positive pool."""

    @property
    def name(self) -> str:
        """Stored with what it decides."""
        ...

    def next_tubes(
        self, pool: TubeFacts, composition: Composition, known: Mapping[UUID, Call]
    ) -> tuple[UUID, ...]:
        """Tube ids to test now, given the calls so far; empty when the pool is resolved."""
        ...


class Dorfman:
    """Every source that has no answer of its own, all in the next run."""

    name = "dorfman/1"

    def next_tubes(
        self, pool: TubeFacts, composition: Composition, known: Mapping[UUID, Call]
    ) -> tuple[UUID, ...]:
        """The sources that are on the rack and unanswered, in pipetting order."""
        return tuple(
            source
            for source in pool.sources
            if source not in known and not composition.tubes[source].rejected
        )
