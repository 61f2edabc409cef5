"""How far an analyser's clock is off, and when that is told."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lims.domain.instrument_clock import ClockDoubt, ClockFault, ahead, not_yet, skew

HERE = timezone(timedelta(hours=7))
HEARD = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)  # 16:00 in the laboratory


@pytest.mark.parametrize(
    ("told", "by"),
    [
        ("2021-07-13T16:00:00", timedelta()),
        ("2021-07-13T16:12:00", timedelta(minutes=12)),
        ("2018-07-13T16:00:00", timedelta(days=-1096)),
        ("2021-07-13T09:03:00", timedelta(minutes=3)),  # a machine that keeps UTC
        ("2021-07-13T09:12:00", timedelta(hours=-6, minutes=-48)),
        ("2021-07-13T12:00:00", timedelta(hours=-4)),
        ("2021-07-13T11:00:00+02:00", timedelta()),
        ("0001-01-01T00:00:00", timedelta(days=-737983, hours=-16)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_without_a_zone_is_the_laboratory_s_unless_only_utc_agrees(
    told: str | None, by: timedelta | None
) -> None:
    assert ahead(told, HEARD, HERE) == by


@pytest.mark.parametrize(
    ("by", "fault"),
    [
        (timedelta(minutes=10), None),
        (timedelta(minutes=-10), None),
        (timedelta(minutes=11), ClockFault.AHEAD),
        (timedelta(minutes=-11), ClockFault.BEHIND),
    ],
)
def test_ten_minutes_are_borne(by: timedelta, fault: ClockFault | None) -> None:
    assert skew(by) == (ClockDoubt(fault, abs(by)) if fault else None)


def test_a_result_may_be_hours_old_but_not_of_tomorrow() -> None:
    assert not_yet(timedelta(hours=-8)) is None
    assert not_yet(timedelta(minutes=10)) is None
    assert not_yet(timedelta(days=1)) == ClockDoubt(ClockFault.FUTURE, timedelta(days=1))
    assert (skew(None), not_yet(None)) == (None, None)
