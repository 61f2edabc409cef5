"""One laboratory a test, with a real database behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory
from lims.work import told
from tests.api.caller import Clock
from tests.builders import open_bench
from tests.exchange.feeds import Feed
from tests.exchange.laboratories import Lab
from tests.exchange.people_asked import AskingLab
from tests.exchange.platform import platform


@pytest.fixture
def lab(session: Session, database: Engine, now: datetime) -> Lab:
    bench = open_bench(session, now)
    session.commit()
    clock = Clock(now)
    laboratory = Laboratory(database, session_factory(database), bench.site_id, "TT", clock=clock)
    return Lab(bench, laboratory, clock)


@pytest.fixture
def asking(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AskingLab:
    """Who registered is looked at without the second that is waited for slower writers."""
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(0))
    return AskingLab(lab)


@pytest.fixture
def feed(lab: Lab) -> Iterator[Feed]:
    with platform(areas=True) as app:
        lab.area_app(app.url)
        yield Feed(lab, app)
