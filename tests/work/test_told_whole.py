"""However many messages of an analyser broke off this week, those that a whole one may belong to
are found by an index, and few are read."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.tables import Instrument, RawMessage
from lims.work.told_whole import MOST, PARTS, REACH, SAID_AGAIN, WHOLES
from tests.builders import Bench, open_bench
from tests.captures import cartridge_capture

# A line that broke off all week: each message with its own header, and many with one.
_MESSAGES = text(r"""
INSERT INTO raw_message (id, site_id, instrument_id, digest, driver, driver_version, body, state,
                         reason, captured_at, stored_at, receipt)
SELECT mint_uuid7(:now), :site, :instrument, encode(sha256(n::text::bytea), 'hex'), 'genexpert',
       '1',
       convert_to('H|^&|' || CASE WHEN n % 2 = 0 THEN 'same' ELSE n::text END || chr(13)
                  || repeat('R|1|POSITIVE', 200), 'UTF8'),
       CASE WHEN n % 4 < 2 THEN 'quarantined' ELSE 'accepted' END,
       CASE WHEN n % 4 < 2 THEN 'no-terminator' END, :now, :now, '{}'
FROM generate_series(1, 4000) n
""")

# A specimen of each, so that what waits is many and the one looked for is few.
_MEASUREMENTS = text("""
INSERT INTO measurement (id, site_id, message_id, instrument_id, path, specimen_text, role,
                         assay_text, targets, content, standing, received_at)
SELECT mint_uuid7(stored_at), site_id, id, instrument_id, 'O1', 'TT' || right(digest, 9),
       'specimen', 'SARS2', '[]', digest, 'unmatched', stored_at
FROM raw_message
""")


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    bench = open_bench(session, now)
    values = {"site": bench.site_id, "instrument": instrument(bench), "now": now}
    session.execute(_MESSAGES, values)
    session.execute(text("ANALYZE raw_message"))
    return bench


def instrument(bench: Bench) -> Any:
    named = select(Instrument.id).where(Instrument.name == bench.instrument)
    return bench.session.scalars(named).one()


def openings(bench: Bench, header: bytes) -> dict[str, Any]:
    digest = bench.session.execute(text("SELECT sha256(:h)"), {"h": header}).scalar_one()
    return {
        "instrument": instrument(bench),
        "since": bench.now - REACH,
        "openings": [digest],
        "opening": digest,
        "reasons": ["no-terminator"],
        "most": MOST,
        "message": instrument(bench),
    }


@pytest.mark.parametrize("query", [PARTS, WHOLES], ids=["parts", "wholes"])
def test_what_may_belong_together_is_found_by_its_first_record(bench: Bench, query: Any) -> None:
    wanted = openings(bench, b"H|^&|same\r")
    told = bench.session.execute(text(f"EXPLAIN (ANALYZE) {query.text}"), wanted).scalars()
    plan = "\n".join(told)
    assert "using ix_raw_message_opening" in plan, plan
    assert "Seq Scan on raw_message" not in plan, plan
    found = bench.session.execute(query, wanted).all()
    assert len(found) == MOST, "of a storm under one header the newest are compared"


def test_what_was_said_again_is_found_by_its_specimen(bench: Bench) -> None:
    values = {
        "instrument": instrument(bench),
        "since": bench.now - REACH,
        "specimens": ["TT7K40FQ9XB"],
        "contents": ["x"],
        "times": ["20210911"],
    }
    bench.session.execute(_MEASUREMENTS)
    bench.session.execute(text("ANALYZE measurement"))
    told = bench.session.execute(text(f"EXPLAIN {SAID_AGAIN.text}"), values).scalars()
    assert "ix_measurement_specimen_text" in "\n".join(told)


def test_a_storm_of_other_parts_does_not_hide_the_one_that_belongs(bench: Bench) -> None:
    swab = bench.swab()
    raw = b"H|^&|5\r" + b"R|1|POSITIVE" * 200 + b"\rL|1|N\r"
    bench.later(5).take(
        cartridge_capture(swab.barcode, None, at=bench.now, raw=raw, instrument=bench.instrument)
    )
    part = raw[: -len(b"\rL|1|N\r")]
    state = bench.session.scalars(select(RawMessage.state).where(RawMessage.body == part)).one()
    assert state == "held", "it is unread no more"
