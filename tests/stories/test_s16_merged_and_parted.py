"""S16: the same name and year twice is offered, merged by a reviewer only, and parted again."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.refusals import InvalidBody, NotFound
from lims.domain.registration import PersonGiven, Registration
from lims.tables import Finding, Person, PersonMerge, Specimen
from lims.work.claim import claim
from lims.work.merge import CannotMerge, Merged, merge_people, part_people
from lims.work.people import keep_person
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.receive import receive
from lims.work.register import register
from lims.work.review import release_positive
from lims.work.sites import found_site
from lims.work.views.reconcile import reconcile
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.captures import Told

NUMBER = "001080000001"
AFTER_S20 = datetime(2022, 1, 10, 1, 0, tzinfo=UTC)
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
        bench.session,
        kept.person_id,
        merged.person_id,
        WHY,
        site_id=bench.site_id,
        by="user:r",
        now=bench.later(5).now,
    )


def part(bench: Bench, merged: Swab) -> Merged:
    bench.later(5)
    return part_people(
        bench.session, merged.person_id, site_id=bench.site_id, by="user:r", now=bench.now
    )


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
    assert all_adds_up(bench)


def test_two_f0_of_one_person_become_one(bench: Bench) -> None:
    first, second = swab(bench), swab(bench)
    bench.run({first.barcode: 22.0, second.barcode: 24.0})
    merge(bench, first, second)
    states = {c.person_id: c.state for c in seen.cases(bench.session)}
    assert states == {first.person_id: "presumptive", second.person_id: "withdrawn"}
    assert all_adds_up(bench)


def test_what_cannot_be_merged_says_why(bench: Bench) -> None:
    plain, card, other = swab(bench), swab(bench, number=NUMBER), swab(bench)
    with pytest.raises(CannotMerge, match="same person twice"):
        merge(bench, plain, plain)
    with pytest.raises(CannotMerge, match="two card numbers"):
        merge(bench, swab(bench, number="001080000002"), card)
    two = plain.person_id, other.person_id
    said = partial(merge_people, bench.session, site_id=bench.site_id, by="user:r", now=bench.now)
    with pytest.raises(InvalidBody):
        said(*two, " ")
    with pytest.raises(NotFound):
        said(plain.person_id, uuid7(), WHY)
    with pytest.raises(NotFound):
        part(bench, other)
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


def strip_and_pcr(bench: Bench, known: UUID, ct: Told, exposure: Exposure = Exposure.NONE) -> Swab:
    """A positive strip of this person and what its PCR said; the PCR's swab."""
    label = next(bench.labels)
    reading = RapidReading(
        specimen_id=uuid7(),
        started_at=bench.now - timedelta(minutes=20),
        read_at=bench.now,
        outcome=RapidOutcome.POSITIVE,
        kit_lot="L-77",
        person_id=known,
        pcr_barcode=label,
        exposure=exposure,
    )
    read_rapid_test(bench.session, reading, site_id=bench.site_id, by="desk", now=bench.now)
    bench.session.flush()
    receive(bench.session, label, by="door", now=bench.now)
    bench.run({label: ct})
    pcr = bench.session.scalar(
        text("SELECT pcr_specimen_id FROM rapid_test WHERE specimen_id = :id"),
        {"id": reading.specimen_id},
    )
    assert pcr is not None
    return Swab(label, pcr, known)


def all_adds_up(bench: Bench) -> bool:
    day = timedelta(days=1)
    span = {"since": bench.now - day, "until": bench.now + day}
    return reconcile(bench.session, site_id=bench.site_id, **span).clean


def test_a_strip_that_its_pcr_refuted_is_one_case_however_often_it_changes_hands(
    bench: Bench,
) -> None:
    bench.subscribe(HOME)
    first, second = swab(bench), swab(bench)
    strip_and_pcr(bench, second.person_id, None)
    refuted = [(second.person_id, "not_confirmed")]
    told = ["case.opened", "case.corrected"]
    for merging in (True, True, False, True):
        if merging:
            merge(bench, first, second)
        else:
            part(bench, second)
        assert [(c.person_id, c.state) for c in seen.cases(bench.session)] == refuted
        assert [n.kind for n in seen.notices(bench.session)] == told
    assert all_adds_up(bench)


