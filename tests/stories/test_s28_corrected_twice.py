"""A released result corrected and corrected again: the end is right, and everyone is told."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.outcomes import Outcome
from lims.domain.refusals import IllegalMove, InvalidBody
from lims.domain.signing import Asked
from lims.tables import Finding, Result, Tube
from lims.work.amend import Amended, amend_result
from lims.work.release import release
from lims.work.views.tube_story import tube_story
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench

LAN = "user:lan"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    opened.subscribe(HOME)
    return opened


def _result(bench: Bench, barcode: str) -> UUID:
    return bench.session.scalars(
        select(Result.id)
        .join(Tube, Tube.id == Result.tube_id)
        .where(Result.current, Tube.barcode == barcode)
    ).one()


def _correct(bench: Bench, result: UUID, outcome: Outcome, reason: str) -> Amended:
    bench.later(7)
    return amend_result(
        bench.session, result, outcome, reason, site_id=bench.site_id, by=LAN, now=bench.now
    )


def _sign(bench: Bench, swab: Swab) -> None:
    bench.later(3)
    finding = bench.session.scalars(
        select(Finding.id).where(Finding.specimen_id == swab.specimen_id, Finding.current)
    ).one()
    release(bench.session, [Asked(finding)], site_id=bench.site_id, by=LAN, now=bench.now)


def _said(bench: Bench, swab: Swab) -> tuple[str, str]:
    finding = seen.findings(bench.session)[swab.specimen_id]
    return finding.outcome, finding.status


def test_a_positive_taken_back_and_found_again_is_one_case_told_step_by_step(
    bench: Bench,
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    _sign(bench, swab)

    _correct(bench, _result(bench, swab.barcode), Outcome.NOT_DETECTED, "đọc nhầm đường cong")
    assert _said(bench, swab) == ("negative", "C")
    assert [(c.state, c.sequence) for c in seen.cases(bench.session)] == [("withdrawn", 3)]

    _correct(bench, _result(bench, swab.barcode), Outcome.DETECTED, "đường cong của giếng kề bên")
    assert _said(bench, swab) == ("positive", "P")
    _sign(bench, swab)

    assert _said(bench, swab) == ("positive", "C")
    assert [(c.state, c.sequence) for c in seen.cases(bench.session)] == [("confirmed", 5)]
    told = bench.session.execute(
        text("SELECT sequence, kind, facts ->> 'state' AS state FROM notice ORDER BY sequence")
    )
    assert [tuple(row) for row in told] == [
        (1, "case.opened", "presumptive"),
        (2, "case.confirmed", "confirmed"),
        (3, "case.corrected", "withdrawn"),
        (4, "case.corrected", "presumptive"),
        (5, "case.confirmed", "confirmed"),
    ]
    results = bench.session.scalars(select(Result).order_by(Result.created_at)).all()
    assert [(r.outcome, r.status, r.current) for r in results] == [
        ("detected", "F", False),
        ("not_detected", "C", False),
        ("detected", "C", True),
    ]
    assert [r.supersedes_id for r in results] == [None, results[0].id, results[1].id]


def test_the_tubes_story_has_every_version_with_who_and_why(bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    _sign(bench, swab)
    _correct(bench, _result(bench, swab.barcode), Outcome.NOT_DETECTED, "đọc nhầm")
    _correct(bench, _result(bench, swab.barcode), Outcome.DETECTED, "đọc lại")

    story = tube_story(bench.session, swab.barcode, site_id=bench.site_id)

    results = [(e.outcome, e.corrects, e.by, e.why) for e in story.events if e.what == "result"]
    assert results[1:] == [
        ("not_detected", True, LAN, "đọc nhầm"),
        ("detected", True, LAN, "đọc lại"),
    ]
    findings = [(e.outcome, e.holds, e.released_by) for e in story.events if e.what == "finding"]
    assert findings == [
        ("positive", ("positive",), LAN),
        ("negative", ("replaces_final",), LAN),
        ("positive", ("positive", "replaces_final"), None),
    ]
    assert [(e.state, e.why) for e in story.events if e.what == "case"] == [("presumptive", "pcr")]
    told = [(e.many, e.why) for e in story.events if e.what == "told"]
    assert told == [(1, "presumptive"), (2, "confirmed"), (3, "withdrawn"), (4, "presumptive")]


@pytest.mark.harms("notices numbered anew")
def test_a_case_is_shown_as_it_was_when_it_opened_or_without_a_state(bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    _sign(bench, swab)

    def opened() -> list[str | None]:
        story = tube_story(bench.session, swab.barcode, site_id=bench.site_id)
        return [e.state for e in story.events if e.what == "case"]

    assert [c.state for c in seen.cases(bench.session)] == ["confirmed"]
    assert opened() == ["presumptive"]
    bench.session.execute(text("UPDATE notice SET sequence = sequence + 100"))
    bench.session.execute(text("UPDATE f0_case SET changed_at = opened_at + interval '1 min'"))
    assert opened() == [None], "nobody was told of the opening: today's word is not put there"


def test_the_same_correction_twice_is_one_and_an_older_one_is_refused(bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    first = _result(bench, swab.barcode)

    made = _correct(bench, first, Outcome.NOT_DETECTED, "đọc nhầm")
    again = _correct(bench, first, Outcome.NOT_DETECTED, "đọc nhầm")

    assert (again.result_id, again.replayed) == (made.result_id, True)
    with pytest.raises(IllegalMove):
        _correct(bench, first, Outcome.INVALID, "giếng hỏng")
    with pytest.raises(InvalidBody):
        _correct(bench, made.result_id, Outcome.NOT_DETECTED, "như cũ")
    with pytest.raises(InvalidBody):
        _correct(bench, made.result_id, Outcome.DETECTED, " ")


def test_a_pool_corrected_to_positive_asks_for_its_people_and_back_lets_them_go(
    bench: Bench,
) -> None:
    people = bench.swabs(3)
    pool = bench.lab_pool(people)
    bench.run()

    _correct(bench, _result(bench, pool), Outcome.DETECTED, "đường cong muộn")
    assert {_said(bench, one) for one in people} == {("preliminary", "P")}
    assert seen.waiting(bench.session) == {one.barcode for one in people}

    _correct(bench, _result(bench, pool), Outcome.NOT_DETECTED, "nhiễu nền")
    assert {_said(bench, one) for one in people} == {("negative", "C")}
    assert seen.waiting(bench.session) == set()


def test_a_result_that_says_nothing_any_more_is_tested_again(bench: Bench) -> None:
    swab = bench.swab()
    bench.run()

    _correct(bench, _result(bench, swab.barcode), Outcome.INVALID, "hút nhầm ống")

    assert swab.specimen_id not in seen.findings(bench.session)
    assert seen.waiting(bench.session) == {swab.barcode}
