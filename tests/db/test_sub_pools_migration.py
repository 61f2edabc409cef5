"""Pools that were being resolved before strategies could be chosen stay as they were."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from lims.db import migrate
from tests.db.before import laboratory_before

BEFORE = """
INSERT INTO site (id, prefix, name, max_pool_size, pools_of_pools, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'TT', 'PXN', 20, false, now());
INSERT INTO campaign (id, site_id, name, assay_code, pool_size, opened_at)
SELECT gen_random_uuid(), id, 'Round 3', 'sars-cov-2', 10, now() FROM site;
INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity, created_at,
                  created_by, received_at, received_by)
SELECT gen_random_uuid(), s.id, g.barcode, g.kind, 'received', c.id, 'sars-cov-2', 1, now(), 'desk',
       now(), 'door'
FROM site s, campaign c, (VALUES ('OPENPOOL', 'lab_pool'), ('ONESWAB', 'individual'),
                                 ('FRESHPOOL', 'lab_pool'), ('TWOSWAB', 'individual'))
     AS g(barcode, kind);
INSERT INTO tube_source (pool_id, source_id, position, drawn_at)
SELECT p.id, t.id, 1, now() FROM tube p, tube t
WHERE (p.barcode, t.barcode) IN (('OPENPOOL', 'ONESWAB'), ('FRESHPOOL', 'TWOSWAB'));
INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state, created_at)
SELECT gen_random_uuid(), site_id, id, assay_code, 1, 9, 'resolve', 'queued', now() FROM tube
WHERE barcode = 'ONESWAB';
"""


def test_a_pool_whose_tubes_are_on_the_queue_keeps_its_way_and_the_others_are_open(
    database_server: str, tmp_path: Path
) -> None:
    with laboratory_before(database_server, "sub_pools", BEFORE, tmp_path) as engine:
        migrate.upgrade(engine)
        with engine.connect() as connection:
            kept = connection.execute(
                text(
                    "SELECT t.barcode, r.strategy, r.because, r.current FROM pool_resolution r"
                    " JOIN tube t ON t.id = r.pool_id"
                )
            ).all()
            asked = connection.execute(text("SELECT resolution FROM campaign")).scalar_one()
    assert [tuple(row) for row in kept] == [("OPENPOOL", "dorfman", "before_choices", True)]
    assert asked == "dorfman"
