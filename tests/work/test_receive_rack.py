"""A rack received at once is the same as its tubes received one by one."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import IllegalMove, UnknownBarcode
from lims.work.receive import NextStep, receive
from lims.work.receive_rack import receive_rack
from lims.work.reject import reject
from tests.builders import Bench, open_bench

STATES = text("SELECT barcode, state, received_by FROM tube ORDER BY barcode")
TESTS = text(
    "SELECT t.barcode, o.round, o.priority, o.why, o.state FROM test_order o"
    " JOIN tube t ON t.id = o.tube_id ORDER BY t.barcode"
)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now=now)


def test_a_rack_is_received_scan_by_scan_each_with_its_own_outcome(bench: Bench) -> None:
    single = bench.swab(received=False)
    pooled = bench.swab(received=False, campaign_id=bench.campaign())
    broken = bench.swab(received=False)
    reject(bench.session, broken.barcode, "leaking", by="door", now=bench.now)
    unknown = next(bench.labels)
    scans = [single.barcode, pooled.barcode, broken.barcode, unknown, single.barcode.lower()]

    said = receive_rack(bench.session, scans, site_id=bench.site_id, by="door", now=bench.now)

    assert [o.receipt.next_step if o.receipt else None for o in said[:2]] == [
        NextStep.RUN,
        NextStep.POOL,
    ]
    assert isinstance(said[2].refusal, IllegalMove)
    assert isinstance(said[3].refusal, UnknownBarcode)
    assert said[4].receipt is not None
    assert said[4].receipt.replayed


def test_a_rack_leaves_the_same_rows_as_its_tubes_one_by_one(bench: Bench) -> None:
    campaign = bench.campaign()
    one_by_one = [bench.swab(received=False) for _ in range(3)]
    one_by_one += [bench.swab(received=False, campaign_id=campaign) for _ in range(3)]
    for swab in one_by_one:
        receive(bench.session, swab.barcode, by="door", now=bench.now)
    together = [bench.swab(received=False) for _ in range(3)]
    together += [bench.swab(received=False, campaign_id=campaign) for _ in range(3)]
    receive_rack(
        bench.session,
        [swab.barcode for swab in together],
        site_id=bench.site_id,
        by="door",
        now=bench.now,
    )
    bench.session.flush()

    states = {row.barcode: row[1:] for row in bench.session.execute(STATES)}
    tests = {row.barcode: row[1:] for row in bench.session.execute(TESTS)}
    for alone, racked in zip(one_by_one, together, strict=True):
        assert states[alone.barcode] == states[racked.barcode]
        assert tests.get(alone.barcode) == tests.get(racked.barcode)


def test_the_same_rack_again_answers_the_same_and_adds_nothing(bench: Bench) -> None:
    scans = [bench.swab(received=False).barcode for _ in range(3)]
    site, now = bench.site_id, bench.now
    first = receive_rack(bench.session, scans, site_id=site, by="door", now=now)
    events = bench.session.scalar(text("SELECT count(*) FROM audit_event"))

    again = receive_rack(bench.session, scans, site_id=site, by="door", now=now)

    assert [o.receipt.tube_id for o in again if o.receipt] == [
        o.receipt.tube_id for o in first if o.receipt
    ]
    assert all(o.receipt and o.receipt.replayed for o in again)
    assert bench.session.scalar(text("SELECT count(*) FROM audit_event")) == events
