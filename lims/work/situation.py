"""The situation of one day of a site: the day's midnights, one look, one count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from lims.work.views.day_snapshot import take_snapshot
from lims.work.views.stages import COUNTED, LIMITS, Item
from reports.day_count import situation
from reports.situation import Situation, Stage, WaitingLine

# The same limits as the navigation's, so that "late" is one word.
_LIMITS: Final[Mapping[Stage, timedelta]] = {
    Stage.ON_THE_WAY: LIMITS[Item.ON_THE_WAY],
    Stage.TO_POOL: LIMITS[Item.TO_POOL],
    Stage.TO_PLATE: LIMITS[Item.TO_PLATE],
    Stage.RUNNING: LIMITS[Item.RUNNING],
    Stage.HELD: LIMITS[Item.HELD_RESULTS],
    Stage.TO_REVIEW: LIMITS[Item.POSITIVE],
    Stage.SWAB_AGAIN: LIMITS[Item.SWAB_AGAIN],
}
_OVERDUE: Final = (COUNTED | {Item.SWAB_AGAIN, Item.RUNNING, Item.DEAD_NOTICES}) & LIMITS.keys()


def midnights(day: date, timezone: str) -> tuple[datetime, datetime]:
    """When the site's day begins and when the next one does; 23 or 25 hours apart where clocks
    are put forward or back."""
    zone = ZoneInfo(timezone)
    return (
        datetime.combine(day, time.min, zone),
        datetime.combine(day + timedelta(days=1), time.min, zone),
    )


def day_situation(
    engine: Engine, *, site_id: UUID, timezone: str, day: date, now: datetime
) -> Situation:
    """Everything the report says of the day, as known at `now`."""
    start, end = midnights(day, timezone)
    look = take_snapshot(engine, site_id=site_id, start=start, end=end, now=now)
    return situation(
        look.frames,
        site=look.site,
        day=day,
        timezone=timezone,
        taken_at=now,
        limits=_LIMITS,
        waiting=[
            WaitingLine(str(one.item), one.count, one.late, one.oldest_at)
            for one in look.waiting
            if one.item in _OVERDUE
        ],
    )
