"""What holds whatever the plates say: two ways to clear agree, and settling again writes nothing.

Each example is a laboratory of its own in one transaction that is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from lims.db.engine import session_factory
from lims.domain.outcomes import FindingOutcome
from lims.domain.pooling.conclude import conclude
from lims.tables import Tube
from lims.work.clear import clear_negatives
from lims.work.evidence import lock_components, read_known
from lims.work.reject import reject
from lims.work.settle import settle
from tests import seen
from tests.builders import Bench, open_bench
from tests.captures import Blank, Told

NOW = datetime(2021, 9, 11, 1, 0, tzinfo=UTC)
FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # rolled back by `laboratory`
        HealthCheck.too_slow,  # a busy machine is no fault
    ],
)
TOLD = st.sampled_from([None, None, 24.0, 39.0, 41.0, Blank.INVALID])


@contextmanager
def laboratory(database: Engine) -> Iterator[Bench]:
    with session_factory(database)() as session:
        yield open_bench(session, NOW, pools_of_pools=True)
        session.rollback()


def _fill(bench: Bench, shapes: list[str]) -> None:
    """Pools, families, single tubes, pools with a broken member, pools of pools."""
    for shape in shapes:
        match shape:
            case "alone":
                bench.swab()
            case "family":
                bench.field_pool(3)
            case "broken":
                people = bench.swabs(3)
                bench.lab_pool(people)
                reject(bench.session, people[0].barcode, "leaking", by="door", now=bench.now)
            case "nested":
                family = bench.field_pool(2).barcode
                bench.lab_pool([bench.lab_pool(bench.swabs(2)), family])
            case "gridded":
                people = bench.swabs(7)
                pool = bench.lab_pool(people)
                bench.session.execute(
                    text(
                        "UPDATE campaign SET resolution = 'grid' WHERE id = (SELECT campaign_id"
                        " FROM tube WHERE barcode = :pool)"
                    ),
                    {"pool": pool},
                )
            case _:
                bench.lab_pool(bench.swabs(3))


SHAPES = st.lists(
    st.sampled_from(["pool", "alone", "family", "broken", "nested", "gridded"]),
    min_size=1,
    max_size=4,
)


def _all_tubes(bench: Bench) -> list[UUID]:
    return list(bench.session.scalars(select(Tube.id)))


@FEW
@given(shapes=SHAPES, invalid_first=st.sets(st.integers(0, 3)))
def test_clearing_at_once_says_what_concluding_says(
    database: Engine, shapes: list[str], invalid_first: set[int]
) -> None:
    with laboratory(database) as bench:
        _fill(bench, shapes)
        queued = sorted(seen.waiting(bench.session))
        again: dict[str, Told] = {
            barcode: Blank.INVALID for n, barcode in enumerate(queued) if n in invalid_first
        }
        if again:
            bench.run(again)
        if seen.waiting(bench.session):
            bench.run()

        stored = seen.findings(bench.session)
        known = read_known(bench.session, lock_components(bench.session, _all_tubes(bench)))
        conclusion = conclude(known.composition, known.evidence, known.orders, known.decisions)

        assert {s: f.outcome for s, f in stored.items()} == {
            s: str(d.outcome) for s, d in conclusion.findings.items()
        }
        assert {f.outcome for f in stored.values()} == {"negative"}
        assert (conclusion.wanted, conclusion.unwanted) == ((), ())


@FEW
@given(shapes=SHAPES)
def test_what_is_cleared_at_once_is_exactly_what_concluding_would_write(
    database: Engine, shapes: list[str]
) -> None:
    with laboratory(database) as bench:
        _fill(bench, shapes)
        bench.run()
        tubes = _all_tubes(bench)
        bench.session.execute(text("DELETE FROM finding"))
        known = read_known(bench.session, lock_components(bench.session, tubes))
        wanted = conclude(known.composition, known.evidence, known.orders).findings

        clear_negatives(bench.session, tubes, site_id=bench.site_id, now=bench.now)

        cleared = {
            row.specimen_id: (row.outcome, tuple(row.evidence))
            for row in bench.session.execute(
                text("SELECT specimen_id, outcome, evidence FROM finding")
            )
        }
        assert cleared == {
            s: (d.outcome, d.evidence)
            for s, d in wanted.items()
            if d.outcome is FindingOutcome.NEGATIVE
        }


@FEW
@given(shapes=SHAPES, told=st.lists(TOLD, min_size=1, max_size=9), runs=st.integers(1, 4))
def test_settling_again_writes_nothing(
    database: Engine, shapes: list[str], told: list[Told], runs: int
) -> None:
    with laboratory(database) as bench:
        _fill(bench, shapes)
        for nth in range(runs):
            waiting = sorted(seen.waiting(bench.session))
            if not waiting:
                break
            cts = {b: told[(n + nth) % len(told)] for n, b in enumerate(waiting)}
            bench.run(cts, ntc=33.0 if told[0] == 41.0 and nth == 1 else None)
            bench.prepare_sub_pools()
        before = seen.everything(bench.session)

        settle(bench.session, _all_tubes(bench), site_id=bench.site_id, now=bench.later(9).now)

        assert seen.everything(bench.session) == before


@FEW
@given(
    shapes=SHAPES,
    holds=st.booleans(),
    flagged=st.sets(st.integers(0, 9)),
    positive=st.dictionaries(st.integers(0, 9), st.sampled_from([1, 4, 30])),
)
def test_both_ways_release_and_hold_the_same_people_for_the_same_reasons(
    database: Engine,
    shapes: list[str],
    holds: bool,
    flagged: set[int],
    positive: dict[int, int],
) -> None:
    """``positive``: how many days before somebody had another swab that was positive."""
    with laboratory(database) as bench:
        bench.session.execute(text("UPDATE site SET identity_holds = :on"), {"on": holds})
        _fill(bench, shapes)
        swabs = bench.session.execute(
            text("SELECT id, person_id, collected_at FROM specimen ORDER BY id")
        ).all()
        for n, swab in enumerate(swabs):
            if n in flagged:
                bench.session.execute(
                    text("UPDATE person SET identity_conflict = 'another name' WHERE id = :id"),
                    {"id": swab.person_id},
                )
            if n in positive:
                made_at = bench.now
                bench.now = swab.collected_at - timedelta(days=positive[n])
                earlier = bench.swab(person_id=swab.person_id)
                bench.cartridge(earlier.barcode, 24.0)
                bench.now = made_at
        bench.run()
        fast = _verified(bench, {swab.id for swab in swabs})
        bench.session.execute(
            text("DELETE FROM finding WHERE specimen_id = ANY(:ids)"),
            {"ids": [swab.id for swab in swabs]},
        )

        settle(bench.session, _all_tubes(bench), site_id=bench.site_id, now=bench.now)

        assert _verified(bench, {swab.id for swab in swabs}) == fast


def _verified(bench: Bench, specimens: set[UUID]) -> dict[UUID, tuple[object, ...]]:
    rows = bench.session.execute(
        text(
            "SELECT specimen_id, outcome, status, rule, released_by, holds FROM finding"
            " WHERE current AND specimen_id = ANY(:ids)"
        ),
        {"ids": list(specimens)},
    )
    return {row.specimen_id: (*row[1:5], tuple(row.holds)) for row in rows}
