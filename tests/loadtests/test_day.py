"""A whole small day in a process of its own, with its kills; and a day that was robbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.timeout(800)]

PEOPLE = 2_000
ELSEWHERE = {"LIMS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/production"}


def test_two_thousand_people_with_every_fault_are_reconciled(tmp_path: Path) -> None:
    """No figure of speed is asserted here: the machine may be laden. The exit code follows both."""
    asked = ["--people", str(PEOPLE), "--compress", "1500", "--seed", "5", "--ceiling", "0"]
    told = subprocess.run(
        [sys.executable, "-m", "lims.cli", "loadtest", *asked, "--report", tmp_path, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | ELSEWHERE,  # whatever laboratory the environment names is not touched
    )

    assert told.stdout, told.stderr
    said = json.loads(told.stdout.splitlines()[-1])
    day = said["reconciliation"]
    assert day["clean"], (day, told.stderr)
    assert (day["people"], day["lost"], day["doubled"], day["unexplained"]) == (PEOPLE, 0, 0, 0)
    assert all(e["holds"] for e in day["equations"])
    assert said["drained"]
    assert said["broke"] == []
    assert {f["fault"] for f in said["faults"]} == {
        "web worker killed",
        "gateway killed",
        "deliverer killed",
        "webhook receiver dead",
    }
    _the_odd_things_happened(said["done"])
    assert told.returncode == (0 if said["green"] else 1)
    assert {file.name for file in tmp_path.iterdir()} == {
        "day.html",
        "day.json",
        "exchanges.parquet",
        "locust.html",
    }
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "tubes registered = results + waiting + rejected" in page


def _the_odd_things_happened(done: dict[str, Any]) -> None:
    for what in (
        "said twice",
        "other bodies refused",
        "taken labels refused",
        "bad rows refused",
        "rows replayed",
        "tubes rejected",
        "second swabs",
        "positives released",
        "cases claimed at the board",
    ):
        assert done[what] > 0, what


def test_a_notice_lost_behind_the_lims_back_is_found_and_is_exit_1() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.loadtests.doctored_day"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert told.returncode == 1, told.stderr
    day = json.loads(told.stdout.splitlines()[-1])["reconciliation"]
    assert not day["clean"]
    assert day["differences"][0]["what"].startswith("closing: "), day["differences"]


def test_a_day_whose_pools_are_parted_by_probability_adds_up(tmp_path: Path) -> None:
    asked = ["--people", "300", "--prevalence", "0.05", "--compress", "3000", "--seed", "5"]
    parted = ["--resolution", "bayesian", "--pool-size", "20", "--calm", "--ceiling", "0", "--json"]
    told = subprocess.run(
        [sys.executable, "-m", "lims.cli", "loadtest", *asked, *parted, "--report", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stdout, told.stderr
    said = json.loads(told.stdout.splitlines()[-1])
    day = said["reconciliation"]
    assert day["clean"], (day, told.stderr)
    assert said["drained"]
    assert said["broke"] == []
    assert day["pools_resolved"]["bayesian"] > 0
    assert day["sub_pools"] == said["done"]["sub-pools prepared"] > 0
    (prepared,) = (e for e in day["equations"] if e["says"].startswith("sub-pools prepared"))
    assert prepared["parts"]["measured"] > 0
