"""S9: a grid of rows and columns inside a positive pool, measured in one run."""

from dataclasses import replace
from datetime import datetime
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.correct import accept_correction
from lims.work.reject import reject
from lims.work.review import close_discordance, release_positive
from lims.work.views.review_queue import disputed
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.captures import cartridge_capture, plate_capture
from tests.seen import SeenCase, SeenFinding


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _pool(bench: Bench, asked: str = "grid", size: int = 20) -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})
    return bench.lab_pool(people), people


def _to_prepare(bench: Bench) -> dict[str, UUID]:
    rows = bench.session.execute(
        text("SELECT position, id FROM sub_pool WHERE state = 'wanted' ORDER BY id")
    )
    return {row.position: row.id for row in rows}


def _lines(bench: Bench) -> tuple[dict[str, str], str, list[Swab]]:
    """A pool of twenty detected, and its nine sub-pools on the rack."""
    pool, people = _pool(bench)
    bench.run({pool: 27.0})
    return bench.prepare_sub_pools(), pool, people


def test_a_detected_pool_asks_for_four_rows_and_five_columns_and_for_nobody_alone(
    bench: Bench,
) -> None:
    pool, _ = _pool(bench)

    bench.run({pool: 27.0})

    assert list(_to_prepare(bench)) == [
        *(f"row {n}" for n in range(1, 5)),
        *(f"column {n}" for n in range(1, 6)),
    ]
    assert seen.orders(bench.session, "queued") == []
    chosen = bench.session.execute(
        text("SELECT strategy, because, chosen_by FROM pool_resolution WHERE current")
    ).one()
    assert tuple(chosen) == ("grid", "campaign", "rule/resolution/1")
    assert {f.outcome for f in seen.findings(bench.session).values()} == {"preliminary"}


def test_prepared_sub_pools_are_measured_before_anything_else(bench: Bench) -> None:
    made, pool, _ = _lines(bench)

    queued = seen.orders(bench.session, "queued")
    assert {o.barcode for o in queued} == set(made.values())
    assert {(o.why, o.priority) for o in queued} == {("resolve", 9)}
    held = bench.session.execute(
        text(
            "SELECT count(*) FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id"
            " WHERE t.barcode = :row"
        ),
        {"row": made["row 2"]},
    ).scalar_one()
    assert held == 5
    assert pool not in made.values()


def test_one_row_and_one_column_name_a_person_who_is_told_at_once(bench: Bench) -> None:
    team = bench.subscribe(HOME)
    made, _, people = _lines(bench)
    named = people[7]

    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})

    found = seen.findings(bench.session)
    lines = frozenset({made["row 2"], made["column 3"]})
    assert found[named.specimen_id] == SeenFinding("presumptive", "P", lines)
    others = [found[p.specimen_id] for p in people if p is not named]
    assert {(f.outcome, f.status) for f in others} == {("negative", "F")}
    (order,) = seen.orders(bench.session, "queued")
    assert (order.barcode, order.why, order.priority) == (named.barcode, "resolve", 9)
    assert seen.cases(bench.session) == [
        SeenCase(named.person_id, "presumptive", "pooled_presumptive", sequence=1)
    ]
    (told,) = seen.notices(bench.session, "case.opened")
    assert (told.subscription_id, told.person_id) == (team, named.person_id)
    states = seen.alert_members(bench.session)
    assert states.pop(named.specimen_id) == "provisional"
    assert set(states.values()) == {"withdrawn"}


