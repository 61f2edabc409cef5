"""When to try a recipient again, and when to give up.

Source: Standard Webhooks 1.0, "Deliverability and reliability": retry over days, further and
further apart, with jitter. Its example schedule ends in steps of many hours; ours stops growing
at one hour, because a tracing team whose receiver comes back must not wait half a day for an F0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

_MINUTE = 60.0
_HOUR = 60 * _MINUTE

FIRST_WAITS_S = (5.0, 30.0, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE)
HOURS_OF_PATIENCE = 72


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """`waits_s[n]` follows failure n (from 0); the failure after the last wait is final.

    `jitter` spreads each wait by up to that share either way, so that receivers which failed
    together are not called together again. `longest_s` bounds what a Retry-After may ask for.
    """

    waits_s: Sequence[float] = (*FIRST_WAITS_S, *((_HOUR,) * HOURS_OF_PATIENCE))
    jitter: float = 0.1
    longest_s: float = 24 * _HOUR

    @property
    def whole_s(self) -> float:
        """How long after it was owed a notice is given up whose recipient never answered."""
        return sum(self.waits_s)

    def wait_s(self, failures: int, rng: Random, asked_s: float | None = None) -> float | None:
        """Seconds until the next attempt after `failures` failed ones; None: no more attempts.

        `asked_s` is the receiver's Retry-After (RFC 9110 section 10.2.3): never earlier than that.
        """
        if failures > len(self.waits_s):
            return None
        planned = self.waits_s[failures - 1] * (1 + rng.uniform(-self.jitter, self.jitter))
        return max(planned, min(asked_s or 0.0, self.longest_s))
