"""Which tubes wait for a pool: kept by the database, equal to what the question would answer."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.receive import receive
from lims.work.receive_rack import receive_rack
from lims.work.reject import reject
from tests.builders import Bench, open_bench

ASKED = """
SELECT t.barcode FROM tube t JOIN campaign c ON c.id = t.campaign_id AND c.pool_size > 1
WHERE t.state = 'received' AND t.kind = 'individual'
  AND NOT EXISTS (SELECT FROM tube_source s WHERE s.source_id = t.id)
  AND NOT EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id)
"""


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def waiting(bench: Bench) -> set[str]:
    """By the flag; the question it stands for must have the same answer."""
    bench.session.flush()
    flagged = set(bench.session.scalars(text("SELECT barcode FROM tube WHERE awaits_pool")))
    assert flagged == set(bench.session.scalars(text(ASKED)))
    return flagged


def test_a_tube_waits_from_its_reception_until_its_pool(bench: Bench) -> None:
    campaign = bench.campaign()
    one, two, three = (bench.swab(campaign_id=campaign, received=False) for _ in range(3))
    assert waiting(bench) == set()
    receive(bench.session, one.barcode, by="door", now=bench.now)
    scans = [two.barcode, three.barcode]
    receive_rack(bench.session, scans, site_id=bench.site_id, by="door", now=bench.now)
    assert waiting(bench) == {one.barcode, two.barcode, three.barcode}
    bench.lab_pool([one, two])
    assert waiting(bench) == {three.barcode}


def test_tubes_that_are_tested_alone_never_wait_for_a_pool(bench: Bench) -> None:
    bench.swab()
    bench.swab(campaign_id=bench.campaign(pool_size=1))
    bench.field_pool()
    assert waiting(bench) == set()


def test_a_rejected_tube_and_one_with_a_test_of_its_own_wait_no_longer(bench: Bench) -> None:
    broken, tested = bench.swabs(2)
    reject(bench.session, broken.barcode, "cracked", by="door", now=bench.now)
    assert waiting(bench) == {tested.barcode}
    bench.session.execute(
        text(
            "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state,"
            " created_at) SELECT gen_random_uuid(), site_id, id, assay_code, 1, 5, 'primary',"
            " 'queued', now() FROM tube WHERE barcode = :barcode"
        ),
        {"barcode": tested.barcode},
    )
    assert waiting(bench) == set()