def test_her_own_test_carries_the_same_case_and_a_reviewer_confirms_it(bench: Bench) -> None:
    bench.subscribe(HOME)
    made, _, people = _lines(bench)
    bench.run({made["row 2"]: 26.0, made["column 3"]: 25.7})

    bench.run({people[7].barcode: 22.5})

    assert seen.cases(bench.session) == [
        SeenCase(people[7].person_id, "presumptive", "pcr", sequence=2)
    ]
    assert seen.findings(bench.session)[people[7].specimen_id] == SeenFinding(
        "positive", "P", frozenset({people[7].barcode})
    )
    finding = bench.session.execute(
        text("SELECT id FROM finding WHERE current AND outcome = 'positive'")
    ).scalar_one()
    release_positive(bench.session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now)
    (case,) = seen.cases(bench.session)
    assert (case.state, case.basis) == ("confirmed", "pcr")
    kinds = [n.kind for n in seen.notices(bench.session) if n.kind.startswith("case")]
    assert kinds == ["case.opened", "case.corrected", "case.confirmed"]
    assert seen.waiting(bench.session) == set()


def test_her_own_test_negative_puts_her_row_and_column_to_the_test_and_the_case_waits(
    bench: Bench,
) -> None:
    bench.subscribe(HOME)
    made, _, people = _lines(bench)
    bench.run({made["row 2"]: 36.0, made["column 3"]: 36.2})

    bench.run()

    row, column = set(range(5, 10)), {2, 7, 12, 17}
    doubted = {people[n].barcode for n in (row | column) - {7}}
    assert seen.waiting(bench.session) == doubted
    assert [c.state for c in seen.cases(bench.session)] == ["presumptive"]

    bench.run({people[9].barcode: 33.0, people[2].barcode: 34.0})

    outcomes = [seen.findings(bench.session)[p.specimen_id].outcome for p in people]
    assert [n for n, o in enumerate(outcomes) if o == "positive"] == [2, 9]
    assert outcomes[7] == "negative"
    assert {(c.person_id, c.state) for c in seen.cases(bench.session)} == {
        (people[7].person_id, "withdrawn"),
        (people[9].person_id, "presumptive"),
        (people[2].person_id, "presumptive"),
    }


def test_when_nobody_of_a_named_row_is_found_a_reviewer_closes_the_pool_and_its_lines(
    bench: Bench,
) -> None:
    made, pool, people = _lines(bench)
    bench.run({made["row 2"]: 36.0, made["column 3"]: 36.2})
    for _ in range(3):  # her own, then everybody of the row and the column, then the two lines
        bench.run()
    assert seen.waiting(bench.session) == set()
    (listed,) = disputed(bench.session, site_id=bench.site_id)
    assert (listed.barcode, listed.repeats_waiting) == (pool, 0)

    for _ in range(2):  # the second time changes nothing
        close_discordance(
            bench.session, pool, "splash", site_id=bench.site_id, by="bs.lan", now=bench.now
        )

    assert {f.outcome for f in seen.findings(bench.session).values()} == {"negative"}
    assert disputed(bench.session, site_id=bench.site_id) == []
    assert [(c.person_id, c.state) for c in seen.cases(bench.session)] == [
        (people[7].person_id, "withdrawn")
    ]


def test_a_row_that_broke_is_pipetted_again(bench: Bench) -> None:
    made, _, _ = _lines(bench)

    reject(bench.session, made["row 2"], "spilt", by="bench", now=bench.now)

    assert list(_to_prepare(bench)) == ["row 2"]
    again = bench.prepare_sub_pools()
    assert made["row 2"] not in seen.waiting(bench.session)
    bench.run({again["row 2"]: 26.0, made["column 3"]: 25.7})
    assert [c.state for c in seen.cases(bench.session)] == ["presumptive"]


def test_two_positives_leave_four_suspects_ranked_and_all_tested(bench: Bench) -> None:
    made, _, people = _lines(bench)

    bench.run(
        {
            made["row 1"]: 26.3,
            made["column 2"]: 26.0,
            made["row 3"]: 33.0,
            made["column 4"]: 32.7,
        }
    )

    assert seen.cases(bench.session) == []
    suspects = [people[n].barcode for n in (1, 3, 11, 13)]
    first = bench.session.execute(
        text(
            "SELECT t.barcode FROM test_order o JOIN tube t ON t.id = o.tube_id"
            " WHERE o.state = 'queued' ORDER BY o.priority DESC, o.created_at, o.id"
        )
    ).scalars()
    queue = list(first)
    assert sorted(queue) == sorted(suspects)
    assert set(queue[:2]) == {people[1].barcode, people[13].barcode}

    bench.run({people[1].barcode: 24.0, people[13].barcode: 30.7})
    outcomes = [seen.findings(bench.session)[p.specimen_id].outcome for p in people]
    assert [n for n, o in enumerate(outcomes) if o == "positive"] == [1, 13]
    assert outcomes.count("negative") == 18
    assert seen.waiting(bench.session) == set()


