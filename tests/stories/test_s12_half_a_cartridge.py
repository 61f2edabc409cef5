"""S12 for a cartridge: what came of a message that broke off waits, and the whole one counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from tests import seen
from tests.builders import open_bench
from tests.captures import cartridge_capture


def test_a_cartridge_told_in_a_message_that_broke_off_counts_once_the_message_is_whole(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    person = bench.swab()
    half = cartridge_capture(person.barcode, 24.0, at=now, instrument=bench.instrument, raw=b"half")

    broken_off = bench.take(replace(half, complete=False))
    assert (broken_off.state, broken_off.matched, broken_off.unmatched) == ("held", 0, 1)
    assert seen.cases(session) == []

    whole = bench.take(
        cartridge_capture(person.barcode, 24.0, at=now, instrument=bench.instrument, raw=b"whole")
    )
    assert (whole.state, whole.matched, whole.duplicates) == ("accepted", 1, 0)
    assert len(seen.cases(session)) == 1
