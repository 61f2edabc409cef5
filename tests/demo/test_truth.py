"""The commune that is drawn: nobody real, nothing impossible, the same for the same seed."""

from __future__ import annotations

from statistics import mean

from hypothesis import given
from hypothesis import strategies as st

from lims.demo.truth import ATTACK_RATE, HIGHEST_CT, LOWEST_CT, Places, Route, Ward, draw_commune
from lims.domain.identity import Sex, check_national_id, parse_phone, tidy_name

SCHEME = "vn-test"
PLACES = Places(
    SCHEME,
    "01",
    "Tỉnh Thử",
    tuple(Ward(SCHEME, f"0000{n}", f"Xã {n}") for n in range(1, 8)),
    (Ward(SCHEME, "00090", "Xã Ngoài"), Ward(SCHEME, "00091", "Xã Xa")),
)
SEEDS = st.integers(0, 9999)


@given(SEEDS, st.integers(10, 300), st.floats(0, 0.3))
def test_everybody_asked_for_is_there_and_could_be_registered(
    seed: int, people: int, prevalence: float
) -> None:
    commune = draw_commune(PLACES, people=people, prevalence=prevalence, seed=seed)

    villagers = commune.villagers
    assert [v.number for v in villagers] == list(range(people))
    assert len({v.national_id for v in villagers}) == people
    for villager in villagers:
        assert tidy_name(villager.name) == villager.name
        assert parse_phone(villager.phone).startswith("+8474")
        assert check_national_id(villager.national_id, villager.birth_year, Sex(villager.sex)) == ()
        assert villager.ct_cycles is None or LOWEST_CT <= villager.ct_cycles <= HIGHEST_CT
    assert all(1 <= len(h.villagers) <= 6 for h in commune.households)


@given(SEEDS)
def test_the_same_seed_draws_the_same_commune_and_another_another(seed: int) -> None:
    commune = draw_commune(PLACES, people=60, prevalence=0.05, seed=seed)

    assert commune == draw_commune(PLACES, people=60, prevalence=0.05, seed=seed)
    assert commune != draw_commune(PLACES, people=60, prevalence=0.05, seed=seed + 1)


def test_the_expected_share_of_infected_people_is_the_prevalence() -> None:
    for prevalence in (0.01, 0.05, 0.2):
        shares = [
            len(draw_commune(PLACES, people=500, prevalence=prevalence, seed=n).infected) / 500
            for n in range(60)
        ]
        assert abs(mean(shares) - prevalence) < 0.15 * prevalence + 0.002


def test_infections_cluster_behind_doors_with_the_attack_rate() -> None:
    others = [
        sum(v.infected for v in household.villagers) - 1
        for n in range(40)
        for household in draw_commune(PLACES, people=500, prevalence=0.02, seed=n).households
        if len(household.villagers) == 4 and any(v.infected for v in household.villagers)
    ]

    assert abs(mean(others) / 3 - ATTACK_RATE) < 0.06  # a little above it: two may bring it home


def test_all_three_routes_and_both_kinds_of_home_are_in_the_default_story() -> None:
    households = draw_commune(PLACES, people=400, prevalence=0.02, seed=1).households

    assert {h.route for h in households} == set(Route)
    assert all(len(h.villagers) > 1 for h in households if h.route is Route.TOGETHER)
    assert {h.ward.code for h in households} & {w.code for w in PLACES.outside}
    assert any(v.work is not None and v.work != h.ward for h in households for v in h.villagers)


def test_a_story_of_an_infection_has_at_least_one_and_a_healthy_one_none() -> None:
    for seed in range(50):
        assert draw_commune(PLACES, people=20, prevalence=0.001, seed=seed).infected
        assert not draw_commune(PLACES, people=20, prevalence=0, seed=seed).infected
