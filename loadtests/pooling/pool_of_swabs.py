"""One laboratory pool of a simulated day: swabs with their loads, and when its people were told.

What is decided about it is decided by the code of the laboratory (``PoolUnderWay``); only the swabs
are made up (lims.demo.physics).
"""

from collections.abc import Sequence
from random import Random
from typing import Final
from uuid import UUID

from lims.demo.physics import DETECTED_TO, PLATE_KIT, read_tube
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.choice import Choice
from lims.domain.pooling.evidence import Conclusion, TubeFacts
from lims.domain.pooling.under_way import Change, Choosing, Labels, PoolUnderWay

_NAMED: Final = frozenset({FindingOutcome.PRESUMPTIVE, FindingOutcome.POSITIVE})


class PoolOfSwabs:
    """``cts``: of each swab, None where there is no virus in it.

    ``detected_h``: when the pool was first found positive; ``named_h``, ``confirmed_h``: of each
    infected specimen, when she first was; ``wells``: filled for it after the first of its own.
    """

    def __init__(self, labels: Labels, cts: Sequence[float | None]) -> None:
        self._way = PoolUnderWay(labels, len(cts))
        self._cts = dict(zip(self._way.people, cts, strict=True))
        self.detected_h: float | None = None
        self.named_h: dict[UUID, float] = {}
        self.confirmed_h: dict[UUID, float] = {}
        self.wells = -1

    @property
    def master(self) -> TubeFacts:
        """The pool itself."""
        return self._way.master

    @property
    def choice(self) -> Choice | None:
        """How it is resolved."""
        return self._way.choice

    @property
    def infected(self) -> tuple[UUID, ...]:
        """Whoever of it has virus in the swab."""
        return tuple(one for one, ct in self._cts.items() if ct is not None)

    def plate(self, tube: UUID) -> None:
        """It goes into a machine."""
        self.wells += 1
        self._way.plate(tube)

    def measure(self, chance: Random, tube: UUID, *, run_is_good: bool) -> None:
        """One well of a run that has ended; one whose controls failed is no evidence."""
        if not run_is_good:
            self._way.void(tube)
            return
        held = [self._cts[one] for one in sorted(self._way.tubes[tube].specimens)]
        targets = read_tube(chance, str(tube), held, PLATE_KIT).targets
        ct, control = targets[PLATE_KIT.genes[0]], targets[PLATE_KIT.control]
        if ct is None:
            outcome = Outcome.INVALID if control is None else Outcome.NOT_DETECTED
        else:
            outcome = Outcome.DETECTED if ct <= DETECTED_TO else Outcome.INCONCLUSIVE
        self._way.answer(tube, outcome, ct)

    def decide(self, at_h: float, choosing: Choosing | None) -> Change:
        """What all of it says now, and what that changes. Without ``choosing`` nobody resolves it:
        only what failed is repeated."""
        if self._way.said.ever_detected and self.detected_h is None:
            self.detected_h = at_h
        conclusion = self._way.concluded(choosing)
        if conclusion.unchosen and choosing is None:
            return Change()
        self._tell(conclusion, at_h)
        return self._way.follow(conclusion)

    def _tell(self, conclusion: Conclusion, at_h: float) -> None:
        for one in self.infected:
            outcome = conclusion.findings[one].outcome if one in conclusion.findings else None
            if outcome in _NAMED:
                self.named_h.setdefault(one, at_h)
            if outcome is FindingOutcome.POSITIVE:
                self.confirmed_h.setdefault(one, at_h)
