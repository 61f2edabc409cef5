"""A recipient that keeps failing is left alone, and asked now and then whether it is back.

The pattern is the circuit breaker (Nygard, "Release It!"): closed while it works, open after
failures in a row, half open for one attempt at a time. One dead office then costs a few senders'
time in the hour and not every notice's own schedule; its first answer brings all the others
forward at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class RestPlan:
    """After `trips_after` failures in a row the first rest; each failure in it brings the next.

    `rests_s` never grows beyond a few minutes: a team whose receiver comes back must not wait long
    for an F0. `jitter` spreads each rest by up to that share either way.
    """

    trips_after: int = 5
    rests_s: Sequence[float] = (15.0, 30.0, 60.0, 120.0, 300.0)
    jitter: float = 0.1

    def rest_s(self, failures: int, rng: Random) -> float | None:
        """Seconds to leave it alone after so many failures in a row; None: not yet."""
        beyond = failures - self.trips_after
        if beyond < 0:
            return None
        planned = self.rests_s[min(beyond, len(self.rests_s) - 1)]
        return planned * (1 + rng.uniform(-self.jitter, self.jitter))
