"""A plate that comes in several whole messages: no result is lost, none is doubled (S12)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.work.correct import accept_correction
from lims.work.review_run import release_held_run
from lims.work.run_layout import Layout
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import Told, plate_capture

NOW = datetime(2021, 9, 11, 1, 0, tzinfo=UTC)
TOLD: tuple[Told, ...] = (24.0, None, None, 39.0, None, 30.0)
CONTROLS = ("H11", "H12")
SPECIMENS = tuple(f"{row}01" for row in "ABCDEF")


@contextmanager
def laboratory(database: Engine) -> Iterator[Bench]:
    with session_factory(database)() as session:
        yield open_bench(session, NOW)
        session.rollback()


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _plate(bench: Bench) -> tuple[Layout, list[Swab], dict[str, Told]]:
    people = [bench.swab() for _ in TOLD]
    layout = bench.plate(*(p.barcode for p in people))
    return layout, people, {p.barcode: ct for p, ct in zip(people, TOLD, strict=True)}


def _outcomes(bench: Bench, people: list[Swab]) -> list[str | None]:
    found = seen.findings(bench.session)
    return [found[p.specimen_id].outcome if p.specimen_id in found else None for p in people]


@st.composite
def splits(draw: st.DrawFn) -> list[list[str]]:
    """Whole messages for one plate, in any order."""
    spoken = draw(st.permutations(SPECIMENS + CONTROLS))
    cuts = sorted(draw(st.sets(st.integers(1, len(spoken) - 1), max_size=4)))
    return [spoken[a:b] for a, b in zip([0, *cuts], [*cuts, len(spoken)], strict=True)]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # rolled back by `laboratory`
        HealthCheck.too_slow,  # a busy machine is no fault
    ],
)
@given(parts=splits(), late_pc=st.booleans(), dirty=st.booleans())
def test_however_a_plate_is_split_it_ends_in_the_same_findings(
    database: Engine, parts: list[list[str]], late_pc: bool, dirty: bool
) -> None:
    pc, ntc = 36.0 if late_pc else 25.0, 31.0 if dirty else None
    with laboratory(database) as bench:
        layout, people, cts = _plate(bench)
        bench.take(plate_capture(layout, cts, pc=pc, ntc=ntc))
        whole = _outcomes(bench, people)
        waiting = {p.barcode in seen.waiting(bench.session) for p in people}
    with laboratory(database) as bench:
        layout, people, cts = _plate(bench)
        for part in parts:
            bench.later(5).take(plate_capture(layout, cts, only=part, pc=pc, ntc=ntc))
        assert _outcomes(bench, people) == whole
        assert {p.barcode in seen.waiting(bench.session) for p in people} == waiting
        results = bench.session.execute(
            text("SELECT count(*) - count(DISTINCT tube_id) FROM result WHERE current")
        ).scalar_one()
        assert results == 0


def _controls_first(bench: Bench) -> tuple[Layout, list[Swab], dict[str, Told]]:
    layout, people, cts = _plate(bench)
    bench.take(plate_capture(layout, cts, only=[*CONTROLS, *SPECIMENS[1:3]]))
    assert people[0].barcode in seen.waiting(bench.session)
    return layout, people, cts


def test_a_late_positive_of_a_valid_run_is_a_case_and_nothing_waits_for_it(bench: Bench) -> None:
    layout, people, cts = _controls_first(bench)

    late = bench.later(5).take(plate_capture(layout, cts, only=[SPECIMENS[0]]))

    assert (late.matched, late.unmatched) == (1, 0)
    assert [c.person_id for c in seen.cases(bench.session)] == [people[0].person_id]
    assert people[0].barcode not in seen.waiting(bench.session)


def test_a_late_well_whose_tube_is_on_another_plate_is_left_to_a_person(bench: Bench) -> None:
    layout, people, cts = _controls_first(bench)
    second = bench.plate(people[0].barcode)

    late = bench.later(5).take(plate_capture(layout, cts, only=[SPECIMENS[0]]))

    assert (late.matched, late.unmatched) == (0, 1)
    assert seen.cases(bench.session) == []
    bench.take(plate_capture(second, cts))
    assert [c.person_id for c in seen.cases(bench.session)] == [people[0].person_id]


def test_a_late_well_said_twice_counts_once_and_another_value_is_a_correction(
    bench: Bench,
) -> None:
    layout, people, cts = _controls_first(bench)
    bench.take(plate_capture(layout, cts, only=[SPECIMENS[0]]))

    again = bench.take(plate_capture(layout, cts, only=[SPECIMENS[0]]))
    other = bench.take(plate_capture(layout, {**cts, people[0].barcode: None}, only=[SPECIMENS[0]]))

    assert (again.duplicates, other.corrections) == (1, 1)
    waits = bench.session.execute(
        text("SELECT id FROM measurement WHERE standing = 'correction'")
    ).scalar_one()
    accepted = accept_correction(bench.session, waits, by="bs.lan", now=bench.now)
    assert (accepted.was, accepted.outcome) == ("detected", "not_detected")


def test_a_control_that_comes_late_frees_the_run_that_was_held_for_it(bench: Bench) -> None:
    layout, people, cts = _plate(bench)
    bench.take(plate_capture(layout, cts, only=[*SPECIMENS, "H11"]))
    assert _states(bench) == [("held", "insensitive")]
    assert seen.cases(bench.session) == []
    negative, taken = people[1], people[2]
    second = bench.plate(taken.barcode)

    late = bench.later(20).take(plate_capture(layout, cts, only=["H12"]))

    assert (late.matched, late.unmatched, late.runs) == (1, 0, {layout.plate: "valid"})
    assert _states(bench)[0] == ("valid", "passed")
    assert len(seen.cases(bench.session)) == 2
    assert _outcomes(bench, [negative]) == ["negative"]
    assert negative.barcode not in seen.waiting(bench.session)
    assert _outcomes(bench, [taken]) == [None]  # it is on another plate, and that one answers
    bench.take(plate_capture(second, cts))
    assert _outcomes(bench, [taken]) == ["negative"]
    doubled = "SELECT count(*) - count(DISTINCT tube_id) FROM result WHERE current"
    assert bench.session.scalar(text(doubled)) == 0


def test_a_late_control_that_is_late_itself_leaves_the_run_to_a_reviewer(bench: Bench) -> None:
    layout, _people, cts = _plate(bench)
    bench.take(plate_capture(layout, cts, only=[*SPECIMENS, "H11"]))
    bench.later(20).take(plate_capture(layout, cts, only=["H12"], pc=36.5))
    assert _states(bench) == [("held", "insensitive")]
    why = bench.session.scalar(text("SELECT verdict_why FROM run"))
    assert why == "positive control H12 late: 36.5 > 35 cycles"
    assert seen.cases(bench.session) == []


def test_a_run_that_a_reviewer_let_count_is_not_judged_again(bench: Bench) -> None:
    layout, _people, cts = _plate(bench)
    bench.take(plate_capture(layout, cts, only=[*SPECIMENS, "H11"]))
    release_held_run(bench.session, layout.run_id, by="bs.lan", now=bench.now)
    before = len(seen.cases(bench.session))

    late = bench.later(20).take(plate_capture(layout, cts, only=["H12"]))

    assert late.unmatched == 1
    assert (len(seen.cases(bench.session)), _states(bench)) == (before, [("valid", "insensitive")])


def _states(bench: Bench) -> list[tuple[str, str]]:
    rows = bench.session.execute(text("SELECT state, verdict FROM run ORDER BY plate"))
    return [(row.state, row.verdict) for row in rows]
