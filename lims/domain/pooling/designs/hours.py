"""How long a positive pool's people wait for their own answers."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Clock:
    """Of one stage: setting it up, waiting for a free machine (median), and the run.

    Four staggered machines with runs of two hours are waited for about 0.3 h while resolving does
    not crowd them. Opening pools of twenty whole on a busy day does: 0.9 to 1.8 h were seen.
    """

    run_hours: float = 2.0
    setup_hours: float = 0.75
    wait_hours: float = 0.3

    def expected_hours(self, stages: int) -> float:
        """From the first pool found positive to the last answer of its people; none when there was
        no pool."""
        of_a_stage = self.setup_hours + self.wait_hours + self.run_hours
        return round((stages - 1) * of_a_stage, 6)

    def drawn_hours(self, runs: int, chance: np.random.Generator) -> list[float]:
        """Of one pool, from its own answer to that of each of so many runs: machines loaded in
        turn are waited for from not at all to twice the median, so that on average it is
        ``expected_hours``."""
        waits = chance.uniform(0, 2 * self.wait_hours, size=runs)
        ended: list[float] = np.cumsum(self.setup_hours + waits + self.run_hours).tolist()
        return ended
