"""What a plan may be asked with, and what it refuses before it reckons."""

from collections.abc import Sequence

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.hours import Clock
from lims.domain.pooling.designs.optimal import MOST_MAX_POOL, Limits
from lims.domain.refusals import OutOfRange, PoolAboveCap

MOST_STAGES = 4
_MOST_HOURS = 1_000


def asked_probability(value: float, *, where: str) -> float:
    """Between 0 and 1, neither of them. Raises OutOfRange."""
    if not 0 < value < 1:
        raise OutOfRange(came=f"{value:g}", where=where)
    return float(value)


def asked_accuracy(se: Sequence[float], sp: Sequence[float]) -> Accuracy:
    """One number for every stage, or one a stage. Raises OutOfRange, of Se + Sp ≤ 1 too: such a
    test says less than a coin."""
    for where, values in (("se", se), ("sp", sp)):
        if not 1 <= len(values) <= MOST_STAGES:
            raise OutOfRange(
                came=str(len(values)),
                where=where,
                expected="one number, or one for each stage",
                todo="give one for all stages, or up to four, separated by commas",
            )
        for value in values:
            if not 0 < value <= 1:
                raise OutOfRange(
                    came=f"{value:g}",
                    where=where,
                    expected="more than 0 and at most 1",
                    todo="give it as a share: 0.98 for 98 percent",
                )
    accuracy = Accuracy(tuple(map(float, se)), tuple(map(float, sp)))
    for stage in range(1, MOST_STAGES + 1):
        sensitivity, specificity = accuracy.sensitivity(stage), accuracy.specificity(stage)
        if sensitivity + specificity <= 1:
            raise OutOfRange(
                came=f"{sensitivity:g} + {specificity:g}",
                where="se",
                expected="sensitivity and specificity that together are more than 1",
                todo="look both up in your validation: with less, a positive means nothing",
            )
    return accuracy


def asked_limits(
    max_pool: int, max_stages: int, min_pse: float, *, validated: int | None = None
) -> Limits:
    """Raises OutOfRange; PoolAboveCap when ``validated``, the site's largest pool, is smaller."""
    if not 2 <= max_pool <= MOST_MAX_POOL:
        raise OutOfRange(
            came=str(max_pool),
            where="max_pool",
            expected="a largest pool of 2 to 100 people",
            todo="a pool of one is a single test: give 2 to 100",
        )
    if validated is not None and max_pool > validated:
        raise PoolAboveCap(
            came=f"{max_pool}, at most {validated}",
            where="max_pool",
            expected="no pool larger than this laboratory has validated",
        )
    if not 1 <= max_stages <= MOST_STAGES:
        raise OutOfRange(
            came=str(max_stages),
            where="max_stages",
            expected="one to four stages",
            todo="give 1, 2, 3 or 4",
        )
    if not 0 <= min_pse <= 1:
        raise OutOfRange(
            came=f"{min_pse:g}",
            where="min_pse",
            expected="a share from 0 to 1",
            todo="give it as a share: 0.95 for 95 percent",
        )
    return Limits(max_pool, max_stages, float(min_pse))


def asked_clock(run_hours: float, setup_hours: float, wait_hours: float) -> Clock:
    """Raises OutOfRange for hours that no run takes."""
    named = {"run_hours": run_hours, "setup_hours": setup_hours, "wait_hours": wait_hours}
    for where, hours in named.items():
        if not 0 <= hours <= _MOST_HOURS:
            raise OutOfRange(
                came=f"{hours:g}",
                where=where,
                expected="hours from 0 to 1,000",
                todo="give hours, with a point: 0.75 for three quarters of an hour",
            )
    return Clock(run_hours, setup_hours, wait_hours)
