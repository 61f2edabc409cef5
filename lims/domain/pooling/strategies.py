"""Every strategy that can resolve a pool, by the name under which the choice of it is stored."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lims.domain.pooling.adaptive import Adaptive
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.dorfman import Dorfman
from lims.domain.pooling.grid import Grid
from lims.domain.pooling.hierarchical import Hierarchical
from lims.domain.pooling.strategy import Strategy

STRATEGIES: Final[Mapping[StrategyName, Strategy]] = MappingProxyType(
    {
        StrategyName.DORFMAN: Dorfman(),
        StrategyName.HIERARCHICAL: Hierarchical(),
        StrategyName.GRID: Grid(),
        StrategyName.BAYESIAN: Adaptive(),
    }
)


def offered(name: str) -> bool:
    """Whether a campaign may ask for it, or a person choose it: it is built in."""
    return name == "auto" or name in STRATEGIES
