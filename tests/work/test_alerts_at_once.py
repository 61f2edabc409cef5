"""Two re-swabs of one family tube answered at one moment: what teams hear last is the truth."""

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.engine import session_factory
from lims.tables import Notice
from lims.work.measure import take
from tests.builders import Bench, add_instrument, open_bench
from tests.captures import plate_capture
from tests.waiting import while_the_first_is_open


def _a_run_of_each_re_swab(bench: Bench) -> list[Capture]:
    family = bench.field_pool(2)
    bench.run({family.barcode: 24.0})
    bench.later(24 * 60)
    swabs = [bench.swab(person_id=person) for person in family.person_ids]
    other = add_instrument(bench.session, bench.site_id, now=bench.now, name="QS5-2")
    return [
        plate_capture(bench.plate(swab.barcode), {}, instrument=instrument)
        for swab, instrument in zip(swabs, (bench.instrument, other), strict=True)
    ]


def test_neither_of_two_answers_at_once_is_swallowed(database: Engine, now: datetime) -> None:
    with session_factory(database).begin() as session:
        bench = open_bench(session, now)
        first, second = _a_run_of_each_re_swab(bench)
        site_id, at = bench.site_id, bench.now

    def took(session: Session, capture: Capture) -> None:
        take(session, capture, site_id=site_id, captured_at=at, now=at)

    while_the_first_is_open(
        database, lambda session: took(session, first), lambda session: took(session, second)
    )
    with session_factory(database)() as session:
        told = session.execute(
            select(Notice.sequence, Notice.facts)
            .where(Notice.pool_id.is_not(None))
            .order_by(Notice.sequence)
        ).all()
    assert [row.sequence for row in told] == [1, 2, 3]
    assert [row.facts["withdrawn"] for row in told] == [0, 1, 2]
