"""A positive pool parted by rows and columns, or by groups: who is cleared, named, in question."""

import pytest

from lims.domain.lifecycle import OrderReason, OrderState
from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.dorfman import Dorfman
from lims.domain.pooling.evidence import AlertKind, TubeFacts
from lims.domain.pooling.grid import Grid, lines_of, shape_of
from lims.domain.pooling.hierarchical import Hierarchical, groups_of
from lims.domain.pooling.strategy import Strategy
from tests.domain.pooling.rack import Rack, people

DETECTED, NOT_DETECTED, INVALID = Outcome.DETECTED, Outcome.NOT_DETECTED, Outcome.INVALID


class Parted:
    """A detected pool, resolved by one strategy; ``made`` are its sub-pools by name."""

    def __init__(self, tubes: int, strategy: Strategy) -> None:
        self.rack = Rack()
        self.tubes = self.rack.singles(tubes)
        self.master = self.rack.pool(self.tubes)
        self.rack.chosen[self.master.id] = strategy
        self.rack.measured(self.master, DETECTED)
        self.made: dict[str, TubeFacts] = {}

    def prepare(self) -> "Parted":
        for wanted in self.rack.conclude().sub_pools:
            self.made[wanted.position] = self.rack.sub_pool(self.master, wanted.sources)
        return self

    def measure(self, *detected: str, **cts: float) -> "Parted":
        """Every sub-pool in one run: these are detected, the others not."""
        for name, tube in self.made.items():
            outcome = DETECTED if name in detected else NOT_DETECTED
            ct = cts.get(name.replace(" ", "_"), 30.0)
            self.rack.measured(tube, outcome, why=OrderReason.RESOLVE, ct_cycles=ct)
        return self

    def wanted(self) -> list[int]:
        """The places of the tubes that are wanted alone, in the order of the queue."""
        places = {tube.id: n for n, tube in enumerate(self.tubes)}
        return [places[o.tube_id] for o in self.rack.conclude().wanted if o.tube_id in places]

    def found(self) -> list[Found | None]:
        outcomes = self.rack.outcomes()
        return [outcomes.get(specimen) for tube in self.tubes for specimen in tube.specimens]


def grid(tubes: int = 20) -> Parted:
    return Parted(tubes, Grid()).prepare()


@pytest.mark.parametrize(
    ("tubes", "shape"),
    [
        (6, (2, 3)),
        (7, (2, 4)),
        (10, (3, 4)),
        (16, (4, 4)),
        (20, (4, 5)),
        (25, (5, 5)),
        (32, (5, 7)),
    ],
)
def test_the_grid_takes_the_fewest_pools_and_then_the_squarest(
    tubes: int, shape: tuple[int, int]
) -> None:
    assert shape_of(tubes) == shape


@pytest.mark.parametrize("tubes", range(6, 101))
def test_every_tube_is_in_one_row_and_one_column_and_in_one_group(tubes: int) -> None:
    sources = tuple(tube.id for tube in Rack().singles(tubes))
    lines = lines_of(sources)
    for kind in ("row", "column"):
        held = [s for name, line in lines if name.startswith(kind) for s in line]
        assert sorted(held) == sorted(sources)
    assert len(lines) == sum(shape_of(tubes))
    groups = [group for _, group in groups_of(sources)]
    assert [s for group in groups for s in group] == list(sources)
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_a_detected_pool_of_twenty_wants_four_rows_and_five_columns_and_nobody_alone() -> None:
    parted = Parted(20, Grid())

    conclusion = parted.rack.conclude()

    assert [w.position for w in conclusion.sub_pools] == [
        *(f"row {n}" for n in (1, 2, 3, 4)),
        *(f"column {n}" for n in (1, 2, 3, 4, 5)),
    ]
    assert conclusion.wanted == ()
    assert set(parted.found()) == {Found.PRELIMINARY}


def test_one_row_and_one_column_name_whom_they_have_in_common() -> None:
    parted = grid().measure("row 2", "column 3")

    assert parted.found()[7] is Found.PRESUMPTIVE
    assert parted.found().count(Found.NEGATIVE) == 19
    assert parted.wanted() == [7]
    (specimen,) = parted.tubes[7].specimens
    said = parted.rack.conclude().findings[specimen].evidence
    assert len(said) == 2


