"""`lims reconcile` as the one who closes the day runs it, on a real database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.builders import open_bench
from tests.test_report_cli import Shell

DAY = ("--day", "2021-09-11")


@pytest.fixture
def shell(session: Session, database_url: str, tmp_path: Path) -> Shell:
    bench = open_bench(session, datetime(2021, 9, 11, 1, 0, tzinfo=UTC))
    bench.run({bench.swab().barcode: 24.0})
    bench.swab()
    session.commit()
    return Shell(database_url, tmp_path)


def test_a_day_that_adds_up_ends_well(shell: Shell) -> None:
    told = shell.run("reconcile", *DAY)
    assert told.exit_code == 0, told.output
    assert "2021-09-11: everything adds up" in told.output
    assert "waiting: 1 (queue, the oldest since" in told.output
    assert shell.run("reconcile", "--day", "2021-09-10").exit_code == 0


def test_a_day_that_does_not_ends_with_one_and_says_which(shell: Shell, session: Session) -> None:
    session.execute(text("DELETE FROM notice"))
    session.commit()

    told = shell.run("reconcile", *DAY, "--json")

    assert told.exit_code == 1
    said = json.loads(told.output)
    assert not said["clean"]
    assert [one["why"] for one in said["differences"]] == ["told to nobody"]
    assert [one["name"] for one in said["equations"] if not one["holds"]] == ["recipients"]
    assert "1 thing does not add up" in shell.run("reconcile", *DAY).output


def test_no_day_is_refused(shell: Shell) -> None:
    assert shell.run("reconcile", "--day", "2021-02-30").exit_code == 2
