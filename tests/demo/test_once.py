"""The whole story, headless, with every real process: it ends as the truth says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lims.domain.pooling.choice import StrategyName

pytestmark = pytest.mark.crash

FIELDS = [
    "people", "tubes", "pools", "positive_pools", "sub_pools", "retests", "true_positives", "cases",
    "missed", "false", "notices_owed", "notices_delivered", "lost", "duplicated", "resolved",
    "seconds",
]  # fmt: skip

ONCE = (sys.executable, "-m", "lims.cli", "demo", "--once", "--json")
FAILED_CONTROL = 1084  # the seed whose first plate has a positive control that does not amplify


def test_the_story_of_seed_1_loses_nothing_and_explains_every_difference(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = subprocess.run(
        [*ONCE, "--seed", "1", "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        # Whatever laboratory the environment names, the demonstration must not touch it.
        env=os.environ | {"LIMS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/production"},
    )

    assert told.returncode == 0, told.stderr
    line = json.loads(told.stdout.splitlines()[-1])
    assert list(line) == FIELDS
    assert line["people"] == 400
    assert line["lost"] == line["duplicated"] == 0
    assert line["notices_owed"] == line["notices_delivered"] > 0
    assert line["positive_pools"] > 0
    assert line["sub_pools"] > 0
    assert set(line["resolved"]) == set(StrategyName)
    assert all(line["resolved"].values()), "each strategy has found an F0 in a pool"
    assert line["retests"] > 0
    assert line["true_positives"] == line["cases"] - len(line["false"]) > 0
    assert all(each["why"] for each in (*line["missed"], *line["false"]))
    assert re.search(
        r"recall .*, [1-9]\d* cases? withdrawn, [1-9]\d* corrections? owed", told.stderr
    ), "and what was taken back was measured again"
    assert not home.exists()


def test_what_a_run_with_a_failed_positive_control_detected_waits_for_the_reviewer(
    tmp_path: Path,
) -> None:
    story = ["--seed", str(FAILED_CONTROL), "--people", "80", "--prevalence", "0.1"]
    told = subprocess.run(
        [*ONCE, *story, "--home", str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert "positive control late" in told.stderr
    line = json.loads(told.stdout.splitlines()[-1])
    assert all(line["resolved"].values()), "with eighty people too"
    assert line["lost"] == line["duplicated"] == 0
    assert line["true_positives"] > 0
    assert all(each["why"] for each in (*line["missed"], *line["false"]))
