"""What a laboratory may choose for itself, and between which values."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Setting(StrEnum):
    """One choice of a site; each is a column of its row. Switches are 0 or 1.

    ``HOURS_TO_NAME``, ``HOURS_TO_CONFIRM``: from a pool's positive answer until everybody in it is
    cleared or named, and until the last word on each. A swab taken ``RELEASE_FROM_DAY`` after the
    one that made a case ends it when it is negative, or positive from ``RELEASE_CT`` on; before
    ``REINFECTION_DAYS`` a new positive is the same infection. What people declared elsewhere is
    forgotten after ``DECLARATION_DAYS``.
    """

    SECOND_REVIEWER = "second_reviewer"
    IDENTITY_HOLDS = "identity_holds"
    POOLS_OF_POOLS = "pools_of_pools"
    MAX_POOL_SIZE = "max_pool_size"
    HOURS_TO_NAME = "hours_to_name"
    HOURS_TO_CONFIRM = "hours_to_confirm"
    SECONDARY_ATTACK_PERCENT = "secondary_attack_percent"
    SUB_POOL_DRAWS = "sub_pool_draws"
    RUN_DRAWS = "run_draws"
    RELEASE_FROM_DAY = "release_from_day"
    RELEASE_CT = "release_ct"
    REINFECTION_DAYS = "reinfection_days"
    MONITOR_WINDOW_DAYS = "monitor_window_days"
    EXPECTED_REFUTED_PERCENT = "expected_refuted_percent"
    EXPECTED_EMPTY_POOLS_PERCENT = "expected_empty_pools_percent"
    ROSTER_AFTER_MIN = "roster_after_min"
    PROVINCE_AFTER_MIN = "province_after_min"
    VOICE_AFTER_MIN = "voice_after_min"
    DECLARATION_DAYS = "declaration_days"

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, rather than a number."""
        return BOUNDS[self] == (0, 1)

    @property
    def is_minutes(self) -> bool:
        """Whether it says how many minutes something may wait."""
        return self in {
            Setting.ROSTER_AFTER_MIN,
            Setting.PROVINCE_AFTER_MIN,
            Setting.VOICE_AFTER_MIN,
        }

    @property
    def is_hours(self) -> bool:
        """Whether it is a length of time, in whole hours."""
        return self in {Setting.HOURS_TO_NAME, Setting.HOURS_TO_CONFIRM}


BOUNDS: Mapping[Setting, tuple[int, int]] = MappingProxyType(
    {
        Setting.SECOND_REVIEWER: (0, 1),
        Setting.IDENTITY_HOLDS: (0, 1),
        Setting.POOLS_OF_POOLS: (0, 1),
        Setting.MAX_POOL_SIZE: (2, 100),
        Setting.HOURS_TO_NAME: (1, 48),
        Setting.HOURS_TO_CONFIRM: (1, 96),
        Setting.SECONDARY_ATTACK_PERCENT: (0, 60),
        Setting.SUB_POOL_DRAWS: (2, 100),
        Setting.RUN_DRAWS: (20, 999),
        Setting.RELEASE_FROM_DAY: (1, 60),
        Setting.RELEASE_CT: (20, 45),
        Setting.REINFECTION_DAYS: (1, 365),
        Setting.ROSTER_AFTER_MIN: (1, 1440),
        Setting.PROVINCE_AFTER_MIN: (1, 1440),
        Setting.VOICE_AFTER_MIN: (1, 1440),
        Setting.MONITOR_WINDOW_DAYS: (1, 90),
        Setting.EXPECTED_REFUTED_PERCENT: (1, 99),
        Setting.EXPECTED_EMPTY_POOLS_PERCENT: (1, 99),
        Setting.DECLARATION_DAYS: (1, 365),
    }
)
"""The least and the most that each may be."""

NOT_ABOVE: Mapping[Setting, Setting] = MappingProxyType(
    {
        Setting.HOURS_TO_NAME: Setting.HOURS_TO_CONFIRM,
        Setting.ROSTER_AFTER_MIN: Setting.PROVINCE_AFTER_MIN,
        Setting.PROVINCE_AFTER_MIN: Setting.VOICE_AFTER_MIN,
    }
)
"""Whoever is confirmed was named before; a case nobody claims goes further and never back."""