def test_lines_that_all_miss_clear_nobody(bench: Bench) -> None:
    _, pool, _ = _lines(bench)

    bench.run()

    found = seen.findings(bench.session)
    assert {(f.outcome, f.status) for f in found.values()} == {("discordant", "P")}
    assert seen.waiting(bench.session) == {pool}


ORDERS = list(permutations(["pool again", "rows", "columns", "own"]))


@pytest.mark.parametrize("order", ORDERS[::3])
def test_the_end_does_not_depend_on_the_order_of_the_answers(
    session: Session, now: datetime, order: tuple[str, ...]
) -> None:
    """S8 with sub-pools: each answer by itself, twice, in any order."""
    bench = open_bench(session, now)
    made, pool, people = _lines(bench)
    session.execute(
        text(
            "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why,"
            " state, created_at) SELECT gen_random_uuid(), site_id, id, assay_code, 1, 9,"
            " 'primary', 'queued', :now FROM tube WHERE barcode = :barcode"
        ),
        {"barcode": people[7].barcode, "now": bench.now},
    )
    cts = {made["row 2"]: 26.0, made["column 3"]: 25.7, people[7].barcode: 22.5, pool: 27.0}
    said = {
        "pool again": [pool],
        "rows": [label for name, label in made.items() if name.startswith("row")],
        "columns": [label for name, label in made.items() if name.startswith("column")],
        "own": [people[7].barcode],
    }

    for what in [*order, *order]:
        for barcode in said[what]:
            capture = cartridge_capture(
                barcode, cts.get(barcode), at=bench.now, instrument=bench.instrument
            )
            bench.take(capture)
    if seen.waiting(session):
        bench.run()

    found = seen.findings(session)
    outcomes = [found[p.specimen_id].outcome for p in people]
    assert outcomes == [*["negative"] * 7, "positive", *["negative"] * 12]
    assert found[people[7].specimen_id].evidence == {people[7].barcode}
    assert [(c.person_id, c.state, c.basis) for c in seen.cases(session)] == [
        (people[7].person_id, "presumptive", "pcr")
    ]
    assert seen.waiting(session) == set()
    assert _to_prepare(bench) == {}


def test_a_correction_takes_the_name_back_and_says_so(bench: Bench) -> None:
    bench.subscribe(HOME)
    pool, people = _pool(bench)
    bench.run({pool: 27.0})
    made = bench.prepare_sub_pools()
    layout = bench.plate()
    first = plate_capture(layout, {made["row 2"]: 26.0, made["column 3"]: 25.7})
    bench.later(90).take(first)
    second = plate_capture(layout, {made["row 2"]: 26.0, made["column 4"]: 25.7})
    moved = (made["column 3"], made["column 4"])
    corrected = replace(
        second, measurements=tuple(m for m in second.measurements if m.specimen in moved)
    )
    bench.later(30).take(corrected)
    for id in bench.session.execute(
        text("SELECT id FROM measurement WHERE standing = 'correction'")
    ).scalars():
        accept_correction(bench.session, id, by="bs.lan", now=bench.now)

    outcomes = [seen.findings(bench.session)[p.specimen_id].outcome for p in people]
    assert [n for n, o in enumerate(outcomes) if o == "presumptive"] == [8]
    assert {(c.person_id, c.state) for c in seen.cases(bench.session)} == {
        (people[7].person_id, "withdrawn"),
        (people[8].person_id, "presumptive"),
    }
