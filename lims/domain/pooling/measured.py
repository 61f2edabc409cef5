"""What was measured of a pool and its parts, as the arithmetic of probabilities takes it.

Every conclusive attempt at a tube is a measurement of its own; that attempts at one tube err
together is the error model's. An invalid or inconclusive attempt is none, and neither is what a
tube once detected whose discordance a reviewer has closed. Pools of before rule ``bayesian/3`` are
read as they were: one measurement a tube, detected if it ever was.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.calls import SILENT, Call
from lims.domain.pooling.evidence import Composition, TubeFacts

RULE: Final = "bayesian/3"
"""Stored with each choice; a rule never changes, and an open pool keeps its own."""

SAID: Final = frozenset({Outcome.DETECTED, Outcome.NOT_DETECTED})
"""Invalid and inconclusive answers are no evidence."""

LARGEST: Final = 32  # members; of a larger pool too many subsets are left out


def measured(
    pool: TubeFacts,
    composition: Composition,
    known: Mapping[UUID, Call],
    *,
    facts: Mapping[str, Any],
    closed: frozenset[UUID] = frozenset(),
) -> frozenset[Measurement]:
    """Of the pool, its sub-pools and its tubes alone. ``facts``: with the rule it was chosen by;
    ``closed``: tubes whose discordance a reviewer has closed."""
    place = {source: i for i, source in enumerate(pool.sources)}
    every = facts.get("rule") == RULE
    told: list[Measurement] = []
    attempts: Counter[tuple[Role, tuple[int, ...], bool]] = Counter()
    for role, tube, members in _parts(pool, composition, place):
        call = known.get(tube, SILENT)
        counted = _every_attempt(tube, call, closed) if every else _folded(call)
        if role is Role.MASTER and not (every and counted[0]):
            counted = 1, 0  # detected: else nobody would part it
        for detected, many in zip((True, False), counted, strict=True):
            for _ in range(many):
                attempts[role, members, detected] += 1
                nth = attempts[role, members, detected]
                told.append(Measurement(role, members, detected, nth))
    return frozenset(told)


def _parts(
    pool: TubeFacts, composition: Composition, place: Mapping[UUID, int]
) -> Iterator[tuple[Role, UUID, tuple[int, ...]]]:
    yield Role.MASTER, pool.id, tuple(place.values())
    for tube in composition.sub_pools(pool.id):
        yield Role.SUB_POOL, tube.id, tuple(sorted(place[s] for s in tube.sources))
    for source, member in place.items():
        yield Role.ALONE, source, (member,)


def _every_attempt(tube: UUID, call: Call, closed: frozenset[UUID]) -> tuple[int, int]:
    """How often it was detected, and how often not."""
    if tube in closed and call.outcome is Outcome.NOT_DETECTED:
        return 0, call.negatives
    return call.detections, call.negatives


def _folded(call: Call) -> tuple[int, int]:
    if call.outcome not in SAID:
        return 0, 0
    return (1, 0) if call.ever_detected else (0, 1)
