"""A rack against its list: here, missing, surplus; closed once, and never forgotten."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.rack_list import RackRead
from lims.domain.rack_verdict import RackVerdict
from lims.domain.refusals import (
    DifferentBody,
    InvalidBody,
    NotFound,
    RackClosed,
    WrongCheckCharacter,
)
from lims.tables import Rack
from lims.work.racks import (
    Consignment,
    RackRequest,
    RackScanned,
    close_rack,
    open_rack,
    scan_rack,
)
from lims.work.receive import receive
from lims.work.reject import reject
from lims.work.views.racks import RackPage, Standing, rack_page
from tests import seen
from tests.builders import Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def opened(bench: Bench, *barcodes: str, group: Consignment | None = None) -> Rack:
    request = RackRequest(uuid7(), "Trạm y tế Tân Định", group, tuple(barcodes))
    return open_rack(bench.session, request, site_id=bench.site_id, by="door", now=bench.now)[0]


def scan(bench: Bench, rack: Rack, *reads: str | RackRead) -> RackScanned:
    said = [read if isinstance(read, RackRead) else RackRead(read) for read in reads]
    return scan_rack(bench.session, rack.id, said, site_id=bench.site_id, by="door", now=bench.now)


def close(bench: Bench, rack: Rack) -> Rack:
    return close_rack(bench.session, rack.id, site_id=bench.site_id, by="door", now=bench.now)


def page(bench: Bench, rack: Rack) -> RackPage:
    bench.session.flush()
    return rack_page(bench.session, rack.id, site_id=bench.site_id)


def out(bench: Bench, count: int) -> list[str]:
    return [bench.swab(received=False).barcode for _ in range(count)]


def test_the_list_is_what_a_desk_registered_that_day_and_is_still_out(bench: Bench) -> None:
    before = bench.swab(received=False).barcode
    bench.later(24 * 60)
    today = out(bench, 3)
    bench.swab()
    group = Consignment("desk", None, bench.now, bench.now + timedelta(hours=12))
    rack = opened(bench, group=group)
    bench.later(5)
    later = bench.swab(received=False).barcode
    listed = {line.barcode for line in page(bench, rack).lines}
    assert listed == set(today)
    assert not {before, later} & listed


def test_each_scan_says_whether_the_list_names_the_tube(bench: Bench) -> None:
    listed = out(bench, 3)
    other = out(bench, 1)
    opened(bench, *other)
    rack = opened(bench, *listed)
    surplus, stranger = bench.swab(received=False).barcode, next(bench.labels)
    before = bench.swab().barcode
    broken = bench.swab().barcode
    reject(bench.session, broken, "cracked", by="door", now=bench.now)
    said = scan(bench, rack, *listed[:2], surplus, stranger, before, broken, *other)
    assert [one.verdict for one in said.scans] == [
        RackVerdict.HERE,
        RackVerdict.HERE,
        RackVerdict.UNLISTED,
        RackVerdict.UNREGISTERED,
        RackVerdict.RECEIVED_BEFORE,
        RackVerdict.REJECTED,
        RackVerdict.OTHER_RACK,
    ]
    assert [one.receipt is not None for one in said.scans] == [
        *(True, True, True, False, True, False, True)
    ]
    head = page(bench, rack).head
    assert (head.listed, head.here, head.missing, head.surplus) == (3, 2, 1, 5)


def test_scanning_again_changes_nothing(bench: Bench) -> None:
    listed = out(bench, 2)
    rack = opened(bench, *listed)
    first = scan(bench, rack, listed[0], listed[0])
    again = scan(bench, rack, listed[0])
    assert [one.again for one in first.scans] == [False]
    assert [(one.verdict, one.again) for one in again.scans] == [(RackVerdict.HERE, True)]
    assert len(seen.audited(bench.session, "receive")) == 1


def test_a_tube_registered_at_the_door_is_received_by_its_next_scan(bench: Bench) -> None:
    rack = opened(bench, *out(bench, 1))
    late = next(bench.labels)
    scan(bench, rack, late)
    bench.labels = iter([late])
    bench.swab(received=False)
    said = scan(bench, rack, late)
    assert [(one.verdict, one.again) for one in said.scans] == [(RackVerdict.UNLISTED, False)]


def test_a_rack_scanner_gives_the_places_and_a_misread_code_is_kept_apart(bench: Bench) -> None:
    [tube] = out(bench, 1)
    rack = opened(bench, tube)
    wrong = tube[:-1] + ("0" if tube[-1] != "0" else "1")
    said = scan(bench, rack, RackRead(tube, "C05"), RackRead(wrong, "D05"))
    assert [line.position for line in page(bench, rack).lines] == ["C05"]
    [(read, refusal)] = said.unreadable
    assert (read.position, type(refusal)) == ("D05", WrongCheckCharacter)


def test_a_closed_rack_keeps_what_was_missing_though_the_tube_comes_later(bench: Bench) -> None:
    here, lost, apart = out(bench, 3)
    rack = opened(bench, here, lost, apart)
    scan(bench, rack, here)
    receive(bench.session, apart, by="door", now=bench.now)
    for _ in range(2):
        assert close(bench, rack).closed_by == "door"
    assert seen.audited(bench.session, "close_rack") == [{"missing": [lost]}]
    assert [line.barcode for line in page(bench, rack).standing(Standing.MISSING)] == [lost]
    with pytest.raises(RackClosed):
        scan(bench, rack, lost)
    receive(bench.session, lost, by="door", now=bench.now)
    shown = page(bench, rack)
    assert (shown.head.missing, shown.head.missed) == (0, 1)
    [line] = [line for line in shown.lines if line.missing]
    assert (line.barcode, line.standing) == (lost, Standing.CAME_APART)


def test_the_same_rack_again_is_the_same_and_another_under_its_id_is_refused(
    bench: Bench,
) -> None:
    [tube] = out(bench, 1)
    request = RackRequest(uuid7(), "Trạm 3", None, (tube,))
    values = {"site_id": bench.site_id, "by": "door", "now": bench.now}
    first, replayed = open_rack(bench.session, request, **values)  # type: ignore[arg-type]  # chosen by tests
    again, repeated = open_rack(bench.session, request, **values)  # type: ignore[arg-type]  # chosen by tests
    assert (first.id, replayed, repeated) == (again.id, False, True)
    with pytest.raises(DifferentBody):
        open_rack(bench.session, RackRequest(request.rack_id, "Trạm 4"), **values)  # type: ignore[arg-type]  # chosen by tests


def test_a_rack_without_a_sender_or_of_another_laboratory_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidBody):
        open_rack(
            bench.session,
            RackRequest(uuid7(), "  "),
            site_id=bench.site_id,
            by="door",
            now=bench.now,
        )
    rack = opened(bench)
    with pytest.raises(NotFound):
        scan_rack(bench.session, rack.id, [], site_id=uuid7(), by="door", now=bench.now)
