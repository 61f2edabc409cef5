"""How each positive pool was resolved: by which strategy, in how many tests, how soon to a name.

Read from the database, as evidence_book.py is: what was asked for and measured, not what was meant.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from lims.domain.pooling.choice import StrategyName


@dataclass(frozen=True, slots=True)
class OpenedPool:
    """One positive laboratory pool.

    ``tests``: all that were measured of it, its sub-pools and its tubes, itself included.
    ``named_s``: from its answer to its first F0's name, after ``runs`` more runs; None where nobody
    was named. ``waits``: something of it is still to be prepared or measured.
    """

    barcode: str
    strategy: StrategyName
    tubes: int
    sub_pools: int
    tests: int
    f0s: int
    named_s: float | None
    runs: int
    waits: bool


def opened_pools(connection: Connection) -> tuple[OpenedPool, ...]:
    """In the order in which they were found positive."""
    return tuple(
        OpenedPool(
            row.barcode,
            StrategyName(row.strategy),
            row.tubes,
            row.sub_pools,
            row.tests,
            row.f0s,
            None if row.named_s is None else float(row.named_s),
            row.runs,
            row.waits,
        )
        for row in connection.execute(_OPENED)
    )


def by_strategy(pools: Sequence[OpenedPool]) -> dict[StrategyName, int]:
    """How many pools each strategy has resolved to a name."""
    named = Counter(pool.strategy for pool in pools if pool.f0s and not pool.waits)
    return {strategy: named[strategy] for strategy in StrategyName}


_OPENED = text("""
WITH chosen AS (
    SELECT p.pool_id, p.strategy, t.barcode,
           (SELECT min(chosen_at) FROM pool_resolution f WHERE f.pool_id = p.pool_id) AS since
    FROM pool_resolution p JOIN tube t ON t.id = p.pool_id
    WHERE p.current AND t.kind = 'lab_pool'
), inside AS (
    SELECT pool_id, source_id AS tube_id, false AS sub_pool FROM tube_source
    WHERE pool_id IN (SELECT pool_id FROM chosen)
    UNION ALL
    SELECT master_id, id, true FROM tube WHERE master_id IN (SELECT pool_id FROM chosen)
), tested AS (
    SELECT i.pool_id, count(*) FILTER (WHERE o.state = 'resulted') AS tests,
           bool_or(o.state IN ('queued', 'plated')) AS waits
    FROM (SELECT pool_id, tube_id FROM inside UNION ALL SELECT pool_id, pool_id FROM chosen) i
    JOIN test_order o ON o.tube_id = i.tube_id GROUP BY i.pool_id
), named AS (
    SELECT c.pool_id, min(f.created_at) AS first_at,
           count(DISTINCT f.person_id) FILTER (WHERE f.current) AS f0s
    FROM chosen c JOIN tube_specimen s ON s.tube_id = c.pool_id
    JOIN finding f ON f.specimen_id = s.specimen_id AND f.outcome IN ('presumptive', 'positive')
    GROUP BY c.pool_id
), ran AS (
    SELECT n.pool_id, count(DISTINCT r.run_id) AS runs
    FROM named n JOIN inside i ON i.pool_id = n.pool_id
    JOIN result r ON r.tube_id = i.tube_id AND r.created_at <= n.first_at
    GROUP BY n.pool_id
)
SELECT c.barcode, c.strategy,
       (SELECT count(*) FROM inside i WHERE i.pool_id = c.pool_id AND NOT sub_pool) AS tubes,
       (SELECT count(*) FROM inside i WHERE i.pool_id = c.pool_id AND sub_pool) AS sub_pools,
       t.tests, coalesce(n.f0s, 0) AS f0s,
       extract(epoch FROM n.first_at - c.since) AS named_s, coalesce(r.runs, 0) AS runs,
       t.waits OR EXISTS (SELECT FROM sub_pool p
                          WHERE p.master_id = c.pool_id AND p.state = 'wanted') AS waits
FROM chosen c JOIN tested t ON t.pool_id = c.pool_id
LEFT JOIN named n ON n.pool_id = c.pool_id LEFT JOIN ran r ON r.pool_id = c.pool_id
ORDER BY c.since, c.barcode
""")
