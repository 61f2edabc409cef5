"""A list taken back: nothing of it stays but what the laboratory has touched."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from lims.domain.refusals import InvalidBody
from lims.tables import AuditEvent, CardDoubt, ImportFault, ImportFile, Person, Specimen, Tube
from lims.work.merge import merge_people
from lims.work.receive import receive
from tests.builders import Bench
from tests.importing.conftest import DESK, Desk
from tests.importing.test_lists import as_csv, rows


def counts(bench: Bench) -> dict[str, int]:
    bench.session.expire_all()
    tables = (Person, Specimen, Tube, CardDoubt, ImportFault, ImportFile)
    return {
        table.__tablename__: bench.session.scalar(select(func.count()).select_from(table)) or 0
        for table in tables
    }


def test_a_list_taken_back_leaves_nothing_and_may_come_again(desk: Desk, bench: Bench) -> None:
    raw = as_csv([*rows(bench, 8), ("", "Không Ống", "", "", "")])
    done = desk.take(raw)
    undone = desk.undo(done.job_id)
    assert (undone.taken_back, dict(undone.kept)) == (8, {})
    assert not any(counts(bench).values())
    assert desk.undo(done.job_id, "again").replayed
    again = desk.take(raw)
    assert again.job_id != done.job_id
    assert not again.remembered  # an undone list's columns are asked for again
    assert again.rows_in == 8


def test_who_did_it_and_why_is_kept_for_every_tube(desk: Desk, bench: Bench) -> None:
    listed = rows(bench, 3)
    done = desk.take(as_csv(listed))
    desk.undo(done.job_id, "the list of another commune")
    events = bench.session.scalars(select(AuditEvent).where(AuditEvent.actor == DESK)).all()
    one = next(event for event in events if event.verb == "import-undone")
    assert (one.subject, one.detail["reason"]) == (str(done.job_id), "the list of another commune")
    gone = {event.subject for event in events if event.verb == "unregister"}
    assert gone == {barcode for barcode, *_ in listed}


def test_a_tube_that_was_received_stays_and_the_answer_says_so(desk: Desk, bench: Bench) -> None:
    listed = rows(bench, 6)
    done = desk.take(as_csv(listed))
    for barcode, *_ in listed[:2]:
        receive(bench.session, barcode, by="door", now=bench.now)
    bench.session.execute(
        text(
            "UPDATE tube SET state = 'rejected', rejected_at = :now, reject_reason = 'leaks'"
            " WHERE barcode = :barcode"
        ),
        {"now": bench.now, "barcode": listed[2][0]},
    )
    bench.session.commit()
    undone = desk.undo(done.job_id)
    assert (undone.taken_back, dict(undone.kept)) == (3, {"received": 2, "rejected": 1})
    assert counts(bench)["person"] == counts(bench)["tube"] == 3
    kept = desk.look(done.job_id)
    assert (kept.rows_undone, dict(kept.rows_kept)) == (3, dict(undone.kept))


def test_people_known_before_stay_as_they_were(desk: Desk, bench: Bench) -> None:
    number = "001189001234"
    first = desk.take(as_csv([(next(bench.labels), "Nguyễn An", "1980", "", number)]))
    second = desk.take(
        as_csv(
            [
                (next(bench.labels), "Nguyễn An", "1980", "", number),
                (next(bench.labels), "Tên Khác", "1980", "", number),
            ]
        )
    )
    known = bench.session.scalars(select(Person)).one()
    assert known.identity_conflict == "name"
    desk.undo(second.job_id)
    bench.session.expire_all()
    known = bench.session.scalars(select(Person)).one()
    assert known.identity_conflict is None
    assert counts(bench)["specimen"] == 1
    assert desk.look(first.job_id).state == "done"


def test_a_re_swab_that_the_list_had_answered_is_open_again(desk: Desk, bench: Bench) -> None:
    number = "001189001234"
    desk.take(as_csv([(next(bench.labels), "Nguyễn An", "1980", "", number)]))
    bench.session.execute(
        text(
            "INSERT INTO recollection (id, site_id, specimen_id, person_id, why, state, created_at)"
            " SELECT gen_random_uuid(), site_id, id, person_id, 'leaks', 'open', :now FROM specimen"
        ),
        {"now": bench.now},
    )
    bench.session.commit()
    answering = desk.take(as_csv([(next(bench.labels), "Nguyễn An", "1980", "", number)]))
    states = text("SELECT state FROM recollection")
    assert bench.session.scalars(states).all() == ["done"]
    desk.undo(answering.job_id)
    bench.session.commit()
    assert bench.session.scalars(states).all() == ["open"]


def test_somebody_whom_a_reviewer_merged_stays_to_be_parted_again(desk: Desk, bench: Bench) -> None:
    desk.take(as_csv([(next(bench.labels), "Nguyễn An", "1980", "", "001189001234")]))
    kept = bench.session.scalars(select(Person.id)).one()
    second = desk.take(as_csv([(next(bench.labels), "Nguyễn An", "1980", "", "")]))
    merged = bench.session.scalars(select(Person.id).where(Person.id != kept)).one()
    merge_people(
        bench.session,
        kept,
        merged,
        "one card",
        site_id=bench.site_id,
        by="user:reviewer",
        now=bench.now,
    )
    bench.session.commit()
    assert desk.undo(second.job_id).taken_back == 1
    assert (counts(bench)["person"], counts(bench)["specimen"]) == (2, 1)


def test_without_a_reason_nothing_is_taken_back(desk: Desk, bench: Bench) -> None:
    done = desk.take(as_csv(rows(bench, 2)))
    with pytest.raises(InvalidBody):
        desk.undo(done.job_id, "  ")
    assert counts(bench)["specimen"] == 2


def test_a_list_that_still_waits_is_put_away(desk: Desk, bench: Bench) -> None:
    raw = as_csv(rows(bench, 2))
    job_id = desk.send(raw)
    assert desk.undo(job_id).taken_back == 0
    desk.worker.drain()
    assert (desk.look(job_id).state, counts(bench)["specimen"]) == ("undone", 0)
