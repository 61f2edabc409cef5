"""Proposed pools: the oldest together, nobody twice."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lims.domain.pooling.grouping import WaitingTube, propose


def tubes(*people: int) -> list[WaitingTube]:
    return [WaitingTube(f"T{at:03d}", UUID(int=person)) for at, person in enumerate(people)]


def test_the_oldest_ten_go_together_and_a_single_one_waits() -> None:
    groups = propose(tubes(*range(21)), 10)
    assert [[one.barcode for one in group] for group in groups] == [
        [f"T{at:03d}" for at in range(10)],
        [f"T{at:03d}" for at in range(10, 20)],
    ]


def test_a_second_tube_of_a_person_goes_into_the_next_pool() -> None:
    groups = propose(tubes(1, 2, 1, 3, 4, 5), 4)
    assert [[one.barcode for one in group] for group in groups] == [
        ["T000", "T001", "T003", "T004"],
        ["T002", "T005"],
    ]


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(2, 12))
def test_no_pool_is_too_large_or_has_a_person_twice(people: list[int], size: int) -> None:
    groups = propose(tubes(*people), size)
    for group in groups:
        assert 2 <= len(group) <= size
        assert len({one.person_id for one in group}) == len(group)
    placed = [one.barcode for group in groups for one in group]
    assert len(set(placed)) == len(placed)
