"""What a laboratory may choose for itself, and between which values."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Setting(StrEnum):
    """One choice of a site; each is a column of its row. Switches are 0 or 1."""

    SECOND_REVIEWER = "second_reviewer"
    IDENTITY_HOLDS = "identity_holds"
    POOLS_OF_POOLS = "pools_of_pools"
    MAX_POOL_SIZE = "max_pool_size"

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, rather than a number."""
        return self is not Setting.MAX_POOL_SIZE


BOUNDS: Mapping[Setting, tuple[int, int]] = MappingProxyType(
    {setting: (0, 1) if setting.is_switch else (2, 100) for setting in Setting}
)
"""The least and the most that each may be."""
