"""S16: the same name and year twice is offered, merged by a reviewer only, and parted again."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.refusals import InvalidBody, NotFound
from lims.domain.registration import PersonGiven, Registration
from lims.tables import Finding, Person, PersonMerge, Specimen
from lims.work.claim import claim
from lims.work.merge import CannotMerge, Merged, merge_people, part_people
from lims.work.receive import receive
from lims.work.register import register
from lims.work.review import release_positive
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench

NUMBER = "001080000001"
WHY = "same card shown at the desk"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def swab(bench: Bench, *, number: str | None = None, known: UUID | None = None) -> Swab:
    name = "Nguyễn Văn An"
    person = PersonGiven(name, name_key(name), 1980, national_id=number, area=HOME)
    given = Registration(
        specimen_id=uuid7(),
        barcode=next(bench.labels),
        collected_at=bench.now,
        person=person if known is None else None,
        person_id=known,
    )
    receipt = register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    receive(bench.session, given.barcode, by="door", now=bench.now)
    bench.session.flush()
    return Swab(given.barcode, given.specimen_id, receipt.person_id)


def merge(bench: Bench, kept: Swab, merged: Swab) -> Merged:
    return merge_people(
        bench.session, kept.person_id, merged.person_id, WHY, by="user:r", now=bench.later(5).now
    )


def part(bench: Bench, merged: Swab) -> Merged:
    return part_people(bench.session, merged.person_id, by="user:r", now=bench.later(5).now)


def owner(bench: Bench, one: Swab) -> UUID:
    found = bench.session.scalar(select(Specimen.person_id).where(Specimen.id == one.specimen_id))
    assert found is not None
    return found


def numbers(bench: Bench) -> dict[UUID, str | None]:
    bench.session.expire_all()
    return {p.id: p.national_id for p in bench.session.scalars(select(Person))}


def test_nobody_is_merged_by_having_the_same_name_and_year(bench: Bench) -> None:
    assert swab(bench).person_id != swab(bench).person_id


def test_every_swab_goes_to_who_is_left_and_comes_back(bench: Bench) -> None:
    first, second, third = swab(bench), swab(bench, number=NUMBER), swab(bench, number=NUMBER)
    done = merge(bench, first, second)
    assert (done.swabs, done.replayed) == (2, False)
    assert {owner(bench, one) for one in (first, second, third)} == {first.person_id}
    assert numbers(bench) == {first.person_id: NUMBER, second.person_id: None}
    part(bench, second)
    assert owner(bench, first) == first.person_id
    assert owner(bench, second) == owner(bench, third) == second.person_id
    assert numbers(bench) == {first.person_id: None, second.person_id: NUMBER}


def test_merging_and_parting_twice_change_nothing_and_history_stays(bench: Bench) -> None:
    first, second = swab(bench), swab(bench)
    merge(bench, first, second)
    assert merge(bench, first, second).replayed
    part(bench, second)
    assert part(bench, second).replayed
    merge(bench, first, second)
    kept = bench.session.scalars(select(PersonMerge).order_by(PersonMerge.merged_at)).all()
    assert [(m.merged_by, m.reason, m.undone_by) for m in kept] == [
        ("user:r", WHY, "user:r"),
        ("user:r", WHY, None),
    ]
    assert len(seen.audited(bench.session, "merge_people")) == 2
    assert len(seen.audited(bench.session, "part_people")) == 1


def test_a_card_or_a_page_of_the_old_row_registers_for_who_is_left(bench: Bench) -> None:
    first, second = swab(bench), swab(bench, number=NUMBER)
    merge(bench, first, second)
    by_card, by_page = swab(bench, number=NUMBER), swab(bench, known=second.person_id)
    assert by_card.person_id == by_page.person_id == first.person_id
    part(bench, second)  # what was taken in between stays where it was taken
    assert owner(bench, by_card) == owner(bench, by_page) == first.person_id


def test_one_f0_stays_one_with_its_final_word_and_the_team_that_holds_it(bench: Bench) -> None:
    team = bench.subscribe(HOME)
    first, second = swab(bench), swab(bench)
    bench.run({second.barcode: 24.0})
    finding = bench.session.scalar(text("SELECT id FROM finding WHERE outcome = 'positive'"))
    release_positive(bench.session, finding, site_id=bench.site_id, by="user:r", now=bench.now)
    case_id = bench.session.scalar(text("SELECT id FROM f0_case"))
    holder = bench.session.scalar(
        text("SELECT team_id FROM subscription WHERE id = :id"), {"id": team}
    )
    claim(bench.session, case_id, holder, by="user:t", now=bench.now)
    merge(bench, first, second)
    assert {(c.person_id, c.state) for c in seen.cases(bench.session)} == {
        (second.person_id, "withdrawn"),
        (first.person_id, "confirmed"),
    }
    assert seen.findings(bench.session)[second.specimen_id].status == "C"
    held = bench.session.execute(
        text(
            "SELECT c.person_id, k.team_id FROM claim k JOIN f0_case c ON c.id = k.case_id"
            " WHERE k.ended_at IS NULL AND c.state = 'confirmed'"
        )
    ).all()
    assert [tuple(row) for row in held] == [(first.person_id, holder)]
    part(bench, second)
    live = {c.person_id for c in seen.cases(bench.session) if c.state == "confirmed"}
    assert live == {second.person_id}


def test_two_f0_of_one_person_become_one(bench: Bench) -> None:
    first, second = swab(bench), swab(bench)
    bench.run({first.barcode: 22.0, second.barcode: 24.0})
    merge(bench, first, second)
    states = {c.person_id: c.state for c in seen.cases(bench.session)}
    assert states == {first.person_id: "presumptive", second.person_id: "withdrawn"}


def test_what_cannot_be_merged_says_why(bench: Bench) -> None:
    plain, card, other = swab(bench), swab(bench, number=NUMBER), swab(bench)
    with pytest.raises(CannotMerge, match="same person twice"):
        merge(bench, plain, plain)
    with pytest.raises(CannotMerge, match="two card numbers"):
        merge(bench, swab(bench, number="001080000002"), card)
    with pytest.raises(InvalidBody):
        merge_people(
            bench.session, plain.person_id, other.person_id, " ", by="user:r", now=bench.now
        )
    with pytest.raises(NotFound):
        merge_people(bench.session, plain.person_id, uuid7(), WHY, by="user:r", now=bench.now)
    with pytest.raises(NotFound):
        part_people(bench.session, other.person_id, by="user:r", now=bench.now)
    merge(bench, plain, other)
    with pytest.raises(CannotMerge, match="merged already"):
        merge(bench, card, other)
    with pytest.raises(CannotMerge, match="others were merged"):
        merge(bench, card, plain)


def test_what_waits_for_a_reviewer_waits_on_after_the_merge(bench: Bench) -> None:
    second = swab(bench)
    bench.run({second.barcode: 24.0})
    bench.later(60 * 24)
    again = swab(bench, known=second.person_id)
    bench.run()
    merge(bench, swab(bench), second)
    bench.session.expire_all()
    waits = bench.session.scalars(
        select(Finding).where(Finding.specimen_id == again.specimen_id, Finding.current)
    ).one()
    assert (waits.outcome, waits.status, waits.released_by) == ("negative", "P", None)
    assert waits.holds == ["delta_check"]
    release_positive(bench.session, waits.id, site_id=bench.site_id, by="user:r", now=bench.now)
    assert (waits.status, waits.released_by) == ("F", "user:r")
