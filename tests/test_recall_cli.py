"""`lims recall …` as somebody at the shell runs it, on a real database."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from tests.builders import open_bench
from tests.builders_recall import lot_day
from tests.test_report_cli import Shell


@pytest.fixture
def shell(database: Engine, database_url: str, tmp_path: Path, now: datetime) -> Shell:
    """A lot behind two runs of ten people each."""
    with session_factory(database).begin() as session:
        lot_day(open_bench(session, now), runs=2)
    return Shell(database_url, tmp_path)


def test_a_preview_changes_nothing_and_a_recall_is_done_once(shell: Shell) -> None:
    looked = [shell.run("recall", "--reagent-lot", "vn-2198", "--preview") for _ in range(2)]
    assert looked[0].output == looked[1].output
    assert "20 people: 16 negative, 4 positive" in looked[0].output.replace(
        "4 positive, 16 negative", "16 negative, 4 positive"
    )
    asked = ("recall", "--reagent-lot", "VN-2198", "--reason", "maker's notice", "--json")
    recall_id = str(uuid7())

    first, again = (json.loads(shell.run(*asked, "--id", recall_id).output) for _ in range(2))

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert (first["people"], first["cases"], first["slips"]) == (20, {"confirmed": 4}, 20)
    assert {**first, "replayed": True} == again


@pytest.mark.parametrize(
    "words",
    [
        ("--reagent-lot", "VN-2198"),
        ("--reagent-lot", "VN-2198", "--preview", "--reason", "why"),
        ("--preview",),
        ("--plate", "PLATE-0001", "--kit-lot", "A", "--preview"),
    ],
)
def test_used_wrongly_is_exit_2(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.run("recall", *words).exit_code == 2


def test_what_does_not_exist_is_said_in_a_sentence_with_exit_1(shell: Shell) -> None:
    told = shell.run("recall", "--plate", "PLATE-9999", "--preview")
    assert told.exit_code == 1
    assert "PLATE-9999" in told.stderr
    assert "a plate that was run here" in told.stderr
    span = shell.run("recall", "--instrument", "QS5-1", "--preview")
    assert span.exit_code == 1


def test_a_lot_that_was_mistyped_is_told_with_those_that_are_much_like_it(shell: Shell) -> None:
    told = shell.run("recall", "--reagent-lot", "VN-2189", "--preview")
    assert told.exit_code == 1
    assert "a reagent lot that was entered on a run here" in told.stderr
    assert "Perhaps: VN-2198." in told.stderr
    nothing_like_it = shell.run("recall", "--reagent-lot", "L77", "--preview").stderr
    assert "Perhaps" not in nothing_like_it and "reagent_lot" not in nothing_like_it
