"""What was known when a pool's way was chosen: stored once, and followed whatever becomes known."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.choice import StrategyName
from lims.work.resolve_pool import resolve_otherwise
from lims.work.volume import say_volume
from tests import seen
from tests.builders import Bench, Swab, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _pool(bench: Bench, asked: str = "bayesian", size: int = 20) -> tuple[str, list[Swab]]:
    people = bench.swabs(size)
    _ask(bench, asked)
    return bench.lab_pool(people), people


def _ask(bench: Bench, asked: str) -> None:
    bench.session.execute(text("UPDATE campaign SET resolution = :asked"), {"asked": asked})


def _live_together(bench: Bench, people: Iterable[Swab]) -> None:
    home = uuid7()
    bench.session.execute(
        text(
            "INSERT INTO household (id, site_id, label, created_at)"
            " VALUES (:id, :site, 'a flat', :now)"
        ),
        {"id": home, "site": bench.site_id, "now": bench.now},
    )
    bench.session.execute(
        text("UPDATE person SET household_id = :home WHERE id = ANY(:people)"),
        {"home": home, "people": [one.person_id for one in people]},
    )


def _chosen(bench: Bench, pool: str) -> Any:
    return bench.session.execute(
        text(
            "SELECT r.strategy, r.because, r.facts FROM pool_resolution r JOIN tube t"
            " ON t.id = r.pool_id WHERE t.barcode = :pool AND r.current"
        ),
        {"pool": pool},
    ).one()


def _lines(bench: Bench) -> dict[str, list[str]]:
    """The tubes of every sub-pool that is wanted."""
    rows = bench.session.execute(
        text(
            "SELECT p.position, t.barcode FROM sub_pool p JOIN sub_pool_source s"
            " ON s.sub_pool_id = p.id JOIN tube t ON t.id = s.source_id"
            " WHERE p.state = 'wanted' ORDER BY p.position, s.place"
        )
    )
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.position, []).append(row.barcode)
    return lines


def test_who_lives_with_whom_is_stored_by_place_and_planned_with(bench: Bench) -> None:
    pool, people = _pool(bench)
    strangers, _ = _pool(bench)
    _live_together(bench, people[0:4])
    _live_together(bench, people[7:9])

    bench.run({pool: 27.0, strangers: 27.0})

    facts = _chosen(bench, pool).facts
    assert facts["households"] == [0, 0, 0, 0, 4, 5, 6, 7, 7, *range(9, 20)]
    assert facts["secondary_attack_rate"] == 0.25
    assert "households" not in _chosen(bench, strangers).facts
    assert not {str(one.person_id) for one in people} & set(map(str, facts.values()))


def test_the_lines_are_stored_with_the_choice_and_are_those_that_are_wanted(bench: Bench) -> None:
    pool, people = _pool(bench)

    bench.run({pool: 27.0})

    lines = _chosen(bench, pool).facts["first_lines"]
    assert len(lines) == 5
    by_place = [[people[place].barcode for place in line] for line in lines]
    assert sorted(by_place) == sorted(_lines(bench).values())


def test_what_becomes_known_later_changes_no_open_pool(bench: Bench) -> None:
    pool, people = _pool(bench)
    bench.run({pool: 27.0})
    before, lines = _chosen(bench, pool).facts, _lines(bench)

    _live_together(bench, people[5:11])
    bench.session.execute(
        text("UPDATE site SET sub_pool_draws = 3, run_draws = 20, secondary_attack_percent = 60")
    )
    made = bench.prepare_sub_pools()
    bench.cartridge(made["pool 1"], None)

    assert _chosen(bench, pool).facts == before
    assert _lines(bench) == {}
    assert len(made) == len(lines)


def test_a_relative_of_one_who_was_found_is_never_cleared_by_less_than_a_tube_of_hers(
    bench: Bench,
) -> None:
    pool, people = _pool(bench)
    _live_together(bench, people[0:5])
    bench.run({pool: 27.0})
    infected = people[0:3]

    for _ in range(8):
        bench.prepare_sub_pools()
        queued = {order.barcode for order in seen.orders(bench.session, "queued")}
        if not queued:
            break
        held = bench.session.execute(
            text(
                "SELECT DISTINCT t.barcode FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id"
                " WHERE ts.specimen_id = ANY(:ids)"
            ),
            {"ids": [one.specimen_id for one in infected]},
        ).scalars()
        bench.run(dict.fromkeys(queued & set(held), 26.0))

    found = seen.findings(bench.session)
    said = [found[one.specimen_id].outcome for one in people]
    assert said == ["positive"] * 3 + ["negative"] * 17


@pytest.mark.parametrize(
    ("limit", "most"),
    [("sub_pool_draws = 6", 6), ("max_pool_size = 5", 5), ("run_draws = 30", 10)],
)
def test_sub_pools_are_planned_within_what_can_be_drawn(
    bench: Bench, limit: str, most: int
) -> None:
    pool, people = _pool(bench)
    bench.session.execute(text(f"UPDATE site SET {limit}"))

    bench.run({pool: 27.0})

    lines = _lines(bench)
    assert lines
    assert max(map(len, lines.values())) <= most
    facts = _chosen(bench, pool).facts
    assert sum(map(len, lines.values())) <= facts["run_draws"]
    _to_the_end(bench, people[3])
    outcomes = Counter(found.outcome for found in seen.findings(bench.session).values())
    assert outcomes == {"negative": 19, "positive": 1}


def _to_the_end(bench: Bench, infected: Swab) -> None:
    for _ in range(12):
        made = bench.prepare_sub_pools()
        queued = {order.barcode for order in seen.orders(bench.session, "queued")}
        if not made and not queued:
            return
        held = bench.session.execute(
            text(
                "SELECT DISTINCT t.barcode FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id"
                " WHERE ts.specimen_id = :id"
            ),
            {"id": infected.specimen_id},
        ).scalars()
        bench.run(dict.fromkeys(queued & set(held), 26.0))
    raise AssertionError("it is never resolved")


def test_rows_and_columns_that_nobody_can_draw_are_not_asked_for(bench: Bench) -> None:
    pool, people = _pool(bench, "grid")
    bench.session.execute(text("UPDATE site SET sub_pool_draws = 4"))

    bench.run({pool: 27.0})

    chosen = _chosen(bench, pool)
    assert (chosen.strategy, chosen.because) == ("dorfman", "pipetting")
    assert (chosen.facts["draws"], chosen.facts["sub_pool_draws"]) == (40, 4)
    assert seen.waiting(bench.session) == {one.barcode for one in people}


def test_the_wells_of_the_next_run_are_given_out_once(bench: Bench) -> None:
    """Nineteen pools of five sub-pools are 95 wells; each is told what the others leave."""
    pools = [_pool(bench)[0] for _ in range(4)]

    bench.run(dict.fromkeys(pools, 27.0))

    wells = [_chosen(bench, pool).facts["wells"] for pool in pools]
    assert sorted(wells) == [94 - 3 * 5, 94 - 2 * 5, 94 - 5, 94]


def test_a_person_who_chooses_probability_has_the_same_knowledge_stored(bench: Bench) -> None:
    pool, people = _pool(bench, "dorfman")
    _live_together(bench, people[0:2])
    bench.run({pool: 27.0})
    assert _chosen(bench, pool).facts == {}

    resolve_otherwise(
        bench.session,
        pool,
        StrategyName.BAYESIAN,
        "the liquid handler is free",
        site_id=bench.site_id,
        by="ktv.minh",
        now=bench.now,
    )

    chosen = _chosen(bench, pool)
    assert (chosen.strategy, chosen.because) == ("bayesian", "person")
    assert chosen.facts["households"][:3] == [0, 0, 2]
    assert "wells" in chosen.facts


def test_a_pool_of_before_concludes_as_it_did(bench: Bench) -> None:
    """Nothing was stored of its people or of the bench: five sub-pools of ten, as ever."""
    pool, people = _pool(bench)
    _live_together(bench, people[0:4])
    bench.run({pool: 27.0})
    bench.session.execute(text("UPDATE pool_resolution SET facts = '{}'"))

    say_volume(
        bench.session, people[0].barcode, 9_000, site_id=bench.site_id, by="door", now=bench.now
    )

    assert [len(line) for line in _lines(bench).values()] == [10] * 5
