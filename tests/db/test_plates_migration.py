"""A laboratory that was at work before plates had formats keeps its runs, and knows who waits."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from lims.db import migrate
from tests.db.before import laboratory_before

BEFORE = """
INSERT INTO site (id, prefix, name, max_pool_size, pools_of_pools, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'TT', 'PXN', 20, false, now());
INSERT INTO campaign (id, site_id, name, assay_code, pool_size, opened_at)
SELECT gen_random_uuid(), id, 'Ward 12', 'sars-cov-2', 10, now() FROM site;
INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity, created_at,
                  created_by, received_at, received_by)
SELECT gen_random_uuid(), s.id, barcode, 'individual', 'received', c.id, 'sars-cov-2', 1, now(),
       'desk', now(), 'door'
FROM site s, campaign c, unnest(ARRAY['WAITS', 'TESTED']) barcode;
INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state, created_at)
SELECT gen_random_uuid(), site_id, id, assay_code, 1, 5, 'primary', 'plated', now()
FROM tube WHERE barcode = 'TESTED';
INSERT INTO run (id, site_id, plate, assay_code, state, created_at, created_by, body_digest)
SELECT gen_random_uuid(), id, 'PL-0001', 'sars-cov-2', 'planned', now(), 'x', 'x' FROM site;
INSERT INTO well (run_id, position, role, order_id, tube_id)
SELECT r.id, 'A01', 'specimen', o.id, o.tube_id FROM run r, test_order o;
INSERT INTO well (run_id, position, role) SELECT id, 'H12', 'positive_control' FROM run;
"""


def test_runs_of_before_are_96_well_plates_and_waiting_tubes_wait_on(
    database_server: str, tmp_path: Path
) -> None:
    with laboratory_before(database_server, "plates", BEFORE, tmp_path) as engine:
        migrate.upgrade(engine)
        with engine.connect() as connection:
            laid = connection.execute(
                text(
                    "SELECT r.format, c.name, c.version, w.position, w.format AS wells FROM run r"
                    " JOIN control_template c ON c.id = r.control_template_id"
                    " JOIN well w ON w.run_id = r.id ORDER BY w.position"
                )
            )
            assert [tuple(row) for row in laid] == [
                (96, "Standard", 1, "A01", 96),
                (96, "Standard", 1, "H12", 96),
            ]
            controls = connection.execute(
                text(
                    "SELECT position, role FROM control_template_well WHERE format = 384"
                    " ORDER BY position"
                )
            )
            assert [row.position for row in controls] == ["O23", "O24", "P23", "P24"]
            waits = connection.scalars(text("SELECT barcode FROM tube WHERE awaits_pool"))
            assert list(waits) == ["WAITS"]
