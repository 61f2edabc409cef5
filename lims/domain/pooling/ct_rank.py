"""Which of several suspects a row's and a column's cycle numbers point to."""

from collections.abc import Iterable
from math import inf, log2
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.strategy import Question


def by_ct_match(question: Question, suspects: Iterable[UUID]) -> tuple[UUID, ...]:
    """The suspects, those whose detected sub-pools agree best on one undiluted Ct first.

    One positive among n equal draws shows log2(n) cycles later than alone; a row and a column
    that hold the same positive come to the same number before that (0.4 cycles of noise each). It
    only ranks: a Ct that one person explains does not exclude a weaker second.
    """
    detected = [
        (tube.sources, call.ct_cycles - log2(len(tube.sources)))
        for tube in question.composition.sub_pools(question.pool.id)
        if (call := question.call(tube)).outcome is Outcome.DETECTED and call.ct_cycles is not None
    ]

    def disagreement_cycles(suspect: UUID) -> float:
        alone = [ct for sources, ct in detected if suspect in sources]
        return max(alone) - min(alone) if len(alone) > 1 else inf

    return tuple(sorted(suspects, key=disagreement_cycles))
