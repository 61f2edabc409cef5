"""A recall and what comes late, in any order, end in the same state; and simple is not special."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.recall import RecallKind, RecallScope
from lims.work import unclear
from tests import seen
from tests.builders import Bench, open_bench
from tests.builders_doubt import pcr_swabs, read_class
from tests.builders_rapid import classroom
from tests.builders_recall import newest_run, of_analyser, of_lot, of_run, recalled, said_lot
from tests.captures import cartridge_capture, plate_capture

Step = Callable[[], object]


def _stands(bench: Bench) -> dict[str, Any]:
    """What the laboratory knows and wants: people, tubes and live cases, not how it came there."""
    live = {c.person_id: c.basis for c in seen.cases(bench.session) if c.state in _LIVE}
    return {
        "findings": {s: f.outcome for s, f in seen.findings(bench.session).items()},
        "queue": seen.waiting(bench.session),
        "recollections": seen.recollections(bench.session),
        "cases": live,
    }


_LIVE = {"presumptive", "confirmed"}


@contextmanager
def _undone(session: Session) -> Iterator[None]:
    """Whatever happens inside has not happened."""
    inner = session.begin_nested()
    yield
    inner.rollback()
    session.expire_all()


def _all_orders(bench: Bench, *steps: Step) -> list[dict[str, Any]]:
    ends = []
    for order in permutations(steps):
        with _undone(bench.session):
            for step in order:
                step()
            bench.session.flush()
            ends.append(_stands(bench))
    return ends


def _same(ends: list[dict[str, Any]]) -> None:
    assert all(end == ends[0] for end in ends[1:])


def _registered(bench: Bench) -> UUID:
    """The lot is known from a plate that was given up before."""
    other = bench.swab()
    run = bench.plate(other.barcode).run_id
    lot = said_lot(bench, run)
    recalled(bench, of_run(run), reason="dropped")
    session = bench.session
    session.execute(text("DELETE FROM test_order WHERE state = 'queued' AND round > 1"))
    return lot


def test_a_run_a_lot_and_its_recall_in_any_order(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive, alone = bench.swab(), bench.swab()
    pool = bench.lab_pool(bench.swabs(4))
    layout = bench.plate()
    lot = _registered(bench)
    capture = plate_capture(layout, {positive.barcode: 22.0}, instrument=bench.instrument)

    ends = _all_orders(
        bench,
        lambda: bench.take(capture),
        lambda: said_lot(bench, layout.run_id),
        lambda: recalled(bench, of_lot(lot)),
    )

    _same(ends)
    assert ends[0]["queue"] == {positive.barcode, alone.barcode, pool}
    assert ends[0]["findings"] == ends[0]["cases"] == {}


def test_an_analyser_s_message_and_its_recall_in_any_order(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    positive, alone, cartridge = bench.swab(), bench.swab(), bench.swab()
    layout = bench.plate(positive.barcode, alone.barcode)
    whole = plate_capture(layout, {positive.barcode: 22.0}, instrument=bench.instrument)
    single = cartridge_capture(cartridge.barcode, 21.0, instrument=bench.instrument, at=bench.now)

    ends = _all_orders(
        bench,
        lambda: bench.take(whole),
        lambda: bench.take(single),
        lambda: recalled(bench, of_analyser(bench)),
    )

    _same(ends)
    assert ends[0]["queue"] == {positive.barcode, alone.barcode, cartridge.barcode}
    assert ends[0]["findings"] == ends[0]["cases"] == {}


def test_a_message_of_other_days_counts(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    before = bench.swab()
    recalled(bench, of_analyser(bench, hours=1, ended=True))

    bench.later(60).run({before.barcode: 22.0})

    assert seen.findings(session)[before.specimen_id].outcome == "positive"


def test_strips_and_the_recall_of_their_lot_in_any_order(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    room = classroom(bench, 4)
    timer = room.start()
    bench.later(20)
    room.mark(2)

    ends = _all_orders(
        bench,
        lambda: room.read(timer, negative=3, positive=1),
        lambda: recalled(bench, RecallScope(RecallKind.KIT_LOT, room.lot.lot_id)),
    )

    _same(ends)
    assert set(ends[0]["findings"].values()) == {"recollect"}
    assert ends[0]["cases"] == {}


def test_a_pcr_of_a_recalled_analyser_never_closes_a_strip_s_case(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    read_class(bench, 2, 1)
    (label,) = pcr_swabs(bench)
    layout = bench.plate(label)
    negative = plate_capture(layout, {}, instrument=bench.instrument)

    ends = _all_orders(
        bench,
        lambda: bench.take(negative),
        lambda: recalled(bench, of_analyser(bench)),
    )

    _same(ends)
    assert list(ends[0]["cases"].values()) == ["antigen_presumptive"]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cts=st.lists(st.sampled_from([None, None, None, 24.0, 39.0]), min_size=6, max_size=6),
    past=st.sampled_from(["nothing", "little volume", "tested alone"]),
)
def test_the_fast_path_says_what_concluding_says(
    session: Session,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    cts: list[float | None],
    past: str,
) -> None:
    """Pools, single tubes, field pools; with a volume, and with their retests measured."""
    with _undone(session):
        bench = open_bench(session, now)
        tubes = [bench.lab_pool(bench.swabs(3)), bench.lab_pool(bench.swabs(3))]
        tubes += [bench.swab().barcode, bench.swab().barcode]
        tubes += [bench.field_pool(3).barcode, bench.field_pool(2).barcode]
        if past == "little volume":
            session.execute(
                text("UPDATE tube SET volume_ul = 300 WHERE barcode = ANY(:some)"),
                {"some": tubes[1::2]},
            )
        bench.run(dict(zip(tubes, cts, strict=True)))
        run = newest_run(bench)
        if past == "tested alone" and seen.waiting(session):
            bench.later(30).run({})
        ends = []
        for fast in (True, False):
            with _undone(session), monkeypatch.context() as patched:
                if not fast:
                    patched.setattr(unclear, "_UNCLEAR", text("SELECT id FROM tube WHERE false"))
                recalled(bench, of_run(run))
                ends.append((_stands(bench), _orders(bench)))
        assert ends[0] == ends[1]


def _orders(bench: Bench) -> list[seen.SeenOrder]:
    return sorted(seen.orders(bench.session), key=lambda o: (o.barcode, o.round))