def test_two_rows_and_two_columns_leave_four_suspects_ranked_by_their_cycle_numbers() -> None:
    # 24 in (row 1, column 2) and 33 in (row 3, column 4); five tubes a row, four a column.
    parted = grid().measure(
        "row 1",
        "row 3",
        "column 2",
        "column 4",
        row_1=26.3,
        column_2=26.0,
        row_3=35.3,
        column_4=35.0,
    )

    assert sorted(parted.wanted()) == [1, 3, 11, 13]
    assert sorted(parted.wanted()[:2]) == [1, 13]
    assert [f for f in parted.found() if f is Found.PRELIMINARY] == [Found.PRELIMINARY] * 4
    assert Found.PRESUMPTIVE not in parted.found()


def test_two_positives_in_one_column_are_both_named() -> None:
    parted = grid().measure("row 1", "row 3", "column 2")

    assert [n for n, f in enumerate(parted.found()) if f is Found.PRESUMPTIVE] == [1, 11]
    assert sorted(parted.wanted()) == [1, 11]


def test_the_own_test_confirms_who_is_named_and_an_unreadable_one_does_not_take_the_name_back() -> (
    None
):
    parted = grid().measure("row 2", "column 3")
    for _ in range(2):
        parted.rack.measured(parted.tubes[7], INVALID, why=OrderReason.RESOLVE)

    assert parted.found()[7] is Found.PRESUMPTIVE
    assert set(parted.rack.conclude().recollections) == set(parted.tubes[7].specimens)

    parted.rack.measured(parted.tubes[7], DETECTED, why=OrderReason.REPEAT)
    assert parted.found()[7] is Found.POSITIVE


def test_who_is_named_and_negative_alone_puts_the_whole_row_and_column_in_question() -> None:
    parted = grid().measure("row 2", "column 3")

    parted.rack.measured(parted.tubes[7], NOT_DETECTED, why=OrderReason.RESOLVE)

    row, column = set(range(5, 10)), {2, 7, 12, 17}
    doubted = row | column
    assert {n for n, f in enumerate(parted.found()) if f is Found.DISCORDANT} == doubted
    assert set(parted.wanted()) == doubted - {7}  # she has her own answer


def test_a_detected_column_without_a_detected_row_is_tested_tube_by_tube() -> None:
    parted = grid().measure("column 3")

    assert set(parted.wanted()) == {2, 7, 12, 17}
    assert {n for n, f in enumerate(parted.found()) if f is Found.DISCORDANT} == {2, 7, 12, 17}
    for place in (2, 7, 12, 17):
        parted.rack.measured(parted.tubes[place], NOT_DETECTED, why=OrderReason.RESOLVE)

    again = parted.rack.wanted()
    assert {t: o.why for t, o in again.items()} == {
        parted.made["column 3"].id: OrderReason.DISCORDANT
    }
    assert Found.DISCORDANT in parted.found()
    parted.rack.close(parted.made["column 3"])
    assert set(parted.found()) == {Found.NEGATIVE}


def test_when_every_line_is_negative_nobody_is_cleared_and_the_pool_is_repeated() -> None:
    parted = grid().measure()

    assert set(parted.found()) == {Found.DISCORDANT}
    assert {t: o.why for t, o in parted.rack.wanted().items()} == {
        parted.master.id: OrderReason.DISCORDANT
    }

    parted.rack.measured(parted.master, DETECTED, why=OrderReason.DISCORDANT)
    assert parted.wanted() == list(range(20))  # twice detected: everybody alone


def test_a_line_that_fails_is_not_repeated_its_suspects_are_tested_in_the_same_run() -> None:
    parted = grid()
    failed = parted.made.pop("column 4")
    parted.rack.measured(failed, INVALID, why=OrderReason.RESOLVE)

    parted.measure("row 2", "column 3")

    assert sorted(parted.wanted()) == [7, 8]
    assert failed.id not in parted.rack.wanted()


def test_only_the_pool_is_told_as_positive_not_its_rows() -> None:
    parted = grid().measure("row 2", "column 3")

    alerts = {(a.kind, a.tube_id) for a in parted.rack.conclude().alerts}

    assert alerts == {(AlertKind.POOL_POSITIVE, parted.master.id)}


def test_a_broken_tube_is_left_out_of_what_is_still_to_prepare() -> None:
    parted = Parted(20, Grid())
    broken = parted.tubes[6]
    parted.rack.tubes[broken.id] = TubeFacts(broken.id, broken.kind, broken.specimens, (), True)

    by_name = {w.position: w.sources for w in parted.rack.conclude().sub_pools}

    assert len(by_name["row 2"]) == 4
    assert broken.id not in by_name["column 2"]
    assert parted.rack.conclude().recollections.keys() == set(broken.specimens)


