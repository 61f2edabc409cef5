"""Clusters are connected components: held against the plain definition on random cases."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lims.domain.clusters import USUAL, Shared, Tie, clusters
from lims.domain.tile_map import COLUMNS, PLACES, shade

CASES = [UUID(int=n) for n in range(1, 9)]
SHARED = st.builds(
    lambda tie, n: Shared(tie, str(n), f"{tie} {n}"), st.sampled_from(list(Tie)), st.integers(0, 2)
)


@given(st.dictionaries(st.sampled_from(CASES), st.lists(SHARED, max_size=3)))
def test_two_cases_are_in_one_cluster_exactly_where_a_way_leads(
    shared: dict[UUID, list[Shared]],
) -> None:
    reach = {case: {case} for case in shared}
    for _ in shared:
        for one, has in shared.items():
            for other, also in shared.items():
                if any(s.tie in USUAL and s in also for s in has):
                    reach[one] |= reach[other]
                    reach[other] |= reach[one]
    expected = {frozenset(group) for group in reach.values() if len(group) > 1}
    found = clusters(shared.items())
    assert {frozenset(one.cases) for one in found} == expected
    assert [len(one.cases) for one in found] == sorted((len(g) for g in expected), reverse=True)
    for cluster in found:
        tied = {case for link in cluster.links for case in link.cases}
        assert tied == set(cluster.cases)


def test_a_pool_of_the_laboratory_ties_only_when_it_is_asked_for() -> None:
    pool = Shared(Tie.LAB_POOL, "TT7K", "TT7K")
    shared = [(CASES[0], [pool]), (CASES[1], [pool])]
    assert clusters(shared) == []
    (one,) = clusters(shared, frozenset(Tie))
    assert one.cluster_id == CASES[0]


def test_the_name_of_what_is_shared_may_be_written_in_two_ways() -> None:
    ways = [Shared(Tie.LANE, "ngo 165", "Ngõ 165"), Shared(Tie.LANE, "ngo 165", "hẻm 165")]
    assert len(clusters([(CASES[0], ways[:1]), (CASES[1], ways[1:])])) == 1


def test_every_province_has_a_tile_of_its_own() -> None:
    assert len(PLACES) == len(set(PLACES.values())) == 34
    assert all(column < COLUMNS for column, _ in PLACES.values())


def test_a_shade_is_never_none_for_somebody() -> None:
    assert [shade(n, 100) for n in (0, 1, 4, 12, 40, 100)] == [0, 1, 2, 3, 4, 4]
