"""S16: a mistyped number files B's swab under A; both cards are kept, and the swab comes home."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.rapid_test import RapidOutcome
from lims.domain.refusals import IllegalMove, NotFound
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.tables import CardDoubt, Person, Specimen
from lims.work.identity import other_person, same_person
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.receive import receive
from lims.work.register import register
from lims.work.register_batch import register_batch
from lims.work.review import release_positive
from tests import seen
from tests.builders import HOME, WORK, Bench, Swab, open_bench

NUMBER = "001080000001"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def card(name: str, phone: str, area: AreaRef) -> PersonGiven:
    return PersonGiven(name, name_key(name), 1980, national_id=NUMBER, phone=phone, area=area)


AN = card("Nguyễn Văn An", "+84911111111", HOME)
BINH = card("Trần Thị Bình", "+84922222222", WORK)


def swab(bench: Bench, person: PersonGiven) -> Swab:
    given = Registration(
        specimen_id=uuid7(), barcode=next(bench.labels), collected_at=bench.now, person=person
    )
    receipt = register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    receive(bench.session, given.barcode, by="door", now=bench.now)
    bench.session.flush()
    return Swab(given.barcode, given.specimen_id, receipt.person_id)


def doubts(bench: Bench) -> list[CardDoubt]:
    return list(bench.session.scalars(select(CardDoubt).order_by(CardDoubt.id)))


def whose(bench: Bench, specimen_id: UUID) -> Person:
    return bench.session.scalars(
        select(Person)
        .join(Specimen, Specimen.person_id == Person.id)
        .where(Specimen.id == specimen_id)
        .execution_options(populate_existing=True)
    ).one()


def test_a_second_card_is_kept_whole_beside_the_first(bench: Bench) -> None:
    swab(bench, AN)
    second = swab(bench, BINH)
    (doubt,) = doubts(bench)
    assert (doubt.specimen_id, doubt.person_id) == (second.specimen_id, second.person_id)
    assert (doubt.name, doubt.phone, doubt.area_code) == (BINH.name, BINH.phone, WORK.code)
    assert whose(bench, second.specimen_id).identity_conflict == "name"


def test_the_same_card_again_is_no_doubt(bench: Bench) -> None:
    swab(bench, AN)
    swab(bench, AN)
    assert doubts(bench) == []


def test_a_list_of_people_and_a_rapid_test_keep_the_second_card_too(bench: Bench) -> None:
    rows = [
        Registration(
            specimen_id=uuid7(), barcode=next(bench.labels), collected_at=bench.now, person=person
        )
        for person in (AN, BINH)
    ]
    register_batch(
        bench.session, list(enumerate(rows)), site_id=bench.site_id, by="desk", now=bench.now
    )
    rapid(bench, BINH)
    assert [(d.name, d.phone) for d in doubts(bench)] == [(BINH.name, BINH.phone)] * 3


def rapid(bench: Bench, person: PersonGiven) -> UUID:
    started = bench.now
    bench.later(20)
    reading = RapidReading(
        specimen_id=uuid7(),
        started_at=started,
        read_at=bench.now,
        outcome=RapidOutcome.POSITIVE,
        kit_lot="L1",
        person=person,
        pcr_barcode=next(bench.labels),
    )
    read_rapid_test(bench.session, reading, site_id=bench.site_id, by="desk", now=bench.now)
    return reading.specimen_id


def test_one_person_with_two_names_stays_one_and_the_mark_is_gone(bench: Bench) -> None:
    first, second = swab(bench, AN), swab(bench, BINH)
    (doubt,) = doubts(bench)
    same_person(bench.session, doubt.id, by="user:r", now=bench.now)
    assert same_person(bench.session, doubt.id, by="user:r", now=bench.now).replayed
    assert whose(bench, second.specimen_id).id == first.person_id
    assert whose(bench, second.specimen_id).identity_conflict is None
    assert len(seen.audited(bench.session, "same_person")) == 1
    with pytest.raises(IllegalMove):
        other_person(bench.session, doubt.id, by="user:r", now=bench.now)


def test_a_positive_filed_under_another_moves_with_its_case_and_both_teams_hear(
    bench: Bench,
) -> None:
    of_an, of_binh = bench.subscribe(HOME), bench.subscribe(WORK)
    swab(bench, AN)
    lost = swab(bench, BINH)
    bench.run({lost.barcode: 24.0})
    finding = bench.session.scalar(text("SELECT id FROM finding WHERE outcome = 'positive'"))
    release_positive(bench.session, finding, site_id=bench.site_id, by="user:r", now=bench.now)
    (doubt,) = doubts(bench)
    decided = other_person(bench.session, doubt.id, by="user:r", now=bench.later(5).now)
    binh = whose(bench, lost.specimen_id)
    assert (binh.id, binh.name, binh.phone) == (decided.person_id, BINH.name, BINH.phone)
    assert binh.national_id is None
    assert {(c.person_id, c.state) for c in seen.cases(bench.session)} == {
        (lost.person_id, "withdrawn"),
        (binh.id, "presumptive"),
    }
    told = [(n.kind, n.subscription_id) for n in seen.notices(bench.session)]
    assert ("case.corrected", of_an) in told and ("case.opened", of_binh) in told
    assert ("case.opened", of_binh) not in told[: told.index(("case.corrected", of_an))]
    now_said = seen.findings(bench.session)[lost.specimen_id]
    assert (now_said.outcome, now_said.status) == ("positive", "P")  # to be signed for again
    assert now_said.evidence == {lost.barcode}


def test_the_first_persons_own_positive_keeps_its_case(bench: Bench) -> None:
    own, lost = swab(bench, AN), swab(bench, BINH)
    bench.run({own.barcode: 22.0, lost.barcode: 24.0})
    (doubt,) = doubts(bench)
    other_person(bench.session, doubt.id, by="user:r", now=bench.now)
    states = {c.person_id: c.state for c in seen.cases(bench.session)}
    assert states[own.person_id] == "presumptive"
    assert states[whose(bench, lost.specimen_id).id] == "presumptive"


def test_a_moved_negative_is_a_correction_and_opens_no_case(bench: Bench) -> None:
    swab(bench, AN)
    lost = swab(bench, BINH)
    bench.run()
    other_person(bench.session, doubts(bench)[0].id, by="user:r", now=bench.now)
    assert seen.findings(bench.session)[lost.specimen_id].status == "C"
    assert seen.cases(bench.session) == []


@pytest.mark.parametrize("also", [None, "delta_check"])
def test_a_moved_negative_that_was_held_is_released_only_by_what_was_decided(
    bench: Bench, also: str | None
) -> None:
    """Whose it is answers the doubt about the card, and no other reason to wait."""
    bench.session.execute(text("UPDATE site SET identity_holds = true"))
    swab(bench, AN)
    lost = swab(bench, BINH)
    bench.run()
    held = text("UPDATE finding SET holds = array_append(holds, :also) WHERE specimen_id = :id")
    if also:
        bench.session.execute(held, {"also": also, "id": lost.specimen_id})
    other_person(bench.session, doubts(bench)[0].id, by="user:r", now=bench.now)
    said = bench.session.execute(
        text(
            "SELECT status, released_by, holds, rule FROM finding"
            " WHERE specimen_id = :id AND current"
        ),
        {"id": lost.specimen_id},
    ).one()
    wanted = ("P", None, [also]) if also else ("F", said.rule, [])
    assert (said.status, said.released_by, said.holds) == wanted


def test_a_rapid_positive_moves_its_isolation_and_its_pcr_swab(bench: Bench) -> None:
    first = swab(bench, AN)
    read = rapid(bench, BINH)
    by_swab = {doubt.specimen_id: doubt.id for doubt in doubts(bench)}
    assert len(by_swab) == 2  # the PCR swab that the strip asked for is in doubt too
    other_person(bench.session, by_swab.pop(read), by="user:r", now=bench.now)
    states = {c.person_id: (c.state, c.basis) for c in seen.cases(bench.session)}
    assert states[first.person_id][0] == "withdrawn"
    assert states[whose(bench, read).id] == ("presumptive", "antigen_presumptive")
    ((pcr, doubt_id),) = by_swab.items()
    other_person(bench.session, doubt_id, by="user:r", now=bench.now)
    assert whose(bench, pcr).id == whose(bench, read).id


def test_the_same_second_card_twice_is_one_other_person(bench: Bench) -> None:
    swab(bench, AN)
    lost = [swab(bench, BINH), swab(bench, BINH)]
    for doubt in doubts(bench):
        other_person(bench.session, doubt.id, by="user:r", now=bench.now)
        assert other_person(bench.session, doubt.id, by="user:r", now=bench.now).replayed
    assert len({whose(bench, one.specimen_id).id for one in lost}) == 1
    assert len(bench.session.scalars(select(Person)).all()) == 2
    assert whose(bench, lost[0].specimen_id).identity_conflict is None


def test_an_unknown_doubt_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        same_person(bench.session, uuid7(), by="user:r", now=bench.now)
