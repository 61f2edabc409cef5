"""What was thought of some evidence is kept: the same evidence has the same answer.

A result's transaction concludes twice, a pool's page is looked at oftener than a result comes, and
pools of one size of which only the pool itself has answered are all alike.
"""

from functools import lru_cache

from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.next_tests import Limits, Wanted, next_tests
from lims.domain.pooling.bayes.posterior import Posterior, posterior
from lims.domain.pooling.prior import Prior


@lru_cache(maxsize=64)
def posterior_of(prior: Prior, members: int, told: frozenset[Measurement]) -> Posterior:
    """Of a pool of so many. Of 32 members it is some 400 kB."""
    return posterior(prior.states(members), told)


@lru_cache(maxsize=1024)
def batch_of(
    prior: Prior, members: int, told: frozenset[Measurement], limits: Limits
) -> tuple[Wanted, ...]:
    """The next tests of the same."""
    return next_tests(posterior_of(prior, members, told), limits)
