"""When a strip may be read (S19)."""

from datetime import UTC, datetime, timedelta

import pytest

from lims.domain.rapid_test import CLOCK_SKEW, refuse_not_yet
from lims.domain.refusals import OutsideReadWindow

NOW = datetime(2021, 9, 11, 1, 0, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize("ahead", [-timedelta(days=9), timedelta(0), CLOCK_SKEW])
def test_a_strip_read_before_now_is_taken_also_by_a_clock_that_runs_ahead(
    ahead: timedelta,
) -> None:
    refuse_not_yet(NOW + ahead, NOW)


@pytest.mark.parametrize("ahead", [CLOCK_SKEW + MOMENT, timedelta(days=9)])
def test_a_strip_that_is_yet_to_be_read_is_refused(ahead: timedelta) -> None:
    with pytest.raises(OutsideReadWindow) as refused:
        refuse_not_yet(NOW + ahead, NOW)
    assert "from now" in str(refused.value.came)
