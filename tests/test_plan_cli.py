"""`lims plan pools` as somebody at the shell runs it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.cli import main
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.designs.hours import Clock
from tests.builders import open_bench

KEYS = [
    "algorithm",
    "configuration",
    "expected_tests_per_person",
    "pooling_sensitivity",
    "pooling_specificity",
    "pppv",
    "pnpv",
    "stages",
    "expected_hours",
]


def plan(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["plan", "pools", *words], env=environment)


def answered(*words: str) -> dict[str, object]:
    told = plan(*words, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert list(found) == KEYS
    assert isinstance(found, dict)
    return found


def test_the_answer_is_one_object_with_the_nine_keys() -> None:
    found = answered(
        *("--algorithm", "D3", "--prevalence", "0.01", "--se", "0.99", "--sp", "0.99"),
        *("--max-pool", "40", "--max-stages", "3", "--min-pse", "0.9"),
    )
    assert (found["algorithm"], found["configuration"], found["stages"]) == ("D3", "25: 5×5", 3)
    assert found["expected_tests_per_person"] == pytest.approx(0.13537, abs=1e-5)
    assert found["pooling_sensitivity"] == pytest.approx(0.99**3)
    assert found["expected_hours"] == pytest.approx(6.1)


def test_the_best_of_all_keeps_to_the_limits_and_hours_are_the_laboratorys() -> None:
    asked = ("--prevalence", "0.01", "--se", "0.99", "--sp", "0.99")
    assert answered(*asked)["algorithm"] == "D4"
    held = answered(*asked, "--min-pse", "0.98", "--run-hours", "1", "--wait-hours", "0")
    assert (held["algorithm"], held["expected_hours"]) == ("D2", 1.75)
    assert answered(*asked, "--max-stages", "2", "--max-pool", "11")["algorithm"] == "D2"


def test_a_fixed_configuration_is_weighed_and_not_searched() -> None:
    asked = ("--algorithm", "D2", "--prevalence", "0.01", "--configuration", "8")
    assert answered(*asked)["configuration"] == "8"
    assert answered(*asked, "--max-pool", "8")["configuration"] == "8"
    told = plan(*asked, "--max-pool", "7")
    assert (told.exit_code, "8, at most 7" in told.stderr) == (2, True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("8", "D2"), ("25: 5x5", "D3"), ("40: 7,7,7,7,6,6", "D3"), ("36: 9(3x3)x4", "D4")],
)
def test_a_configuration_says_its_algorithm_where_it_can_be_no_other(
    written: str, meant: str
) -> None:
    asked = ("--prevalence", "0.01", "--configuration", written)
    assert answered(*asked) == answered(*asked, "--algorithm", meant)


def test_a_list_of_risks_has_a_design_of_its_own(tmp_path: Path) -> None:
    risks = tmp_path / "risks.csv"
    risks.write_text("name,risk\n" + "x,0.005\n" * 40 + "contact,0.5\n" * 2, encoding="utf-8")
    found = answered("--risk", str(risks), "--algorithm", "D2")
    assert str(found["configuration"]).endswith("; 2 of 1")
    fixed = answered(
        *("--risk", str(risks), "--algorithm", "D2", "--configuration", "2 of 20; 2 of 1"),
        *("--max-pool", "20"),
    )
    assert float(str(fixed["expected_tests_per_person"])) >= float(
        str(found["expected_tests_per_person"])
    )


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("--prevalence 0", "probability between 0 and 1"),
        ("--prevalence 1.2", "probability between 0 and 1"),
        ("--prevalence x", "not a valid float"),
        ("--prevalence .01 --se .4 --sp .6", "together are more than 1"),
        ("--prevalence .01 --se 0.9,y", "is no number"),
        ("--prevalence .01 --max-pool 1", "a pool of one is a single test"),
        ("--prevalence .01 --algorithm bayesian --max-stages 2", "keeps to all the limits"),
        ("--prevalence .01 --algorithm best --configuration 12x12", "one algorithm"),
        ("--prevalence .01 --algorithm D3 --configuration 25:4", "a design such as"),
        ("--prevalence .01 --algorithm D3 --configuration 11;11", "everybody's risk is the same"),
        ("--prevalence .01 --algorithm D4 --max-stages 3", "keeps to all the limits"),
        ("--prevalence .01 --min-pse .999", "keeps to all the limits"),
        ("--prevalence .01 --algorithm D2 --configuration 8 --min-pse .99", "all the limits"),
        ("--algorithm D2", "--prevalence, or --risk"),
        ("--prevalence .01 --run-hours -1", "hours from 0"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words_with_exit_2(words: str, because: str) -> None:
    told = plan(*words.split())
    assert told.exit_code == 2
    assert because in told.stderr
    assert "Traceback" not in told.stderr


def test_a_list_that_is_none_is_refused_with_exit_2(tmp_path: Path) -> None:
    for content in (b"\xff\xfe0", b"", b"0.1\n2\n", b"0" * 1_000_001):
        (tmp_path / "risks.csv").write_bytes(content)
        assert plan("--risk", str(tmp_path / "risks.csv")).exit_code == 2
    (tmp_path / "risks.csv").write_text("0.1\n0.2\n")
    wrong = ("--risk", str(tmp_path / "risks.csv"), "--algorithm", "D2", "--configuration", "3")
    assert "as many people as the list has" in plan(*wrong).stderr


def test_the_laboratorys_own_largest_pool_holds(
    session: Session, database_url: str, tmp_path: Path
) -> None:
    open_bench(session, datetime(2021, 9, 11, tzinfo=UTC))
    session.execute(text("UPDATE site SET max_pool_size = 8"))
    session.commit()
    node = {"LIMS_DATABASE_URL": database_url, "LIMS_HOME": str(tmp_path), "LIMS_SITE": "TT"}
    asked = ("--prevalence", "0.01", "--algorithm", "D2", "--site")
    told = plan(*asked, "--json", **node)
    assert (told.exit_code, json.loads(told.stdout)["configuration"]) == (0, "8")
    above = plan(*asked, "--max-pool", "9", **node)
    assert (above.exit_code, "has validated" in above.stderr) == (2, True)


def test_people_are_told_in_sentences() -> None:
    told = plan("--prevalence", "0.01", "--algorithm", "D2").stdout
    assert "D2, 11" in told
    assert "fewer than one each" in told


def test_the_adaptive_strategy_is_planned_by_its_own_decisions() -> None:
    told = plan(
        *("--prevalence", ".01", "--algorithm", "bayesian", "--max-pool", "20"),
        *("--se", ".98,.998", "--sp", ".995", "--json"),
    )
    d3 = plan(
        *("--prevalence", ".01", "--algorithm", "D3", "--max-pool", "20"),
        *("--se", ".98,.998", "--sp", ".995", "--json"),
    )
    adaptive, hierarchical = json.loads(told.stdout), json.loads(d3.stdout)
    assert adaptive.keys() == hierarchical.keys()
    assert adaptive["algorithm"] == "bayesian"
    assert adaptive["expected_tests_per_person"] < 0.9 * hierarchical["expected_tests_per_person"]
    assert adaptive["stages"] == 3


def test_pools_are_simulated_with_intervals() -> None:
    told = CliRunner().invoke(main, ["plan", "simulate", "--pools", "800", "--json"])
    found = json.loads(told.stdout)
    tests = found["expected_tests_per_person"]
    assert tests["low"] < tests["value"] < tests["high"]
    named, confirmed = found["hours_to_name"], found["hours_to_confirm"]
    assert named["low"] <= named["value"] <= named["high"] < confirmed["low"]
    assert named["value"] <= found["hours_to_name_p90"]["value"]
    expected = Clock().expected_hours(3)  # what `plan pools` says of the same strategy
    assert confirmed["value"] == pytest.approx(expected, abs=0.15)
    opened = CliRunner().invoke(
        main, ["plan", "simulate", "--strategy", "dorfman", "--pools", "800", "--json"]
    )
    whole = json.loads(opened.stdout)
    assert whole["tests_per_detected_pool"]["value"] >= 20
    assert whole["hours_to_confirm"]["low"] <= Clock().expected_hours(2)
    assert whole["hours_to_confirm"]["high"] >= Clock().expected_hours(2)
    assert whole["hours_to_name"] == whole["hours_to_confirm"]


def test_every_way_that_a_campaign_may_choose_is_simulated_on_the_same_people() -> None:
    told = {}
    for strategy in StrategyName:
        words = ["plan", "simulate", "--strategy", strategy.value, "--pools", "1500", "--json"]
        told[strategy] = json.loads(CliRunner().invoke(main, words).stdout)
    tests = {way: one["tests_per_detected_pool"]["value"] for way, one in told.items()}
    assert sorted(tests, key=tests.__getitem__) == [
        StrategyName.BAYESIAN,
        StrategyName.HIERARCHICAL,
        StrategyName.GRID,
        StrategyName.DORFMAN,
    ]
    named = {way: one["named_after_one_run"]["value"] for way, one in told.items()}
    assert named[StrategyName.HIERARCHICAL] == 0
    assert named[StrategyName.GRID] > 0.6
    assert named[StrategyName.DORFMAN] > 0.97
    for one in told.values():
        assert one["most_tests"] >= one["tests_per_detected_pool"]["value"]
        assert 0 <= one["more_than_alone"]["value"] < 0.1


def test_the_hours_follow_the_clock_that_was_given() -> None:
    clock = ("--run-hours", "1", "--setup-hours", "0.5", "--wait-hours", "0")
    told = CliRunner().invoke(
        main,
        ["plan", "simulate", "--strategy", "dorfman", "--pools", "300", *clock, "--json"],
    )
    assert json.loads(told.stdout)["hours_to_name"] == {"value": 1.5, "low": 1.5, "high": 1.5}


def test_what_cannot_be_simulated_is_refused_in_words() -> None:
    told = CliRunner().invoke(main, ["plan", "simulate", "--prevalence", "1.5"])
    assert told.exit_code == 2
    assert "a probability between 0 and 1" in told.stderr
