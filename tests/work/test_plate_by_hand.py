"""A plate filled by a scanner: the next free well, the well one points at, and back out again."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.plates import PlateSize
from lims.domain.refusals import (
    IllegalMove,
    NotAWell,
    NotFound,
    PlateFull,
    QueueEmpty,
    Refusal,
    TubeHasNoTest,
    TubeRejected,
    UnknownBarcode,
    UnknownRun,
    WellTaken,
)
from lims.work.plate import RunRequest, lay_out
from lims.work.plate_by_hand import Placed, fill_up, move_to, put_in, take_out
from lims.work.reject import reject
from lims.work.run_layout import read_layout
from tests import seen
from tests.builders import Bench, open_bench
from tests.captures import plate_capture

PLATE = "PL-HAND"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def opened(bench: Bench, plate: str = PLATE, size: PlateSize = PlateSize.WELLS_96) -> None:
    request = RunRequest(uuid7(), plate, most=0, format=size)
    lay_out(bench.session, request, site_id=bench.site_id, by="plater", now=bench.now)


def put(bench: Bench, scan: str, at: str | None = None, plate: str = PLATE) -> Placed:
    return put_in(bench.session, plate, scan, at, site_id=bench.site_id, by="plater", now=bench.now)


def placed(bench: Bench, plate: str = PLATE) -> dict[str, str]:
    run_id = bench.session.scalars(
        text("SELECT id FROM run WHERE plate = :plate"), {"plate": plate}
    ).one()
    wells = read_layout(bench.session, run_id).wells
    return {well.position: well.barcode for well in wells if well.barcode}


def test_each_scan_takes_the_next_free_well_down_the_columns(bench: Bench) -> None:
    tubes = [bench.swab().barcode for _ in range(10)]
    opened(bench)
    assert [put(bench, tube).position for tube in tubes] == [
        *("A01", "B01", "C01", "D01", "E01", "F01", "G01", "H01"),
        *("A02", "B02"),
    ]
    assert seen.waiting(bench.session) == set()


def test_a_well_may_be_chosen_first_and_the_next_scan_fills_the_gap(bench: Bench) -> None:
    one, two = bench.swab().barcode, bench.swab().barcode
    opened(bench, size=PlateSize.WELLS_384)
    assert put(bench, one, "p22").position == "P22"
    assert put(bench, two).position == "A01"


def test_the_same_scan_again_changes_nothing(bench: Bench) -> None:
    tube = bench.swab().barcode
    opened(bench)
    first, again = put(bench, tube), put(bench, tube.lower())
    assert (first.replayed, again.replayed, again.position) == (False, True, "A01")
    assert len(seen.audited(bench.session, "put_in_well")) == 1


def test_what_does_not_belong_on_the_plate_is_refused_with_the_reason(bench: Bench) -> None:
    campaign = bench.campaign()
    outside = bench.swab(received=False).barcode
    broken = bench.swab().barcode
    reject(bench.session, broken, "cracked", by="door", now=bench.now)
    for_a_pool = bench.swab(campaign_id=campaign).barcode
    pooled = bench.swabs(2)
    pool = bench.lab_pool(pooled)
    answered = bench.swab().barcode
    bench.take(plate_capture(bench.plate(answered), {}, instrument=bench.instrument))
    elsewhere = bench.swab().barcode
    bench.plate(elsewhere)
    opened(bench)
    for barcode, kind, said in (
        (next(bench.labels), UnknownBarcode, ""),
        (outside, IllegalMove, "collected"),
        (broken, TubeRejected, "cracked"),
        (for_a_pool, TubeHasNoTest, "waits for a pool"),
        (pooled[0].barcode, TubeHasNoTest, "plate its pool"),
        (answered, TubeHasNoTest, "answered"),
        (elsewhere, WellTaken, "PLATE-0002, A01"),
    ):
        with pytest.raises(Refusal) as refused:
            put(bench, barcode)
        assert isinstance(refused.value, kind), refused.value
        assert said in str(refused.value)
    assert put(bench, pool).position == "A01"


def test_a_taken_well_a_controls_well_and_one_off_the_plate_are_refused(bench: Bench) -> None:
    one, two = bench.swab().barcode, bench.swab().barcode
    opened(bench)
    put(bench, one, "C05")
    for at, kind in (("C05", WellTaken), ("H11", WellTaken), ("I01", NotAWell)):
        with pytest.raises(kind):
            put(bench, two, at)
    with pytest.raises(WellTaken, match="is in C05"):
        put(bench, one, "D05")


def test_a_tube_taken_out_waits_where_it_waited_and_its_well_is_next(bench: Bench) -> None:
    tubes = [bench.swab().barcode for _ in range(3)]
    opened(bench)
    for tube in tubes:
        put(bench, tube)
    for replayed in (False, True):
        out = take_out(
            bench.session, PLATE, tubes[0], site_id=bench.site_id, by="plater", now=bench.now
        )
        assert (out.position, out.replayed) == (None, replayed)
    assert seen.waiting(bench.session) == {tubes[0]}
    newcomer = bench.later(5).swab().barcode
    fill_up(bench.session, PLATE, site_id=bench.site_id, by="plater", now=bench.now)
    assert placed(bench) == {
        "A01": tubes[0],
        "B01": tubes[1],
        "C01": tubes[2],
        "D01": newcomer,
    }


def test_a_tube_is_moved_to_a_free_well_only(bench: Bench) -> None:
    one, two, apart = (bench.swab().barcode for _ in range(3))
    opened(bench)
    put(bench, one), put(bench, two)

    def moved(barcode: str, to: str) -> Placed:
        return move_to(
            bench.session, PLATE, barcode, to, site_id=bench.site_id, by="plater", now=bench.now
        )

    assert moved(one, "h10").position == "H10"
    assert moved(one, "H10").replayed
    for to in ("B01", "H12"):
        with pytest.raises(WellTaken):
            moved(one, to)
    with pytest.raises(NotFound):
        moved(apart, "C01")
    assert placed(bench) == {"B01": two, "H10": one}


def test_a_full_plate_and_an_empty_queue_say_so(bench: Bench) -> None:
    tubes = [bench.swab().barcode for _ in range(95)]
    opened(bench)
    values = {"site_id": bench.site_id, "by": "plater", "now": bench.now}
    assert fill_up(bench.session, PLATE, **values) == 94  # type: ignore[arg-type]  # chosen by tests
    with pytest.raises(PlateFull):
        put(bench, tubes[-1])
    with pytest.raises(PlateFull):
        fill_up(bench.session, PLATE, **values)  # type: ignore[arg-type]  # chosen by tests
    opened(bench, "PL-NEXT")
    put(bench, tubes[-1], plate="PL-NEXT")
    with pytest.raises(QueueEmpty):
        fill_up(bench.session, "PL-NEXT", **values)  # type: ignore[arg-type]  # chosen by tests


def test_what_was_measured_is_no_longer_changed(bench: Bench) -> None:
    tube, late = bench.swab().barcode, bench.swab().barcode
    layout = bench.plate(tube)
    bench.take(plate_capture(layout, {}, instrument=bench.instrument))
    for change in (
        lambda: put(bench, late, plate=layout.plate),
        lambda: take_out(
            bench.session, layout.plate, tube, site_id=bench.site_id, by="x", now=bench.now
        ),
        lambda: fill_up(bench.session, layout.plate, site_id=bench.site_id, by="x", now=bench.now),
    ):
        with pytest.raises(IllegalMove):
            change()
    with pytest.raises(UnknownRun):
        put(bench, late, plate="PL-NOWHERE")


def test_a_plate_filled_by_hand_is_measured_like_any_other(bench: Bench) -> None:
    one, two = bench.swab(), bench.swab()
    opened(bench)
    put(bench, one.barcode, "C05")
    put(bench, two.barcode)
    run_id = bench.session.scalars(text("SELECT id FROM run")).one()
    layout = read_layout(bench.session, run_id)
    bench.take(plate_capture(layout, {one.barcode: 24.0}, instrument=bench.instrument))
    found = {s: f.outcome for s, f in seen.findings(bench.session).items()}
    assert found == {one.specimen_id: "positive", two.specimen_id: "negative"}
