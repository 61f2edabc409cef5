"""Two kits become one while strips of a lot that both had are dropped and read."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.rapid_test import RapidOutcome
from lims.domain.refusals import DifferentBody
from lims.tables import KitLot, RapidTest, StripTimer
from lims.work.kit_names import LotGiven
from lims.work.kits import LotKnown, lot_said, register_lot
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.start_strips import StartGiven, start_timer
from tests.builders import Bench, open_bench
from tests.builders_rapid import GTIN, box, classroom
from tests.waiting import while_the_first_is_open

LOT = "AG21-09"
LAST_DAY = date(2023, 1, 31)


def _nameless(bench: Bench) -> LotKnown:
    """The lot that a machine's box brought, of the same characters as one that was typed."""
    by, site_id, now = "bus", bench.site_id, bench.now
    code = f"]d201{GTIN}1723013110{LOT}"
    nameless = lot_said(bench.session, code, site_id=site_id, by=by, now=now)
    typed = LotGiven("Nhanh Ag", LOT, LAST_DAY)
    register_lot(bench.session, typed, site_id=site_id, by=by, now=now)
    return nameless


def _join(session: Session, site_id: UUID, now: datetime) -> None:
    both = LotGiven("Nhanh Ag", LOT, LAST_DAY, gtin=GTIN)
    register_lot(session, both, site_id=site_id, by="user:lan", now=now)


@pytest.mark.parametrize("what", ["read", "dropped"])
def test_a_strip_that_is_kept_as_two_kits_become_one_goes_along(
    database: Engine, now: datetime, what: str
) -> None:
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        site_id, nameless = bench.site_id, _nameless(bench)
        person_id = bench.swab(received=False).person_id
        roster_id = classroom(bench, 3, lot=nameless).roster_id

    def read(session: Session) -> None:
        reading = RapidReading(
            specimen_id=uuid7(),
            started_at=now - timedelta(minutes=20),
            read_at=now,
            outcome=RapidOutcome.NEGATIVE,
            kit_lot_id=nameless.lot_id,
            person_id=person_id,
        )
        read_rapid_test(session, reading, site_id=site_id, by="desk", now=now)

    def dropped(session: Session) -> None:
        given = StartGiven(uuid7(), roster_id, nameless.lot_id)
        start_timer(session, given, site_id=site_id, by="desk", now=now)

    first: Callable[[Session], None] = {"read": read, "dropped": dropped}[what]
    while_the_first_is_open(database, first, lambda session: _join(session, site_id, now))

    kept = {"read": RapidTest.kit_lot_id, "dropped": StripTimer.kit_lot_id}[what]
    with sessions() as session:
        stays = session.scalars(select(KitLot.id)).one()
        assert stays != nameless.lot_id
        assert session.scalars(select(kept)).all() == [stays]


def test_a_start_told_again_after_its_lot_became_another_answers_the_same(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    nameless = _nameless(bench)
    room = classroom(bench, 3, lot=nameless)
    timer_id = room.start()
    session.flush()
    _join(session, bench.site_id, now)
    session.expire_all()

    def again(lot_id: UUID) -> tuple[UUID, int, bool]:
        given = StartGiven(timer_id, room.roster_id, lot_id)
        told = start_timer(session, given, site_id=bench.site_id, by="desk", now=now)
        return told.timer_id, told.people, told.replayed

    assert again(nameless.lot_id) == (timer_id, 3, True)
    with pytest.raises(DifferentBody):
        again(box(bench, "AG21-10").lot_id)
