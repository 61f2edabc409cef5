"""What a machine called is kept with its measurement: every later reading hears the same words."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from lims.domain.outcomes import Outcome
from lims.tables import Measurement, Result
from lims.work.amend import amend_result
from lims.work.attach import attach
from lims.work.correct import accept_correction
from lims.work.views.case_file import case_file
from tests import seen
from tests.builders import Bench, open_bench
from tests.captures import called_capture, called_plate

NEGATIVE, POSITIVE = {"ORF1ab": "NEG", "E": "NEG"}, {"ORF1ab": "POS", "E": "POS"}


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _standing(bench: Bench, standing: str) -> UUID:
    return bench.session.scalars(
        select(Measurement.id).where(Measurement.standing == standing)
    ).one()


def _result(bench: Bench) -> Result:
    return bench.session.scalars(select(Result).where(Result.current)).one()


def test_held_wells_speak_by_their_calls_once_the_message_is_whole(bench: Bench) -> None:
    people = [bench.swab() for _ in range(6)]
    layout = bench.plate()
    whole = called_plate(layout, {people[1].barcode})
    cut = replace(called_plate(layout, {people[1].barcode}), complete=False)
    first = bench.take(replace(cut, measurements=whole.measurements[:4]))
    assert (first.state, first.held) == ("held", 4)

    receipt = bench.later(20).take(replace(whole, measurements=whole.measurements[4:]))

    assert receipt.runs == {layout.plate: "valid"}
    found = {one: f.outcome for one, f in seen.findings(bench.session).items()}
    assert found.pop(people[1].specimen_id) == "positive"
    assert set(found.values()) == {"negative"} and len(found) == 5
    assert [c.person_id for c in seen.cases(bench.session)] == [people[1].person_id]


def test_a_held_run_is_freed_by_the_call_of_its_late_control(bench: Bench) -> None:
    person = bench.swab()
    layout = bench.plate()
    whole = called_plate(layout, {person.barcode})
    control = next(m for m in whole.measurements if m.role == "positive_control")
    rest = tuple(m for m in whole.measurements if m is not control)
    early = bench.take(replace(whole, measurements=rest))
    assert early.runs == {layout.plate: "held"}
    assert seen.cases(bench.session) == []

    late = bench.later(10).take(replace(called_plate(layout), measurements=(control,)))

    assert late.runs == {layout.plate: "valid"}
    assert len(seen.cases(bench.session)) == 1


def test_attached_by_hand_it_says_what_the_machine_called(bench: Bench) -> None:
    bench.called("SMUDGED", POSITIVE)
    meant = bench.swab()

    attached = attach(
        bench.session,
        _standing(bench, "unmatched"),
        meant.barcode,
        by="ktv.binh",
        now=bench.now,
    )

    assert attached.outcome == "detected"
    assert _result(bench).why == "the machine's own call: ORF1ab POS, E POS"


def test_a_second_call_for_one_test_is_a_correction_that_waits(bench: Bench) -> None:
    person = bench.swab()
    bench.called(person.barcode, NEGATIVE)
    at = bench.now
    bench.later(5).take(called_capture(person.barcode, POSITIVE, at=at))
    assert seen.findings(bench.session)[person.specimen_id].outcome == "negative"

    corrected = accept_correction(
        bench.session, _standing(bench, "correction"), by="bs.lan", now=bench.now
    )

    assert (corrected.was, corrected.outcome) == ("not_detected", "detected")
    assert _result(bench).ct_cycles is None
    assert len(seen.cases(bench.session)) == 1


def test_a_reviewer_may_say_otherwise_and_no_ct_is_made_up(bench: Bench) -> None:
    person = bench.swab()
    bench.called(person.barcode, NEGATIVE)
    amend_result(
        bench.session,
        _result(bench).id,
        Outcome.DETECTED,
        "the curve is there",
        site_id=bench.site_id,
        by="bs.lan",
        now=bench.later(5).now,
    )
    assert (_result(bench).outcome, _result(bench).ct_cycles) == ("detected", None)
    case_id = bench.session.execute(text("SELECT id FROM f0_case")).scalar_one()
    shown = case_file(bench.session, case_id, with_ct=True).evidence
    assert [(one.outcome, one.called) for one in shown] == [("detected", None)]  # and not "NEG"


def test_a_pool_called_positive_whose_members_are_called_negative_is_discordant(
    bench: Bench,
) -> None:
    people = bench.swabs(3)
    pool = bench.lab_pool(people)
    bench.called(pool, POSITIVE)
    for person in people:
        bench.called(person.barcode, NEGATIVE)
    assert {f.outcome for f in seen.findings(bench.session).values()} == {"discordant"}
    assert seen.waiting(bench.session) == {pool}

    bench.called(pool, NEGATIVE)
    assert {f.outcome for f in seen.findings(bench.session).values()} == {"discordant"}


def test_a_member_called_doubtful_is_among_those_tested_again_for_a_discordant_pool(
    bench: Bench,
) -> None:
    """Without a cycle number it is a suspect all the same."""
    people = bench.swabs(2)
    pool = bench.lab_pool(people)
    bench.called(pool, POSITIVE)
    bench.called(people[0].barcode, {"ORF1ab": "Inconclusive"})
    bench.called(people[1].barcode, NEGATIVE)
    bench.called(people[0].barcode, NEGATIVE)
    assert seen.waiting(bench.session) == {pool, people[0].barcode}


def test_what_was_stored_before_calls_were_kept_is_read_by_its_numbers(bench: Bench) -> None:
    bench.called("SMUDGED", POSITIVE)
    bench.session.execute(text("ALTER TABLE measurement DISABLE TRIGGER as_it_came"))
    bench.session.execute(
        text(
            "UPDATE measurement SET called = NULL, closed_system = false,"
            " targets = (SELECT jsonb_agg(t - 'called') FROM jsonb_array_elements(targets) t)"
        )
    )
    bench.session.expire_all()
    meant = bench.swab()
    attached = attach(
        bench.session, _standing(bench, "unmatched"), meant.barcode, by="ktv", now=bench.now
    )
    assert attached.outcome == "invalid"


@pytest.mark.parametrize(
    ("call", "called", "wrong"),
    [("RR", "maybe", "ck_measurement_called"), (None, "detected", "called_as_sent")],
)
def test_a_word_that_is_none_or_that_nobody_sent_cannot_be_stored(
    bench: Bench, call: str | None, called: str, wrong: str
) -> None:
    bench.called("SMUDGED", POSITIVE)
    with pytest.raises(IntegrityError, match=wrong):
        bench.session.execute(
            text(
                "INSERT INTO measurement (id, site_id, message_id, instrument_id, path,"
                " specimen_text, role, assay_text, targets, content, standing, received_at, call,"
                " called) SELECT gen_random_uuid(), site_id, message_id, instrument_id, 'other',"
                " specimen_text, role, assay_text, targets, content, standing, received_at, :call,"
                " :called FROM measurement"
            ),
            {"call": call, "called": called},
        )


@pytest.mark.parametrize("other", ["called = 'detected', call = 'POS'", "closed_system = false"])
def test_what_a_machine_was_understood_to_say_is_never_rewritten(bench: Bench, other: str) -> None:
    bench.called("SMUDGED", NEGATIVE, whole="NR")
    with pytest.raises(ProgrammingError, match="kept as it came"):
        bench.session.execute(text(f"UPDATE measurement SET {other}"))
