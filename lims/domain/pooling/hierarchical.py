"""Three stages: the pool, groups of its tubes, then the tubes of the detected groups alone.

Source: Kim et al., Biometrics 63 (2007) 1152-1163 (D3); about √n groups of √n minimises the tests
of a pool with one positive.
"""

from math import isqrt
from typing import TypeVar

from lims.domain.pooling.strategy import Next, Question, SubPool

Tube = TypeVar("Tube")


def groups_of(sources: tuple[Tube, ...]) -> tuple[tuple[str, tuple[Tube, ...]], ...]:
    """Named groups as equal as they come, in pipetting order. 20 tubes: four of five."""
    count = max(2, isqrt(len(sources)))
    size, more = divmod(len(sources), count)
    groups, start = [], 0
    for n in range(count):
        end = start + size + (n < more)
        groups.append((f"group {n + 1}", sources[start:end]))
        start = end
    return tuple(groups)


class Hierarchical:
    """A group's tubes are tested alone as soon as it is detected; no group waits for another."""

    name = "hierarchical/1"

    def next(self, question: Question) -> Next:
        """The groups without an answer, and alone whoever an answered one leaves in question.

        The last group that is not made yet is not made when all the others are negative: the pool
        was detected, so that its tubes are tested alone at once.
        """
        wanted: list[SubPool] = []
        made_already = False
        alone = question.only_alone()
        for position, group in groups_of(question.pool.sources):
            opened = question.askable(group)
            made = question.prepared(group)
            if not opened:
                continue
            if (made is not None and made.id in question.known) or (
                made is None and len(opened) == 1
            ):
                alone.extend(opened)
                continue
            made_already |= made is not None
            sources = made.sources if made is not None else question.drawable(group)
            wanted.append(SubPool(1, position, sources))
        if len(wanted) == 1 and not alone and not made_already:
            alone, wanted = list(question.open_sources), []
        return Next(tubes=tuple(s for s in alone if question.testable(s)), sub_pools=tuple(wanted))
