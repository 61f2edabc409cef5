"""Two-stage resolution: a positive pool's sources are each tested alone.

Source: Dorfman, "The Detection of Defective Members of Large Populations",
Ann. Math. Statist. 14 (1943) 436-440.
"""

from lims.domain.pooling.strategy import Next, Question


class Dorfman:
    """Every source that has no answer of its own, all in the next run."""

    name = "dorfman/1"

    def next(self, question: Question) -> Next:
        """The sources that are on the rack and unanswered, in pipetting order."""
        return Next(tubes=tuple(s for s in question.open_sources if question.testable(s)))
