"""What every misbehaving machine shares, whatever it speaks: which fault happens now, and what is
left of bytes that a broken line carried. Seeded: a story that can be told again.
"""

import itertools
import random
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Generic, TypeVar

_STUCK_MOST: Final = 3_000  # bytes of a line that hangs

F = TypeVar("F", bound=StrEnum)


class Mischief(Generic[F]):
    """Faults that are still to come. Each happens as often as it was asked for."""

    def __init__(self, faults: Iterable[F], *, seed: int, chance: float) -> None:
        """`chance`: of a fault at each point where it could happen."""
        self._faults = list(faults)
        self._chance = chance
        self.rng = random.Random(seed)  # noqa: S311 - a story to be told again, no secret

    def asked_for(self, fault: F) -> bool:
        return fault in self._faults

    def now(self, fault: F) -> bool:
        """Whether it happens here; then once less."""
        if fault not in self._faults or self.rng.random() >= self._chance:
            return False
        self._faults.remove(fault)
        return True

    def noisy(self, data: bytes, noise: bytes) -> bytes:
        """Up to forty bytes of `noise` before it."""
        return b"\0" + bytes(self.rng.choices(noise, k=self.rng.randint(1, 40))) + data

    def stuck(self, data: bytes) -> bytes:
        """Somewhere within it one byte comes over and over, and then nothing."""
        at = self.rng.randint(1, len(data) - 1)
        return data[:at] + data[at - 1 : at] * self.rng.randint(1, _STUCK_MOST)

    def cut_short(self, data: bytes) -> bytes:
        """Its beginning; never nothing, never all."""
        return data[: self.rng.randint(1, len(data) - 1)]

    def in_pieces(self, data: bytes) -> list[bytes]:
        """Whole, in up to seven pieces."""
        places = sorted(self.rng.sample(range(1, len(data)), k=self.rng.randint(1, 6)))
        return [data[begin:end] for begin, end in itertools.pairwise([0, *places, len(data)])]
