"""After every story the day adds up (S25)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from lims.work.views.reconcile import reconcile


@pytest.fixture(autouse=True)
def _the_day_adds_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of a story that tells of a bench. One that harms the rows by itself is marked ``harms``."""
    bench: Any = request.getfixturevalue("bench") if "bench" in request.fixturenames else None
    yield
    if bench is None or request.node.get_closest_marker("harms"):
        return
    bench.session.flush()
    first, last = datetime(2020, 1, 1, tzinfo=bench.now.tzinfo), bench.now + timedelta(days=400)
    sites = bench.session.execute(text("SELECT DISTINCT site_id FROM specimen")).scalars()
    for site_id in sites.all():
        day = reconcile(bench.session, site_id=site_id, since=first, until=last)
        assert day.clean, (day.differences, day.equations)
