"""Who is cleared by which negative tube, and which positive tubes that leaves unexplained.

Every result is about a set of specimens, so these rules compare sets and know
no levels: they hold for pools, pools of pools and overlapping sub-pools.
"""

from collections.abc import Mapping
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.calls import SILENT, Call
from lims.domain.pooling.evidence import Composition, TubeFacts


class Coverage:
    """What the calls of one component say together of each specimen.

    ``closed`` are tubes whose discordance a reviewer has closed: their last
    word stands, and what they once detected contradicts nobody any more.
    """

    def __init__(
        self, composition: Composition, known: Mapping[UUID, Call], closed: frozenset[UUID]
    ) -> None:
        self._known = known
        self.closed = closed
        self._tubes = composition.tubes
        self._holding: dict[UUID, list[TubeFacts]] = {}
        for tube in sorted(composition.tubes.values(), key=_smallest_first):
            for specimen in tube.specimens:
                self._holding.setdefault(specimen, []).append(tube)
        self.specimens = tuple(sorted(self._holding))
        self.cleared = {s: n for s in self.specimens if (n := self._cleared_by(s)) is not None}
        self.disputed = self._unexplained()

    def is_clean(self, tube: TubeFacts) -> bool:
        """Not detected, and never detected before unless a reviewer has closed that."""
        call = self._known.get(tube.id, SILENT)
        if call.outcome is not Outcome.NOT_DETECTED:
            return False
        return not call.ever_detected or tube.id in self.closed

    def is_suspect(self, tube: TubeFacts) -> bool:
        """It has a conclusive answer that is not a clean negative."""
        return self._known.get(tube.id, SILENT).outcome is not None and not self.is_clean(tube)

    def suspect(self, specimen: UUID) -> TubeFacts | None:
        """The smallest suspect tube that holds the specimen."""
        return next((t for t in self._holding[specimen] if self.is_suspect(t)), None)

    def all_cleared(self, tube: TubeFacts) -> bool:
        """Nothing can be learnt from testing this tube: each of its specimens is negative."""
        return all(specimen in self.cleared for specimen in tube.specimens)

    def contradicted(self, tube: TubeFacts) -> bool:
        """A clean negative that holds something once detected (S8)."""
        if not self.is_clean(tube) or tube.id in self.closed:
            return False
        return any(
            self._once_detected(other) and other.id not in self.closed
            for other in self._inside(tube)
        )

    def in_question(self, tube: TubeFacts) -> bool:
        """Testing this tube alone would tell more.

        Whoever is cleared by nothing nearer than a sub-pool is in question again when another
        sub-pool, or the pool itself for a second time, says that somebody there is positive.
        """
        return any(
            specimen not in self.cleared or self._doubted(specimen) for specimen in tube.specimens
        )

    def settled_alone(self, tube: TubeFacts) -> bool:
        """Nobody in this tube is negative by a sub-pool whose word a test alone could replace."""
        return not any(
            self.cleared[specimen].master is not None and self._has_own_word_to_give(specimen)
            for specimen in tube.specimens
            if specimen in self.cleared
        )

    def named(self) -> Mapping[UUID, tuple[TubeFacts, ...]]:
        """Whom detected sub-pools leave no other choice but to name, with those that say so.

        The specimen is the only one of a detected sub-pool that nothing clears, and a second
        detected sub-pool holds it too: a row and a column that cross.
        """
        detected = [
            tube
            for tube in self._tubes.values()
            if tube.master is not None
            and tube.id not in self.closed
            and self._known.get(tube.id, SILENT).outcome is Outcome.DETECTED
        ]
        left = {tube.id: [s for s in tube.specimens if s not in self.cleared] for tube in detected}
        only = {specimens[0] for specimens in left.values() if len(specimens) == 1}
        saying = {
            specimen: tuple(t for t in self._holding[specimen] if t.id in left)
            for specimen in sorted(only)
        }
        return {specimen: tubes for specimen, tubes in saying.items() if len(tubes) > 1}

    def inside(self, tube: TubeFacts) -> tuple[TubeFacts, ...]:
        """The smaller tubes made of nothing but what is in this one, in id order."""
        return tuple(sorted(self._inside(tube), key=lambda t: t.id))

    def _cleared_by(self, specimen: UUID) -> TubeFacts | None:
        """The smallest clean tube, unless a suspect inside it says otherwise.

        A tube nearer to the person outranks a larger one; one that only
        overlaps (a row and a column of a grid) does not: there negative wins.
        """
        holding = self._holding[specimen]
        doubts = [t for t in holding if self.is_suspect(t) and t.id not in self.closed]
        for tube in holding:
            if self.is_clean(tube) and not any(d.specimens <= tube.specimens for d in doubts):
                return tube
        return None

    def _unexplained(self) -> Mapping[UUID, TubeFacts]:
        """Specimens of a tube once detected whose every specimen is negative elsewhere (S4).

        Of nested ones only the innermost is disputed: it explains the others.
        """
        found: dict[UUID, TubeFacts] = {}
        for tube in sorted(self._tubes.values(), key=_smallest_first):
            if not self._once_detected(tube) or tube.id in self.closed:
                continue
            if not self.all_cleared(tube):
                continue
            if any(self._once_detected(other) for other in self._inside(tube)):
                continue
            for specimen in tube.specimens:
                found.setdefault(specimen, tube)
        return found

    def _doubted(self, specimen: UUID) -> bool:
        clearing, disputed = self.cleared[specimen], self.disputed.get(specimen)
        if disputed is None or clearing.master is None:
            return False
        return disputed.master is not None or self._known[disputed.id].detections > 1

    def _has_own_word_to_give(self, specimen: UUID) -> bool:
        own = self._holding[specimen][0]
        return not own.rejected and own.id not in self._known

    def _once_detected(self, tube: TubeFacts) -> bool:
        return self._known.get(tube.id, SILENT).ever_detected

    def _inside(self, tube: TubeFacts) -> set[TubeFacts]:
        return {
            other
            for specimen in tube.specimens
            for other in self._holding[specimen]
            if other.specimens < tube.specimens
        }


def _smallest_first(tube: TubeFacts) -> tuple[int, UUID]:
    return len(tube.specimens), tube.id