def test_a_refutation_does_not_grow_younger_by_a_merge(bench: Bench) -> None:
    """A refuted strip is no first of two (S20), whenever the rows were said to be one."""
    bench.subscribe(HOME)
    bench.now = AFTER_S20
    first, second = swab(bench), swab(bench)
    strip_and_pcr(bench, second.person_id, None, Exposure.FACTOR)
    bench.later(60)
    strip_and_pcr(bench, second.person_id, 24.0)
    merge(bench.later(60), first, second)
    live = [(c.person_id, c.state, c.basis) for c in seen.cases(bench.session)]
    assert live[-1] == (first.person_id, "presumptive", "antigen_presumptive")
    assert len(live) == 3  # the refuted one, the one that went, the one that is here
    assert all_adds_up(bench)


def test_an_open_strip_takes_its_case_along_and_brings_the_same_one_back(bench: Bench) -> None:
    bench.subscribe(HOME)
    first, second = swab(bench), swab(bench)
    strip_and_pcr(bench, second.person_id, 24.0)
    merge(bench, first, second)
    part(bench, second)
    merge(bench, first, second)
    part(bench, second)
    assert {(c.person_id, c.state) for c in seen.cases(bench.session)} == {
        (second.person_id, "presumptive"),
        (first.person_id, "withdrawn"),
    }
    assert len(seen.cases(bench.session)) == 2
    assert all_adds_up(bench)


@pytest.mark.parametrize(("exposure", "basis"), [("none", "pcr"), ("contact", "antigen_contact")])
def test_a_signed_strip_keeps_its_ground_and_its_final_word_there_and_back(
    bench: Bench, exposure: str, basis: str
) -> None:
    bench.subscribe(HOME)
    bench.now = AFTER_S20
    first, second = swab(bench), swab(bench)
    pcr = strip_and_pcr(bench, second.person_id, 24.0, Exposure(exposure))
    finding = bench.session.scalar(
        select(Finding.id).where(Finding.specimen_id == pcr.specimen_id, Finding.current)
    )
    assert finding is not None
    release_positive(bench.session, finding, site_id=bench.site_id, by="user:r", now=bench.now)
    (begun,) = seen.cases(bench.session)
    assert (begun.state, begun.basis) == ("confirmed", basis)
    for holder in (first, second, first, second):
        if holder is first:
            merge(bench, first, second)
        else:
            part(bench, second)
        live = [c for c in seen.cases(bench.session) if c.state != "withdrawn"]
        assert [(c.person_id, c.state, c.basis) for c in live] == [
            (holder.person_id, "confirmed", basis)
        ]
    assert len(seen.cases(bench.session)) == 2
    assert all_adds_up(bench)


def test_nobody_of_another_site_is_merged_parted_or_registered_for(bench: Bench) -> None:
    first, second = swab(bench), swab(bench)
    other = found_site(bench.session, prefix="QN", name="Another laboratory", now=bench.now)
    two = first.person_id, second.person_id
    with pytest.raises(NotFound):
        merge_people(bench.session, *two, WHY, site_id=other, by="user:r", now=bench.now)
    merge(bench, first, second)
    with pytest.raises(NotFound):
        part_people(bench.session, two[1], site_id=other, by="user:r", now=bench.now)
    given = Registration(uuid7(), next(bench.labels), bench.now, person_id=two[0])
    with pytest.raises(NotFound):
        register(bench.session, given, site_id=other, by="desk", now=bench.now)
    with pytest.raises(NotFound):
        keep_person(bench.session, None, two[0], specimen_id=uuid7(), site_id=other, now=bench.now)
