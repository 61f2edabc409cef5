"""What other systems are owed: the difference to what each was told, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from lims.domain.recall import RecallKind, RecallScope
from lims.domain.registration import AreaRef
from lims.work.destinations import Hospital, add_destination, stop
from lims.work.hand_over import hand_over
from lims.work.owe_findings import owe_findings
from lims.work.review import release_positive
from lims.work.subscribe import AreaKey
from tests import seen
from tests.builders import ELSEWHERE, FAR_PROVINCE, HOME, PROVINCE, Bench, open_bench
from tests.builders_rapid import classroom
from tests.builders_recall import of_run, recalled


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def hospital(bench: Bench, area: AreaRef | None = None, name: str = "Bệnh viện") -> UUID:
    return add_destination(
        bench.session,
        Hospital("127.0.0.1", 2575, tls=False),
        site_id=bench.site_id,
        name=name,
        area=AreaKey(area.scheme, area.code) if area else None,
        by="admin",
        now=bench.now,
    )


def owed(bench: Bench, destination: UUID | None = None) -> list[tuple[str, int]]:
    """What is said and its number, in the order owed."""
    rows = bench.session.execute(
        text(
            "SELECT says, sequence FROM outbound WHERE destination_id = :id OR cast(:id AS uuid)"
            " IS NULL ORDER BY subject_id, sequence"
        ),
        {"id": destination},
    )
    return [(row.says, row.sequence) for row in rows]


@contextmanager
def statements_of(bench: Bench) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile."""
    sent: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = bench.session.get_bind()
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", heard)


def test_a_plate_of_clean_negatives_is_owed_in_one_statement(bench: Bench) -> None:
    hospital(bench)
    for _ in range(3):
        bench.lab_pool(bench.swabs(4))
    with statements_of(bench) as statements:
        bench.run()
    assert owed(bench) == [("F", 1)] * 12
    assert sum("INSERT INTO outbound" in said for said in statements) == 1


def test_without_a_destination_a_clean_plate_costs_nothing_more(bench: Bench) -> None:
    bench.lab_pool(bench.swabs(4))
    with statements_of(bench) as statements:
        bench.run()
    assert not any("INSERT INTO outbound" in said for said in statements)


def test_a_destination_is_owed_only_the_people_of_its_area(bench: Bench) -> None:
    ward = hospital(bench, HOME, "Phường")
    province = hospital(bench, PROVINCE, "Tỉnh")
    far = hospital(bench, FAR_PROVINCE, "Xa")
    whole = hospital(bench, None, "Cả nước")
    bench.swab(area=HOME)
    bench.swab(area=ELSEWHERE)
    bench.swab(area=None)
    bench.run()
    assert [len(owed(bench, one)) for one in (ward, province, far, whole)] == [1, 2, 0, 3]


def test_a_positive_is_owed_when_a_reviewer_has_spoken(bench: Bench) -> None:
    hospital(bench)
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    assert owed(bench) == []
    finding = bench.session.execute(
        text("SELECT id FROM finding WHERE specimen_id = :s AND current"), {"s": swab.specimen_id}
    ).scalar_one()
    release_positive(bench.session, finding, site_id=bench.site_id, by="reviewer", now=bench.now)
    assert owed(bench) == [("F", 1)]


def test_saying_it_again_owes_nothing_more(bench: Bench) -> None:
    hospital(bench)
    swab = bench.swab()
    bench.run()
    again = owe_findings(
        bench.session, [swab.specimen_id], site_id=bench.site_id, now=bench.later(5).now
    )
    assert again == 0
    assert owed(bench) == [("F", 1)]


def test_a_final_word_that_is_no_more_is_taken_back(bench: Bench) -> None:
    hospital(bench)
    swab = bench.swab()
    bench.run()
    bench.session.execute(
        text("UPDATE finding SET current = false WHERE specimen_id = :s"), {"s": swab.specimen_id}
    )
    owe_findings(bench.session, [swab.specimen_id], site_id=bench.site_id, now=bench.later(5).now)
    assert owed(bench) == [("F", 1), ("X", 2)]


def test_a_swab_that_was_another_persons_is_taken_back_from_them(bench: Bench) -> None:
    hospital(bench)
    swab, other = bench.swab(), bench.swab(name="Lê Văn Hai")
    bench.run()

    hand_over(
        bench.session,
        [swab.specimen_id],
        first=swab.person_id,
        owner=other.person_id,
        site_id=bench.site_id,
        by="reviewer",
        now=bench.later(5).now,
    )
    rows = bench.session.execute(
        text(
            "SELECT o.says, f.person_id FROM outbound o JOIN finding f ON f.id = o.finding_id"
            " WHERE o.subject_id = :s ORDER BY o.sequence"
        ),
        {"s": swab.specimen_id},
    )
    assert [tuple(row) for row in rows] == [
        ("F", swab.person_id),
        ("W", swab.person_id),
        ("C", other.person_id),
    ]


def test_nothing_more_is_owed_to_one_that_was_stopped(bench: Bench) -> None:
    one = hospital(bench)
    stop(bench.session, one, by="admin", now=bench.now)
    bench.swab()
    bench.run()
    assert owed(bench) == []


def test_a_recall_takes_back_what_was_told_of_a_clean_plate(bench: Bench) -> None:
    to = hospital(bench)
    bench.lab_pool(bench.swabs(4))
    bench.run()
    (run,) = bench.session.execute(text("SELECT id FROM run")).scalars().all()

    recalled(bench, of_run(run))

    assert owed(bench, to) == [("F", 1), ("X", 2)] * 4


def test_a_strip_of_a_lot_that_was_recalled_before_is_never_a_correction_of_nothing(
    bench: Bench,
) -> None:
    hospital(bench)
    room = classroom(bench, 2)
    timer = room.start()
    recalled(bench.later(20), RecallScope(RecallKind.KIT_LOT, room.lot.lot_id))
    room.read(timer, negative=2)
    assert owed(bench) == []
    found = seen.findings(bench.session).values()
    assert {(f.outcome, f.status) for f in found} == {("recollect", "P")}
    never = text("SELECT count(*) FROM finding WHERE status <> 'P' OR released_at IS NOT NULL")
    assert bench.session.execute(never).scalar_one() == 0


def test_what_was_told_of_a_strip_before_its_lot_was_recalled_is_corrected(bench: Bench) -> None:
    hospital(bench)
    room = classroom(bench, 2)
    timer = room.start()
    bench.later(20)
    room.read(timer, negative=2)
    recalled(bench, RecallScope(RecallKind.KIT_LOT, room.lot.lot_id))
    assert owed(bench) == [("F", 1), ("C", 2)] * 2
