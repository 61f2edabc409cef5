"""S19: a roster of forty is read inside its window, its one positive is told at once, and PCR has
the last word about the same case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure
from lims.domain.refusals import DifferentBody, OutsideReadWindow, TooLateToTakeBack
from lims.domain.roster_line import Marked, Sign
from lims.domain.signing import Asked
from lims.tables import Finding
from lims.work.mark_strip import mark_strip
from lims.work.rapid_pcr import PcrTube, take_pcr_tube
from lims.work.read_strips import Counts, RosterChanged
from lims.work.receive import receive
from lims.work.release import release
from lims.work.roster import StripRunning
from lims.work.take_back import TakenBackTube, take_back
from lims.work.views.kit_lots import LotSeen, kit_lots
from lims.work.views.rosters import PositiveSeen, RosterSheet, roster_sheet
from tests import seen
from tests.builders import HOME, Bench, open_bench
from tests.builders_rapid import Classroom, box, classroom
from tests.captures import Told, plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    opened.subscribe(HOME)
    return opened


def sheet(room: Classroom) -> RosterSheet:
    found = roster_sheet(room.bench.session, room.roster_id, site_id=room.bench.site_id)
    assert found is not None
    return found


def lot(bench: Bench) -> LotSeen:
    (only,) = kit_lots(bench.session, site_id=bench.site_id)
    return only


def read_at_twenty(bench: Bench) -> tuple[Classroom, UUID, PositiveSeen]:
    """Forty strips dropped together, number 17 positive, confirmed twenty minutes later."""
    room = classroom(bench)
    timer = room.start()
    bench.later(20)
    room.mark(17)
    room.read(timer, negative=39, positive=1)
    (positive,) = sheet(room).positives
    return room, timer, positive


def tube(bench: Bench, specimen_id: UUID, label: str) -> PcrTube:
    return take_pcr_tube(
        bench.session, specimen_id, label, site_id=bench.site_id, by="desk", now=bench.now
    )


def pcr_says(bench: Bench, specimen_id: UUID, told: Told) -> None:
    label = next(bench.labels)
    tube(bench, specimen_id, label)
    receive(bench.session, label, by="door", now=bench.now)
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {label: told}))


def signed(bench: Bench) -> None:
    """A reviewer says the final word on the one positive that waits."""
    waiting = bench.session.scalars(
        select(Finding.id).where(Finding.current, Finding.outcome == "positive")
    ).one()
    release(bench.session, [Asked(waiting)], site_id=bench.site_id, by="bs.lan", now=bench.now)


@pytest.mark.parametrize(("minutes", "word"), [(12, "too early"), (31, "too late")])
def test_a_strip_outside_its_window_is_neither_marked_nor_read(
    bench: Bench, minutes: int, word: str
) -> None:
    room = classroom(bench)
    timer = room.start()
    bench.later(minutes)
    with pytest.raises(OutsideReadWindow, match=word):
        room.mark(17)
    with pytest.raises(OutsideReadWindow, match=word):
        room.read(timer, negative=40)
    assert seen.findings(bench.session) == {}


def test_at_twenty_minutes_one_confirmation_keeps_39_negatives_and_tells_of_one(
    bench: Bench,
) -> None:
    room, _, positive = read_at_twenty(bench)

    outcomes = [finding.outcome for finding in seen.findings(bench.session).values()]
    assert (outcomes.count("negative"), outcomes.count("presumptive")) == (39, 1)
    assert (positive.position, positive.name) == (17, "Học Sinh 17")
    assert (positive.case_state, positive.case_basis) == ("presumptive", "antigen_presumptive")
    assert positive.owes_tube
    assert len(seen.notices(bench.session, "case.opened")) == 1
    assert sheet(room).waiting(bench.now) == ()


def test_a_confirmation_writes_as_many_statements_for_forty_as_for_four(
    session: Session, bench: Bench
) -> None:
    def statements(people: int) -> int:
        room = classroom(bench, people, lot=box(bench))
        timer = room.start()
        bench.later(20)
        written: list[str] = []

        def note(*said: str) -> None:
            written.append(said[2])

        event.listen(session.get_bind(), "before_cursor_execute", note)
        room.read(timer, negative=people)
        session.flush()
        event.remove(session.get_bind(), "before_cursor_execute", note)
        return len(written)

    assert statements(4) == statements(40) < 20


def test_the_tube_of_the_positive_may_come_a_minute_later_and_twice(bench: Bench) -> None:
    room, _, positive = read_at_twenty(bench)
    label = next(bench.labels)
    bench.later(1)
    first, again = (tube(bench, positive.specimen_id, label) for _ in range(2))

    assert (first.replayed, again.replayed) == (False, True)
    assert first.pcr_specimen_id == again.pcr_specimen_id
    (seen_now,) = sheet(room).positives
    assert seen_now.pcr_barcode == label
    order = bench.session.execute(text("SELECT why, priority FROM test_order")).one()
    assert order.why == "confirm"


def test_a_wrong_pcr_label_is_taken_back_until_the_tube_is_received(bench: Bench) -> None:
    room, _, positive = read_at_twenty(bench)
    wrong, right = next(bench.labels), next(bench.labels)

    def undo(swab: UUID) -> TakenBackTube:
        return take_back(bench.session, swab, site_id=bench.site_id, by="desk", now=bench.now)

    first = tube(bench, positive.specimen_id, wrong)
    assert undo(first.pcr_specimen_id).barcode == wrong
    (owing,) = sheet(room).positives
    assert owing.owes_tube and owing.case_state == "presumptive"
    assert bench.session.scalar(text("SELECT count(*) FROM test_order")) == 0

    second = tube(bench, positive.specimen_id, right)
    receive(bench.session, right, by="door", now=bench.now)
    with pytest.raises(TooLateToTakeBack):
        undo(second.pcr_specimen_id)
    assert sheet(room).positives[0].pcr_barcode == right


def test_at_31_minutes_it_is_unreadable_and_repeated_with_new_strips(bench: Bench) -> None:
    room = classroom(bench)
    late = room.start()
    with pytest.raises(StripRunning):
        room.start()
    bench.later(31)
    assert len(sheet(room).waiting(bench.now)) == 40

    again = room.start()

    bench.later(16)
    room.read(again, negative=40)
    states = {t.timer_id: (t.missed, t.read) for t in sheet(room).timers}
    assert states == {late: (40, 0), again: (0, 40)}
    assert lot(bench).tests == 40


def test_a_strip_without_its_line_says_nothing_and_is_repeated_alone(bench: Bench) -> None:
    room = classroom(bench)
    timer = room.start()
    bench.later(20)
    room.mark(3, Sign.INVALID)
    room.read(timer, negative=39, invalid=1)

    assert [cell.position for cell in sheet(room).waiting(bench.now)] == [3]
    assert len(seen.findings(bench.session)) == 39
    second = room.start()
    bench.later(15)
    room.read(second, negative=1)
    assert sheet(room).waiting(bench.now) == ()


def test_what_is_confirmed_is_what_stands_there(bench: Bench) -> None:
    room = classroom(bench)
    timer = room.start()
    bench.later(20)
    without = room.seen(timer)
    room.mark(17)
    with pytest.raises(RosterChanged) as refused:
        room.confirm(timer, without)
    assert refused.value.came == "now 17+"
    room.mark(17, Sign.NEGATIVE)
    first, again = (room.confirm(timer, without) for _ in range(2))

    assert (first.replayed, again.replayed) == (False, True)
    assert again.counts == Counts(40, 0, 0)
    assert lot(bench).tests == 40
    with pytest.raises(DifferentBody):
        room.confirm(timer, without.replace("17-", "17+"))


def test_a_sign_that_another_desk_moved_is_not_confirmed_by_its_count(bench: Bench) -> None:
    room = classroom(bench, 5)
    timer = room.start()
    bench.later(20)
    room.mark(2)
    shown_to_a = room.seen(timer)
    room.mark(2, Sign.NEGATIVE)
    room.mark(4)
    with pytest.raises(RosterChanged) as refused:
        room.confirm(timer, shown_to_a)
    assert refused.value.came == "now 2- 4+"
    assert seen.findings(bench.session) == {}


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        (Marked(4, Sign.POSITIVE, Exposure.CONTACT), "4+c"),
        (Marked(4, Sign.POSITIVE, suspect=True), "4+s"),
    ],
)
def test_what_makes_it_a_case_is_confirmed_too(bench: Bench, marked: Marked, said: str) -> None:
    room = classroom(bench, 5)
    timer = room.start()
    bench.later(20)
    room.mark(4)
    without = room.seen(timer)
    mark_strip(bench.session, room.roster_id, marked, site_id=bench.site_id, now=bench.now)
    with pytest.raises(RosterChanged) as refused:
        room.confirm(timer, without)
    assert refused.value.came == f"now {said}"


def test_several_timers_run_each_with_its_own_window(bench: Bench) -> None:
    room = classroom(bench)
    first = room.start(1, 20)
    bench.later(10)
    second = room.start(21, 40)
    bench.later(6)
    room.read(first, negative=20)
    with pytest.raises(OutsideReadWindow, match="too early"):
        room.read(second, negative=20)
    bench.later(9)
    room.read(second, negative=20)
    assert lot(bench).tests == 40


def test_pcr_negative_closes_the_case_as_not_confirmed_and_counts_against_the_lot(
    bench: Bench,
) -> None:
    _, _, positive = read_at_twenty(bench)
    assert lot(bench).discordance is None
    pcr_says(bench, positive.specimen_id, None)

    (case,) = seen.cases(bench.session)
    assert (case.state, case.basis) == ("not_confirmed", "antigen_presumptive")
    now = lot(bench)
    assert (now.tests, now.positives, now.refuted, now.confirmed) == (40, 1, 1, 0)
    assert now.discordance == 1


def test_pcr_positive_confirms_the_same_case_with_one_notice(bench: Bench) -> None:
    _, _, positive = read_at_twenty(bench)
    told = len(seen.notices(bench.session))
    pcr_says(bench, positive.specimen_id, 24.0)
    assert lot(bench).waiting == 1  # a reviewer has the final word on a positive
    signed(bench)

    (case,) = seen.cases(bench.session)
    assert (case.state, case.basis) == ("confirmed", "pcr")
    (notice,) = seen.notices(bench.session)[told:]
    assert notice.kind == "case.confirmed"
    now = lot(bench)
    assert (now.confirmed, now.refuted, now.discordance) == (1, 0, 0)
