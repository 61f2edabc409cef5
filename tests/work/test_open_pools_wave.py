"""However many positive pools a wave leaves open, the board reads what is open by its indexes."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.views import open_pools as views
from tests.builders import Bench, open_bench

POOLS, SIZE, HISTORY = 300, 10, 4_000

# Rows as positive pools leave them: everybody preliminary, every tube queued; and the swabs of a
# month that are answered. Foreign keys are not what is looked at, and take their time.
_WAVE = (
    "SET LOCAL session_replication_role = replica",
    """
    CREATE TEMP TABLE wave ON COMMIT DROP AS
    SELECT p, n, gen_random_uuid() AS specimen, gen_random_uuid() AS tube, pool
    FROM (SELECT p, gen_random_uuid() AS pool FROM generate_series(1, :pools) p) g,
         generate_series(1, :size) n
    """,
    """
    INSERT INTO tube (id, site_id, barcode, kind, state, assay_code, capacity, created_at,
                      created_by, received_at, received_by)
    SELECT DISTINCT pool, cast(:site AS uuid), 'WP' || lpad(p::text, 9, '0'), 'lab_pool',
           'received', 'sars-cov-2', 20, cast(:now AS timestamptz), 'x',
           cast(:now AS timestamptz), 'x' FROM wave
    UNION ALL
    SELECT tube, :site, 'WT' || lpad((p * 100 + n)::text, 9, '0'), 'individual', 'received',
           'sars-cov-2', 1, :now, 'x', :now, 'x' FROM wave
    """,
    "INSERT INTO tube_source (pool_id, source_id, position, drawn_at)"
    " SELECT pool, tube, n, :now FROM wave",
    "INSERT INTO tube_specimen (tube_id, specimen_id)"
    " SELECT pool, specimen FROM wave UNION ALL SELECT tube, specimen FROM wave",
    """
    INSERT INTO pool_resolution (id, site_id, pool_id, strategy, because, facts, chosen_by,
                                 chosen_at, current)
    SELECT DISTINCT ON (pool) gen_random_uuid(), cast(:site AS uuid), pool, 'dorfman', 'campaign',
           cast('{}' AS jsonb), 'rule/resolution/1', cast(:now AS timestamptz), true FROM wave
    """,
    """
    INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state,
                            created_at)
    SELECT gen_random_uuid(), :site, tube, 'sars-cov-2', 1, 9, 'resolve', 'queued', :now FROM wave
    """,
    """
    INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                         holds, current, created_at, released_at, released_by)
    SELECT gen_random_uuid(), cast(:site AS uuid), specimen, gen_random_uuid(), 'preliminary', 'P',
           'rule/1', cast('{}' AS uuid[]), ARRAY['pool_not_resolved'], true,
           cast(:now AS timestamptz), NULL, NULL
    FROM wave
    UNION ALL
    SELECT gen_random_uuid(), :site, gen_random_uuid(), gen_random_uuid(), 'negative', 'F',
           'rule/1', '{}', '{}', true, :now, :now, 'rule/1' FROM generate_series(1, :history)
    """,
    "SET LOCAL session_replication_role = origin",
    "ANALYZE",
)


@pytest.fixture
def wave(session: Session, now: datetime) -> Bench:
    bench = open_bench(session, now)
    values = {
        "site": bench.site_id,
        "now": now,
        "pools": POOLS,
        "size": SIZE,
        "history": HISTORY,
    }
    for line in _WAVE:
        session.execute(text(line), values)
    return bench


def plan(bench: Bench, query: str, **values: object) -> str:
    said = bench.session.scalars(
        text(f"EXPLAIN {query}"), {"site": bench.site_id, "now": bench.now, **values}
    )
    return "\n".join(said)


def test_a_page_of_many_shows_its_share_and_counts_them_all(wave: Bench) -> None:
    told = views.open_pools(wave.session, site_id=wave.site_id, now=wave.now, most=50, skip=250)
    assert (told.many, len(told.lines)) == (POOLS, 50)
    assert all(line.people == SIZE for line in told.lines)
    last = told.lines[-1].clock
    assert last.expected_at <= told.lines[0].clock.expected_at  # the latest come first


def test_one_pool_is_read_without_reading_the_others(wave: Bench) -> None:
    pool = wave.session.scalar(text("SELECT id FROM tube WHERE kind = 'lab_pool' LIMIT 1"))
    said = plan(
        wave,
        views.ONE.text,
        pool=pool,
        deep=100,
        considered=1,
        named_before=wave.now,
        confirmed_before=wave.now,
    )
    for table in ("finding", "tube", "tube_specimen", "tube_source", "pool_resolution"):
        assert f"Seq Scan on {table} " not in said, said


def test_the_pace_reads_the_newest_rows_of_each_index(wave: Bench) -> None:
    said = plan(wave, views.RECENT.text, since=wave.now, most=20)
    assert "Seq Scan on finding" not in said, said
