"""A reader's message and another hand at once: a strip is read once, and its case told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.tables import Site
from lims.work.measure import take
from lims.work.read_strips import RosterChanged, read_timer
from tests import seen
from tests.until import WITHIN_S
from tests.work.reader_stand import class_of_four, desk, message, positive_of


def dropped(database: Engine, now: datetime) -> tuple[list[Capture], UUID, UUID, datetime]:
    """Two messages about number 3, its roster and timer, and the moment at which they are heard."""
    with session_factory(database).begin() as session:
        bench = desk(session, now)
        room = class_of_four(bench)
        timer = room.start()
        bench.later(20)
        return [message(bench, positive_of()) for _ in range(2)], room.roster_id, timer, bench.now


def taken(session: Session, capture: Capture, now: datetime) -> str:
    site_id = session.scalars(select(Site.id)).one()
    take(session, capture, site_id=site_id, captured_at=now, now=now)
    return "taken"


def kept(database: Engine) -> tuple[list[str], int]:
    with session_factory(database)() as session:
        standings = session.execute(text("SELECT standing FROM measurement")).scalars()
        return sorted(standings), len(seen.notices(session, "case.opened"))


def test_two_messages_of_one_strip_read_it_once(database: Engine, now: datetime) -> None:
    captures, _roster, _timer, heard = dropped(database, now)
    ready = Barrier(2)

    def one(capture: Capture) -> str:
        with session_factory(database).begin() as session:
            ready.wait(timeout=WITHIN_S)
            return taken(session, capture, heard)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(one, captures)) == ["taken"] * 2
    assert kept(database) == (["dismissed", "matched"], 1)


@pytest.mark.parametrize("attempt", range(3))
def test_a_confirmation_and_a_message_at_once_end_in_one_reading_of_each_strip(
    database: Engine, now: datetime, attempt: int
) -> None:
    """Whoever comes second sees what the first kept: the desk looks again, or the reader's word is
    a correction of what the desk confirmed."""
    captures, roster, timer, heard = dropped(database, now)
    ready = Barrier(2)

    def message_taken() -> str:
        with session_factory(database).begin() as session:
            ready.wait(timeout=WITHIN_S)
            return taken(session, captures[0], heard)

    def confirmed() -> str:
        with session_factory(database).begin() as session:
            site_id = session.scalars(select(Site.id)).one()
            ready.wait(timeout=WITHIN_S)
            try:
                read_timer(
                    session, roster, timer, "1- 2- 3- 4-", site_id=site_id, by="desk", now=heard
                )
            except RosterChanged:
                return "look again"
            return "confirmed"

    with ThreadPoolExecutor(2) as threads:
        reader, desk_ = threads.submit(message_taken), threads.submit(confirmed)
        assert reader.result() == "taken"
        said = desk_.result()
    expected = (["correction"], 0) if said == "confirmed" else (["matched"], 1)
    assert kept(database) == expected
    with session_factory(database)() as session:
        read = session.execute(text("SELECT count(*) FROM rapid_test")).scalar_one()
    assert read == (4 if said == "confirmed" else 1)
