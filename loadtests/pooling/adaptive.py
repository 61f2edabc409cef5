"""The adaptive strategy against the best three stages of the same cap, and against the entropy.

Errors as pooling.md has them: master Se .98, resolvers .998, Sp .995, independent, binary; so also
those of a second attempt at one tube. Each line is a simulation of the deciding code as the
laboratory runs it, rechecks of contradictions among its tests; its note has the interval.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log2
from typing import Final

from lims.domain.pooling.bayes.error_model import USUAL
from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.configuration import Algorithm
from lims.domain.pooling.designs.optimal import Limits, optimal_testing_configuration
from lims.domain.pooling.outlook import Figure, Outlook, outlook
from lims.domain.pooling.simulated import simulated
from loadtests.pooling.bar import Bar

TRUTH: Final = replace(USUAL, shared_master_misses=0, shared_resolver_misses=0, shared_false=0)
ERRORS: Final = Accuracy((0.98, 0.998), (0.995,))
AGAINST_D3: Final = (
    # prevalence, cap, members pooled, bar
    (0.01, 20, 20, 0.88),
    (0.01, 32, 32, 0.81),
    (0.003, 20, 20, 0.90),
    (0.003, 32, 32, 0.84),
    (0.03, 20, 18, 0.94),
    (0.05, 20, 12, 1.00),
    (0.001, 20, 20, 1.00),
)
AGAINST_ENTROPY: Final = {
    (0.01, 20): 1.45,
    (0.01, 32): 1.33,
    (0.03, 20): 1.30,
    (0.05, 20): 1.28,
}
NAMED: Final = 0.88
_POOLS: Final = 40_000


def measure(quick: bool) -> Sequence[Bar]:
    """Two or three lines for each prevalence and cap."""
    bars: list[Bar] = []
    for prevalence, cap, members, bar in AGAINST_D3:
        found = outlook(
            simulated(members, prevalence, _POOLS // (20 if quick else 1), model=TRUTH, seed=1),
            members,
        )
        bars.extend(_lines(prevalence, cap, bar, found))
    return bars


def _lines(prevalence: float, cap: int, bar: float, found: Outlook) -> list[Bar]:
    best = optimal_testing_configuration(
        Algorithm.D3, prevalence, ERRORS, Limits(max_pool=cap, max_stages=3)
    )
    if best is None:
        raise RuntimeError(f"no D3 under a cap of {cap}")
    tests, its = found.expected_tests_per_person, best.characteristics
    where = f"p {prevalence:.1%}, cap {cap}"
    lines = [
        Bar(
            f"tests against D3's optimum, {where}",
            tests.value / its.expected_tests_per_person,
            bar,
            note=f"{_said(tests)} against {its.expected_tests_per_person:.4f}",
        ),
        Bar(
            f"sensitivity against D3's, {where}",
            found.pooling_sensitivity.high - its.pooling_sensitivity,
            0,
            at_most=False,
            note=f"{_said(found.pooling_sensitivity)}; its upper end against "
            f"{its.pooling_sensitivity:.4f}",
        ),
    ]
    if (prevalence, cap) in AGAINST_ENTROPY:
        entropy = -prevalence * log2(prevalence) - (1 - prevalence) * log2(1 - prevalence)
        ratio = tests.value / entropy
        lines.append(Bar(f"against entropy, {where}", ratio, AGAINST_ENTROPY[prevalence, cap]))
    if prevalence <= 0.01 and cap == 20:
        named = found.pools_named
        lines.append(
            Bar(
                f"all named after one run, {where}",
                named.value,
                NAMED,
                at_most=False,
                note=f"{_said(named)} of the pools that held somebody",
            )
        )
    return lines


def _said(figure: Figure) -> str:
    return f"{figure.value:.4f} ({figure.low:.4f}-{figure.high:.4f})"
