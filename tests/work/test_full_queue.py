"""However many tests wait, a plate is filled by walking the index; a larger plate asks no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.plates import PlateSize
from lims.work.measure import take
from lims.work.plate import QUEUE, RunRequest, lay_out
from tests.builders import Bench, open_bench
from tests.captures import plate_capture

# Rows by the thousand, as a day's reception leaves them: a few priorities, many of one moment.
_TUBES = text("""
INSERT INTO tube (id, site_id, barcode, kind, state, assay_code, capacity, created_at, created_by,
                  received_at, received_by)
SELECT gen_random_uuid(), :site, 'QQ' || lpad(n::text, 9, '0'), 'individual', 'received',
       'sars-cov-2', 1, :now, 'x', :now, 'x'
FROM generate_series(1, :many) n
""")
_ORDERS = text("""
INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state, created_at)
SELECT mint_uuid7(:now), site_id, id, assay_code, 1, 4 + abs(hashtext(barcode)) % 3, 'primary',
       'queued', :now FROM tube WHERE barcode LIKE 'QQ%'
""")


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def fill_queue(bench: Bench, many: int) -> None:
    values = {"site": bench.site_id, "now": bench.now}
    bench.session.execute(_TUBES, {**values, "many": many})
    bench.session.execute(_ORDERS, values)
    bench.session.execute(text("ANALYZE tube"))
    bench.session.execute(text("ANALYZE test_order"))


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(*heard: Any) -> None:
        said.append(heard[2])

    event.listen(engine, "before_cursor_execute", hear)
    yield said
    event.remove(engine, "before_cursor_execute", hear)


def test_a_plate_is_filled_by_walking_the_queue_without_sorting_it(bench: Bench) -> None:
    fill_queue(bench, 20_000)
    values = {"site": bench.site_id, "assay": "sars-cov-2", "most": 380}
    lines = bench.session.scalars(text(f"EXPLAIN {QUEUE.text}"), values).all()
    plan = "\n".join(lines)
    assert "Index Scan using ix_test_order_queue" in plan, plan
    assert "Sort" not in plan, plan


def test_the_most_urgent_go_first_then_the_oldest_down_the_columns(bench: Bench) -> None:
    fill_queue(bench, 600)
    expected = bench.session.scalars(
        text(
            "SELECT t.barcode FROM test_order o JOIN tube t ON t.id = o.tube_id"
            " ORDER BY o.priority DESC, o.created_at, o.id LIMIT 380"
        )
    ).all()
    request = RunRequest(uuid7(), "PLATE-0384", format=PlateSize.WELLS_384)
    layout, _ = lay_out(bench.session, request, site_id=bench.site_id, by="x", now=bench.now)
    assert [well.barcode for well in layout.wells if well.barcode] == expected


def test_a_plate_of_380_clean_negatives_asks_no_more_often_than_one_of_94(
    bench: Bench, database: Engine
) -> None:
    fill_queue(bench, 474)
    asked = []
    for size in PlateSize:
        request = RunRequest(uuid7(), f"PLATE-{int(size)}", format=size)
        layout, _ = lay_out(bench.session, request, site_id=bench.site_id, by="x", now=bench.now)
        capture = plate_capture(layout, {}, instrument=bench.instrument)
        with statements(database) as said:
            take(
                bench.session, capture, site_id=bench.site_id, captured_at=bench.now, now=bench.now
            )
        asked.append(len(said))
    results = bench.session.scalar(text("SELECT count(*) FROM result WHERE current"))
    assert results == 94 + 380
    assert asked[1] <= asked[0]
