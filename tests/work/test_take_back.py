"""A registration by mistake is taken back while its tube is on the street, and leaves its trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import (
    NothingToTakeBack,
    NotYourRegistration,
    TooLateToTakeBack,
    WasTakenBack,
)
from lims.domain.registration import PersonGiven, Registration
from lims.work.field_pool import FieldPoolRequest, Swabbed, register_field_pool
from lims.work.receive import receive
from lims.work.register import register
from lims.work.register_batch import register_batch
from lims.work.take_back import TakenBackTube, take_back, take_back_last
from tests.builders import Bench, open_bench

HOA = "user:hoa"
MAI = PersonGiven("Nguyễn Thị Mai", "nguyen thi mai", 1980, national_id="001180000001")


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def registered(bench: Bench, person: PersonGiven = MAI, *, barcode: str = "") -> Registration:
    """Registered by Hoa at her desk, a minute after the one before."""
    bench.later(1)
    given = Registration(uuid7(), barcode or next(bench.labels), bench.now, person)
    register(bench.session, given, site_id=bench.site_id, by=HOA, now=bench.now)
    return given


def undo(bench: Bench, specimen_id: UUID, *, by: str = HOA) -> TakenBackTube:
    return take_back(bench.session, specimen_id, site_id=bench.site_id, by=by, now=bench.now)


def undo_last(bench: Bench) -> TakenBackTube:
    return take_back_last(
        bench.session,
        site_id=bench.site_id,
        by=HOA,
        since=bench.now.replace(hour=0),
        now=bench.now,
    )


def count(bench: Bench, table: str) -> int:
    return int(bench.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_the_label_is_free_again_and_the_history_stays(bench: Bench) -> None:
    given = registered(bench)
    gone = undo(bench, given.specimen_id)
    assert (gone.barcode, gone.replayed) == (given.barcode, False)
    assert [count(bench, table) for table in ("specimen", "tube", "tube_specimen")] == [0, 0, 0]
    kept = bench.session.execute(text("SELECT * FROM taken_back")).one()
    assert (kept.specimen_id, kept.barcode, kept.registered_by, kept.taken_back_by) == (
        given.specimen_id,
        given.barcode,
        HOA,
        HOA,
    )
    verbs = bench.session.scalars(
        text("SELECT verb FROM audit_event WHERE subject = :b ORDER BY at, id"),
        {"b": given.barcode},
    )
    assert list(verbs) == ["register", "take_back"]
    again = registered(bench, replace(MAI, national_id="001180000002"), barcode=given.barcode)
    assert again.specimen_id != given.specimen_id and count(bench, "tube") == 1


def test_taken_back_twice_is_taken_back_once(bench: Bench) -> None:
    first, second = registered(bench), registered(bench)
    assert not undo_last(bench).replayed
    again = undo_last(bench)
    assert again.replayed and again.specimen_id == second.specimen_id
    assert undo(bench, second.specimen_id).replayed
    assert count(bench, "specimen") == 1 and first.specimen_id != second.specimen_id


def test_a_late_replay_of_what_was_undone_does_not_bring_it_back(bench: Bench) -> None:
    given = registered(bench)
    undo(bench, given.specimen_id)
    with pytest.raises(WasTakenBack):
        register(bench.session, given, site_id=bench.site_id, by=HOA, now=bench.now)
    assert count(bench, "specimen") == 0


def test_a_received_tube_is_not_taken_back(bench: Bench) -> None:
    given = registered(bench)
    receive(bench.session, given.barcode, by="door", now=bench.now)
    with pytest.raises(TooLateToTakeBack) as refused:
        undo(bench, given.specimen_id)
    assert refused.value.came == given.barcode and count(bench, "specimen") == 1


def test_nobody_takes_back_what_another_desk_registered(bench: Bench) -> None:
    given = registered(bench)
    with pytest.raises(NotYourRegistration):
        undo(bench, given.specimen_id, by="user:lan")
    with pytest.raises(NothingToTakeBack):
        undo(bench, uuid7())


def test_a_doubt_goes_with_its_swab_and_the_person_is_no_longer_marked(bench: Bench) -> None:
    registered(bench)
    other = registered(bench, replace(MAI, name="Trần Văn Tám", name_key="tran van tam"))
    undo(bench, other.specimen_id)
    assert count(bench, "card_doubt") == 0
    assert bench.session.scalar(text("SELECT card ->> 'name' FROM taken_back")) == "Trần Văn Tám"
    assert bench.session.scalar(text("SELECT identity_conflict FROM person")) is None


def test_the_re_swab_that_it_answered_is_owed_again(bench: Bench) -> None:
    pool = bench.field_pool(2)
    bench.run({pool.barcode: 22.0})
    owed = bench.session.execute(text("SELECT person_id FROM recollection LIMIT 1")).scalar_one()
    bench.later(5)
    given = Registration(uuid7(), next(bench.labels), bench.now, person_id=owed)
    register(bench.session, given, site_id=bench.site_id, by=HOA, now=bench.now)
    states = text("SELECT state FROM recollection WHERE person_id = :p")
    assert bench.session.scalar(states, {"p": owed}) == "done"
    undo(bench, given.specimen_id)
    assert bench.session.scalar(states, {"p": owed}) == "open"


def test_a_household_tube_is_taken_back_whole_and_its_id_is_spent(bench: Bench) -> None:
    people = [PersonGiven(f"Lê Văn {n}", f"le van {n}", 1990) for n in range(3)]
    request = FieldPoolRequest(
        uuid7(), next(bench.labels), bench.now, tuple(Swabbed(uuid7(), one) for one in people)
    )
    keep = {"site_id": bench.site_id, "by": HOA, "now": bench.now}
    register_field_pool(bench.session, request, **keep)  # type: ignore[arg-type] # the same three for both calls
    gone = undo_last(bench)
    assert len(gone.person_ids) == 3 and gone.kind == "field_pool"
    with pytest.raises(WasTakenBack):
        register_field_pool(bench.session, request, **keep)  # type: ignore[arg-type] # as above
    assert (count(bench, "taken_back"), count(bench, "specimen")) == (3, 0)


def test_a_card_does_not_take_back_a_list(bench: Bench) -> None:
    rows = [(n, Registration(uuid7(), next(bench.labels), bench.now, MAI)) for n in range(2)]
    register_batch(bench.session, rows, site_id=bench.site_id, by=HOA, now=bench.now)
    bench.session.flush()
    with pytest.raises(NothingToTakeBack):
        undo_last(bench)


def test_with_nothing_registered_today_nothing_is_taken_back(bench: Bench) -> None:
    with pytest.raises(NothingToTakeBack):
        undo_last(bench)
