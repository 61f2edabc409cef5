"""What was measured before flags and clocks were kept has none; from then it stays as it came."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lims.db import migrate
from tests.db.before import laboratory_before

BEFORE = """
INSERT INTO site (id, prefix, name, max_pool_size, pools_of_pools, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'TT', 'PXN', 20, false, now());
INSERT INTO instrument (id, site_id, name, driver, active, created_at)
SELECT gen_random_uuid(), id, 'GX-1', 'genexpert', true, now() FROM site;
INSERT INTO raw_message (id, site_id, instrument_id, digest, driver, driver_version, body, state,
                         captured_at, stored_at, receipt)
SELECT gen_random_uuid(), site_id, id, repeat('0', 64), driver, '1', 'x', 'accepted', now(), now(),
       '{}' FROM instrument;
INSERT INTO measurement (id, site_id, message_id, instrument_id, path, specimen_text, role,
                         assay_text, targets, content, standing, received_at)
SELECT gen_random_uuid(), site_id, id, instrument_id, 'O1', 'S1', 'specimen', 'x', '[]', 'x',
       'unmatched', now() FROM raw_message;
"""


def test_measurements_of_before_have_no_flags_and_their_messages_no_time_of_sending(
    database_server: str, tmp_path: Path
) -> None:
    with laboratory_before(database_server, "instrument_clocks", BEFORE, tmp_path) as engine:
        migrate.upgrade(engine)
        with engine.connect() as connection:
            kept = connection.execute(
                text(
                    "SELECT m.flags, r.sent_text, r.clock_ahead_s, i.clock_ahead_s"
                    " FROM measurement m JOIN raw_message r ON r.id = m.message_id"
                    " JOIN instrument i ON i.id = m.instrument_id"
                )
            ).one()
            assert tuple(kept) == ([], None, None, None)
            connection.execute(text("UPDATE measurement SET standing = 'dismissed'"))
            with pytest.raises(DBAPIError, match="kept as it came"):
                connection.execute(text("UPDATE measurement SET flags = '{x}'"))
