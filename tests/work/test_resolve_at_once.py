"""An address is placed at the moment at which its person's case opens: the right team hears."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.domain.registration import AreaRef
from lims.tables import AddressDoubt
from lims.work.measure import take
from lims.work.resolve_address import resolve_address
from lims.work.views.review_addresses import unplaced_addresses
from tests import seen
from tests.builders import ELSEWHERE, HOME, OLD, Bench, open_bench
from tests.captures import plate_capture
from tests.waiting import while_the_first_is_open


def _a_second_positive(bench: Bench) -> Capture:
    """Measured, of a person whose first case was withdrawn with its address still open."""
    person = bench.swab(area=AreaRef(OLD, HOME.code))
    bench.run({person.barcode: 24.0})
    bench.session.execute(text("UPDATE f0_case SET state = 'withdrawn'"))
    again = bench.swab(person_id=person.person_id)
    return plate_capture(bench.plate(), {again.barcode: 23.0})


@pytest.mark.parametrize("placed_first", [True, False])
def test_the_case_and_the_commune_find_one_another(
    database: Engine, now: datetime, placed_first: bool
) -> None:
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        team, site_id = bench.subscribe(ELSEWHERE), bench.site_id
        capture = _a_second_positive(bench)
        doubt: UUID = session.scalars(select(AddressDoubt.id)).one()

    def place(session: Session) -> None:
        resolve_address(session, doubt, ELSEWHERE, site_id=site_id, by="user:r", now=now)

    def measure(session: Session) -> None:
        take(session, capture, site_id=site_id, captured_at=now, now=now)

    first, second = (place, measure) if placed_first else (measure, place)

    while_the_first_is_open(database, first, second)

    with sessions() as session:
        assert team in {n.subscription_id for n in seen.notices(session, "case.opened")}
        assert unplaced_addresses(session, site_id=site_id) == []
