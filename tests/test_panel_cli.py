"""`lims panel …` as somebody at the shell runs it, on a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lims.db.ids import uuid7
from tests.test_report_cli import Shell

SERIES = """pool_size,ct_undiluted,ct_pooled,detected,replicates
5,30.1,32.4,20,20
10,30.1,33.5,20,20
20,30.1,,0,20
"""


@pytest.fixture
def shell(database: object, database_url: str, tmp_path: Path) -> Shell:
    return Shell(database_url, tmp_path)


def entering(shell: Shell, series: str = SERIES) -> tuple[str, ...]:
    file = shell.home / "series.csv"
    file.write_text(series, encoding="utf-8")
    return (
        *("panel", "enter", str(file), "--source", "VR-12/2021"),
        *("--lod-ct", "36.5", "--weak-positive-ct", "32"),
    )


def test_a_series_is_entered_once_and_shown_in_words_and_in_json(shell: Shell) -> None:
    assert shell.run("panel", "show").exit_code == 1
    panel_id = str(uuid7())
    for _ in range(2):
        told = shell.run(*entering(shell), "--id", panel_id, "--json")
        assert told.exit_code == 0, told.output
    entered = json.loads(told.output)
    assert (entered["largest_pool"], entered["because"]) == (10, "detection")
    shown = json.loads(shell.run("panel", "show", "--json").output)
    assert shown["panel_id"] == panel_id
    assert shown["sizes"] == entered["sizes"]
    assert shown["sizes"][2]["cycles_lost"] is None
    words = shell.run("panel", "show").output
    assert "At most 10 to a pool: the next size found less than 19 of 20." in words


def test_what_cannot_be_a_series_is_said_in_a_sentence(shell: Shell) -> None:
    told = shell.run(*entering(shell, SERIES.replace("20,20\n10", "21,20\n10")))
    assert told.exit_code == 1
    assert "rows/0/detected: no more detected than measured" in told.output
    told = shell.run(*entering(shell, SERIES.replace("30.1,32.4", "thirty,32.4")))
    assert told.exit_code == 2
    assert "line 2" in told.output
    told = shell.run(*entering(shell, "size,ct\n5,30\n"))
    assert told.exit_code == 2
    assert "no column pool_size" in told.output
