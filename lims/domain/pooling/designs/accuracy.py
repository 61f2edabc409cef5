"""How often a test of each stage is right."""

from dataclasses import dataclass
from typing import Final

ROUNDING: Final = 1e-12  # what it may take from a sensitivity that meets its limit exactly


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Sensitivity and specificity, stage by stage: the master pool (or rows and columns) first.

    The last one given stands for every later stage, so that a single pair holds for all.
    """

    se: tuple[float, ...]
    sp: tuple[float, ...]

    @classmethod
    def alike(cls, se: float, sp: float) -> "Accuracy":
        """The same at every stage."""
        return cls((se,), (sp,))

    def sensitivity(self, stage: int) -> float:
        """Of the stage, counted from 1."""
        return self.se[min(stage, len(self.se)) - 1]

    def specificity(self, stage: int) -> float:
        """Of the stage, counted from 1."""
        return self.sp[min(stage, len(self.sp)) - 1]

    def positive(self, stage: int, *, truly: bool) -> float:
        """The probability that a test of this stage says positive."""
        return self.sensitivity(stage) if truly else 1 - self.specificity(stage)

    @property
    def alone(self) -> "Accuracy":
        """Of who is tested alone at once: as the last stage, which is the one of single tests."""
        return Accuracy(self.se[-1:], self.sp[-1:])

    def kept(self, stages: int) -> float:
        """The probability that somebody positive is found positive in each of so many tests."""
        found = 1.0
        for stage in range(1, stages + 1):
            found *= self.sensitivity(stage)
        return found
