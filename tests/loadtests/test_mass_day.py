"""The bench's invented day still fits the tables, and the situation of it adds up."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lims.work.situation import day_situation, midnights
from loadtests.mass_day import fill_day
from tests.builders import open_bench

TUBES = 2_000
ZONE = "Asia/Ho_Chi_Minh"


def test_a_filled_day_is_counted_whole(session: Session, database: Engine, now: datetime) -> None:
    bench = open_bench(session, now)
    session.commit()
    start, end = midnights(date(2021, 9, 11), ZONE)
    fill_day(database, site_id=bench.site_id, day_start=start, tubes=TUBES)
    counted = day_situation(
        database, site_id=bench.site_id, timezone=ZONE, day=date(2021, 9, 11), now=end
    )
    assert counted.swabs == 9 * TUBES // 10 + 5 * TUBES // 10  # a field pool holds five people
    assert sum(line.swabs for line in counted.stages) == counted.swabs
    assert sum(line.swabs for line in counted.areas) == counted.swabs
    by_sql = session.execute(
        text(
            "SELECT count(*) FROM finding f JOIN specimen s ON s.id = f.specimen_id"
            " WHERE f.current AND f.outcome = 'positive' AND s.collected_at >= :start"
        ),
        {"start": start},
    ).scalar_one()
    assert counted.positive == by_sql
