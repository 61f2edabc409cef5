"""Proposed pools: whole households, contacts first, the oldest together, nobody twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.pooling.assigning import Assignment, Risk, WaitingTube, assign_pools

START = datetime(2021, 9, 11, 6, 0, tzinfo=UTC)


def tube(
    at: int,
    *,
    person: int | None = None,
    home: int | None = None,
    risk: Risk = Risk.USUAL,
    apart: str = "",
) -> WaitingTube:
    return WaitingTube(
        barcode=f"T{at:03d}",
        person_id=UUID(int=at if person is None else person),
        received_at=START + timedelta(minutes=at),
        household_id=None if home is None else UUID(int=home),
        household=None if home is None else f"nhà {home}",
        risk=risk,
        kept_apart=apart,
    )


def barcodes(assigned: Assignment) -> list[list[str]]:
    return [[one.barcode for one in pool.tubes] for pool in assigned.pools]


def test_the_oldest_ten_go_together_and_a_single_one_waits() -> None:
    assigned = assign_pools([tube(at) for at in range(21)], 10)
    assert barcodes(assigned) == [
        [f"T{at:03d}" for at in range(10)],
        [f"T{at:03d}" for at in range(10, 20)],
    ]
    assert [one.barcode for one in assigned.waiting] == ["T020"]


def test_a_second_tube_of_a_person_goes_into_the_next_pool() -> None:
    people = (1, 2, 1, 3, 4, 5)
    assigned = assign_pools([tube(at, person=one) for at, one in enumerate(people)], 4)
    assert barcodes(assigned) == [["T000", "T001", "T003", "T004"], ["T002", "T005"]]


def test_a_household_is_kept_whole_and_a_single_swab_fills_the_place_it_leaves() -> None:
    homes = (1, 1, 1, 2, 2, 2, None, 3)
    assigned = assign_pools([tube(at, home=home) for at, home in enumerate(homes)], 4)
    assert barcodes(assigned) == [
        ["T000", "T001", "T002", "T006"],
        ["T003", "T004", "T005", "T007"],
    ]
    first = assigned.pools[0].households
    assert [(one.label, one.tubes, one.whole) for one in first] == [("nhà 1", 3, True)]


def test_a_household_larger_than_a_pool_fills_pools_of_its_own_first() -> None:
    assigned = assign_pools([tube(at, home=7) for at in range(7)], 4)
    assert [len(pool.tubes) for pool in assigned.pools] == [4, 3]
    assert [pool.households[0].whole for pool in assigned.pools] == [False, False]


def test_contacts_are_pooled_first_and_with_each_other() -> None:
    tubes = [tube(at, risk=Risk.CONTACT if at >= 6 else Risk.USUAL) for at in range(11)]
    assigned = assign_pools(tubes, 4)
    assert [sorted(pool.risks) for pool in assigned.pools] == [
        [Risk.CONTACT],
        [Risk.CONTACT, Risk.USUAL],
        [Risk.USUAL],
    ]


def test_one_contact_makes_the_household_one_of_contacts() -> None:
    tubes = [tube(0), tube(1), tube(2, home=1), tube(3, home=1, risk=Risk.CONTACT)]
    assert barcodes(assign_pools(tubes, 2)) == [["T002", "T003"], ["T000", "T001"]]


def test_what_must_not_be_mixed_is_not_though_it_is_one_household() -> None:
    tubes = [tube(at, home=1, apart="swab" if at % 2 else "saliva") for at in range(6)]
    assigned = assign_pools(tubes, 10)
    assert [len({one.kept_apart for one in pool.tubes}) for pool in assigned.pools] == [1, 1]
    assert [pool.households[0].whole for pool in assigned.pools] == [False, False]


def test_one_alone_is_no_pool() -> None:
    with pytest.raises(ValueError, match="a pool of 1"):
        assign_pools([tube(0), tube(1)], 1)


tubes_waiting: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.builds(
        dict,
        person=st.integers(0, 40),
        home=st.one_of(st.none(), st.integers(0, 9)),
        risk=st.sampled_from(Risk),
        apart=st.sampled_from(["a", "b"]),
    ),
    max_size=70,
)


@given(tubes_waiting, st.integers(2, 12))
def test_pools_are_a_partition_in_which_nobody_is_twice(
    said: list[dict[str, object]], size: int
) -> None:
    given_tubes = [tube(at, **one) for at, one in enumerate(said)]  # type: ignore[arg-type]  # hypothesis knows no types
    assigned = assign_pools(given_tubes, size)
    placed = [one for pool in assigned.pools for one in pool.tubes] + [*assigned.waiting]
    assert sorted(one.barcode for one in placed) == [one.barcode for one in given_tubes]
    for pool in assigned.pools:
        assert 2 <= len(pool.tubes) <= size
        assert len({one.person_id for one in pool.tubes}) == len(pool.tubes)
        assert len({one.kept_apart for one in pool.tubes}) == 1


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(Risk)), max_size=70),
    st.integers(2, 12),
)
def test_a_household_that_fits_is_in_one_pool(said: list[tuple[int, Risk]], size: int) -> None:
    tubes = [tube(at, home=home, risk=risk) for at, (home, risk) in enumerate(said)]
    assigned = assign_pools(tubes, size)
    groups = [*(pool.tubes for pool in assigned.pools), *((one,) for one in assigned.waiting)]
    for home in {one.household_id for one in tubes}:
        many = sum(one.household_id == home for one in tubes)
        pools = sum(any(one.household_id == home for one in group) for group in groups)
        assert pools == -(-many // size)


@given(st.lists(st.integers(1, 6), max_size=40), st.integers(6, 12))
def test_few_places_stay_empty(sizes: list[int], size: int) -> None:
    homes = [home for home, many in enumerate(sizes) for _ in range(many)]
    assigned = assign_pools([tube(at, home=home) for at, home in enumerate(homes)], size)
    for pool in assigned.pools[:-1]:
        assert len(pool.tubes) > size - 6  # another household would have fitted