def test_a_row_made_before_one_of_its_tubes_broke_is_still_that_row() -> None:
    parted = grid()
    broken = parted.tubes[6]
    parted.rack.tubes[broken.id] = TubeFacts(broken.id, broken.kind, broken.specimens, (), True)

    wanted = {w.position: w.tube_id for w in parted.rack.conclude().sub_pools}

    assert wanted["row 2"] == parted.made["row 2"].id
    assert parted.rack.conclude().unwanted == ()


def test_a_row_that_broke_before_its_answer_is_pipetted_again() -> None:
    parted = grid()
    row = parted.made["row 2"]
    parted.rack.tubes[row.id] = TubeFacts(
        row.id, row.kind, row.specimens, row.sources, True, parted.master.id
    )

    wanted = {w.position: w.tube_id for w in parted.rack.conclude().sub_pools}

    assert wanted["row 2"] is None
    assert wanted["row 1"] == parted.made["row 1"].id


def test_another_strategy_puts_off_what_was_queued_and_asks_for_its_own() -> None:
    parted = Parted(20, Dorfman())
    parted.rack.queue()
    assert len(parted.rack.queued()) == 20

    parted.rack.chosen[parted.master.id] = Grid()
    conclusion = parted.rack.conclude()
    assert len(conclusion.unwanted) == 20
    parted.rack.queue()
    parted.prepare()

    parted.rack.chosen[parted.master.id] = Dorfman()
    back = parted.rack.conclude()
    assert len(back.unwanted) == 9  # the rows and columns that nobody measures any more
    assert len(back.wanted) == 20
    assert back.sub_pools == ()


def test_a_pool_corrected_to_negative_still_follows_up_its_detected_row() -> None:
    rack = Rack()
    tubes = rack.singles(20)
    master = rack.pool(tubes)
    rack.chosen[master.id] = Grid()
    row = rack.sub_pool(master, [t.id for t in tubes[5:10]])
    rack.measured(row, DETECTED, why=OrderReason.RESOLVE)
    rack.measured(master, NOT_DETECTED)

    assert rack.found(*tubes[5:10]) == {Found.PRELIMINARY}
    assert rack.found(*tubes[:5], *tubes[10:]) == {Found.NEGATIVE}
    assert {o.tube_id for o in rack.conclude().wanted} == {t.id for t in tubes[5:10]}


def test_groups_are_followed_up_one_by_one_and_the_last_need_not_be_made() -> None:
    parted = Parted(20, Hierarchical())
    wanted = parted.rack.conclude().sub_pools
    assert [len(w.sources) for w in wanted] == [5, 5, 5, 5]
    first = parted.rack.sub_pool(parted.master, wanted[0].sources)
    parted.rack.measured(first, DETECTED, why=OrderReason.RESOLVE)

    assert parted.wanted() == [0, 1, 2, 3, 4]
    assert [w.position for w in parted.rack.conclude().sub_pools] == [
        "group 2",
        "group 3",
        "group 4",
    ]

    other = Parted(20, Hierarchical())
    for group in other.rack.conclude().sub_pools[:3]:
        tube = other.rack.sub_pool(other.master, group.sources)
        other.rack.measured(tube, NOT_DETECTED, why=OrderReason.RESOLVE)
    assert other.rack.conclude().sub_pools == ()
    assert other.wanted() == [15, 16, 17, 18, 19]


def test_a_pool_nobody_has_chosen_for_is_said_to_be_so_and_tested_one_by_one() -> None:
    rack = Rack()
    tubes = rack.singles(6)
    pool = rack.pool(tubes)
    rack.measured(pool, DETECTED)

    conclusion = rack.conclude()

    assert conclusion.unchosen == (pool.id,)
    assert {o.tube_id for o in conclusion.wanted} == {t.id for t in tubes}
    assert people(tubes) == set(conclusion.findings)


def test_a_sub_pool_whose_run_was_bad_is_run_again() -> None:
    parted = Parted(20, Grid())
    (first, *_) = parted.rack.conclude().sub_pools
    made = parted.rack.sub_pool(parted.master, first.sources)
    queued = parted.rack.orders.pop()
    parted.rack.ordered(made, OrderState.VOID, queued.why)

    assert parted.rack.wanted()[made.id].why is OrderReason.RERUN
