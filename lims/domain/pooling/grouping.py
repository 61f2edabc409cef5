"""Which received tubes go together: the oldest first, nobody twice in one pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WaitingTube:
    """A tube on the pooling rack and whose swab it holds."""

    barcode: str
    person_id: UUID


def propose(tubes: Sequence[WaitingTube], size: int) -> list[list[WaitingTube]]:
    """Pools of ``size`` in the order given (oldest first); the last may be smaller.

    A second tube of a person goes into the next pool, since one pool of both would be refused.
    A single tube left over is no pool: it waits for the next.
    """
    pools: list[list[WaitingTube]] = []
    for tube in tubes:
        fitting = (
            pool
            for pool in pools
            if len(pool) < size and all(one.person_id != tube.person_id for one in pool)
        )
        chosen = next(fitting, None)
        if chosen is None:
            pools.append([tube])
        else:
            chosen.append(tube)
    return [pool for pool in pools if len(pool) >= 2]
