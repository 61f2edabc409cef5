"""What was read before kits had a table keeps its lot and its PCR swab (rapid_rosters)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lims.db import migrate
from tests.database import empty_database

BEFORE = """
INSERT INTO site (id, prefix, name, max_pool_size, pools_of_pools, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'TT', 'PXN', 10, false, '2021-09-10Z');
INSERT INTO person (id, site_id, name, name_key, created_at)
VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 'Mai',
        'mai', '2021-09-10Z');
INSERT INTO specimen (id, site_id, person_id, material, collected_at, registered_at, registered_by,
                      body_digest)
SELECT cast('00000000-0000-7000-8000-00000000001' || n AS uuid), p.site_id, p.id,
       CASE n WHEN 3 THEN 'swab' ELSE 'antigen' END,
       CASE n WHEN 3 THEN '2021-09-11 01:20Z' ELSE '2021-09-11 01:00Z' END::timestamptz,
       '2021-09-11 01:20Z', 'desk', '' FROM person p, generate_series(1, 3) n;
INSERT INTO rapid_test (id, site_id, specimen_id, outcome, kit_lot, started_at, read_at)
SELECT s.id, s.site_id, s.id,
       CASE right(s.id::text, 1) WHEN '1' THEN 'positive' ELSE 'negative' END, 'L-77',
       '2021-09-11 01:00Z', '2021-09-11 01:20Z'
FROM specimen s WHERE s.material = 'antigen';
INSERT INTO tube (id, site_id, barcode, kind, state, assay_code, capacity, created_at, created_by)
SELECT id, id, 'TT7K40FQ9XB', 'individual', 'collected', 'sars-cov-2', 1, now(), 'desk' FROM site;
INSERT INTO tube_specimen (tube_id, specimen_id)
SELECT t.id, s.id FROM tube t, specimen s WHERE s.material = 'swab';
INSERT INTO test_order (id, site_id, tube_id, assay_code, round, why, priority, state, created_at)
SELECT id, id, id, 'sars-cov-2', 1, 'confirm', 0, 'queued', now() FROM site;
"""


@pytest.fixture
def old(database_server: str) -> Iterator[Engine]:
    with empty_database(database_server, f"rapid_lots_{os.getpid()}") as engine:
        yield engine


def test_lots_told_as_text_become_rows_and_a_positive_keeps_its_swab(
    old: Engine, tmp_path: Path
) -> None:
    shutil.copy(migrate.VERSIONS / "0001_the_house.py", tmp_path)
    migrate.upgrade(old, versions=tmp_path)
    with old.begin() as connection:
        connection.execute(text(BEFORE))

    migrate.upgrade(old)

    with old.begin() as connection:
        lots = connection.execute(text("SELECT lot, source, expires_on FROM kit_lot")).all()
        tests = connection.execute(
            text(
                "SELECT r.outcome, l.lot, right(r.pcr_specimen_id::text, 1) AS swab"
                " FROM rapid_test r JOIN kit_lot l ON l.id = r.kit_lot_id ORDER BY r.outcome DESC"
            )
        ).all()
    assert [tuple(row) for row in lots] == [("L-77", "told", None)]
    assert [tuple(row) for row in tests] == [
        ("positive", "L-77", "3"),
        ("negative", "L-77", None),
    ]
