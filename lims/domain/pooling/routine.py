"""Pools of the daily routine, as the estimate of prevalence takes them."""

from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.dilution import PanelParameters, sensitivity
from lims.domain.pooling.pool_size import POOL_SPECIFICITY, SINGLE_SPECIFICITY
from lims.domain.pooling.prevalence import PoolResults


def routine_results(
    kind: TubeKind, size: int, *, tested: int, positive: int, parameters: PanelParameters
) -> PoolResults:
    """Swabs of a field pool share a tube and are hardly diluted; a laboratory pool is."""
    alone = size == 1 or kind is not TubeKind.LAB_POOL
    kept = sensitivity(size, parameters=parameters) / sensitivity(1, parameters=parameters)
    return PoolResults(
        pool_size=size,
        tested=tested,
        positive=positive,
        sensitivity=1.0 if alone else min(kept, 1.0),
        specificity=SINGLE_SPECIFICITY if size == 1 else POOL_SPECIFICITY,
    )
