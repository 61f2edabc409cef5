"""The monitors that see a bad lot or laboratory before anybody complains (Immensa, 2021)."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.control_band import Signal
from lims.domain.recall import RecallKind, RecallScope
from lims.work.views.discordance_monitors import Grouping, Monitored, Watched, monitors
from tests.builders import Bench, open_bench
from tests.builders_doubt import refuted
from tests.builders_recall import newest_run, of_run, recalled, said_lot


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _seen(bench: Bench, watched: Watched) -> dict[Grouping, Monitored]:
    found = monitors(bench.session, site_id=bench.site_id, now=bench.now)
    return {row.grouping: row for row in found.rows if row.watched is watched}


def test_strips_that_pcr_refutes_are_counted_by_all_that_may_be_at_fault(bench: Bench) -> None:
    room = refuted(bench, positive=8, confirmed=2)
    lot = said_lot(bench, newest_run(bench))

    seen = _seen(bench, Watched.REFUTED)

    assert {g: (row.band.odd, row.band.many) for g, row in seen.items()} == dict.fromkeys(
        Grouping, (6, 8)
    )
    assert {row.band.signal for row in seen.values()} == {Signal.ACTION}
    assert seen[Grouping.KIT_LOT].subject_id == room.lot.lot_id
    assert seen[Grouping.REAGENT_LOT].subject_id == lot
    assert seen[Grouping.RUN].name == "PLATE-0001"


def test_what_was_recalled_is_no_longer_a_signal(bench: Bench) -> None:
    room = refuted(bench, positive=8, confirmed=2)

    recalled(bench, of_run(newest_run(bench)))
    assert _seen(bench, Watched.REFUTED) == {}

    bench.later(30).run({})
    assert _seen(bench, Watched.REFUTED)[Grouping.KIT_LOT].band.odd == 8
    recalled(bench, RecallScope(RecallKind.KIT_LOT, room.lot.lot_id))
    assert _seen(bench, Watched.REFUTED) == {}


def test_a_positive_pool_in_which_nobody_is_found_counts_against_its_plate(bench: Bench) -> None:
    empty, true = bench.swabs(3), bench.swabs(3)
    pools = [bench.lab_pool(empty), bench.lab_pool(true)]
    bench.run(dict.fromkeys(pools, 30.0))
    first = newest_run(bench)
    assert _seen(bench, Watched.EMPTY_POOLS) == {}  # nobody knows yet

    bench.later(30).run({true[0].barcode: 27.0})

    seen = _seen(bench, Watched.EMPTY_POOLS)
    assert {(row.band.odd, row.band.many) for row in seen.values()} == {(1, 2)}
    assert seen[Grouping.RUN].subject_id == first
    assert {row.band.signal for row in seen.values()} == {Signal.WITHIN}  # one is no pattern


def test_what_is_expected_and_for_how_long_is_the_site_s_policy(bench: Bench) -> None:
    refuted(bench, positive=8, confirmed=2)
    bench.session.execute(text("UPDATE site SET expected_refuted_percent = 80"))
    bench.session.expire_all()
    assert _seen(bench, Watched.REFUTED)[Grouping.LABORATORY].band.signal is Signal.WITHIN

    bench.session.execute(text("UPDATE site SET monitor_window_days = 3"))
    bench.session.expire_all()
    bench.later(60 * 24 * 4)
    assert _seen(bench, Watched.REFUTED) == {}
