"""`lims compare` of a register that is asked about people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.exchange.conftest import asking as asking  # noqa: PLC0414 - the fixture
from tests.exchange.conftest import lab as lab  # noqa: PLC0414 - the fixture
from tests.exchange.people_asked import AskingLab, number
from tests.exchange.registers import registers
from tests.test_report_cli import Shell

NAME = "Dữ liệu dân cư"
DAYS = ("--since", "2021-09-10", "--until", "2021-09-12")


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    return Shell(database_url, tmp_path)


def test_who_has_no_answer_is_listed_by_the_tube_and_asked_once_more(
    asking: AskingLab, shell: Shell
) -> None:
    with registers() as there:
        asking.population(there)
        swabs = asking.people(3, there)
        there.judge = lambda entry: (
            {"outcome": "refused", "reason": "khóa"} if entry["cccd"] == number(1) else None
        )
        asking.ask()
        told = shell.run("compare", NAME, *DAYS)
        assert told.exit_code == 1, told.output
        assert "asked about 3, answered 2 (2 verified, 0 unverified, 0 conflict)" in told.output
        assert f"{swabs[1].barcode}: refused: khóa" in told.output

        told = shell.run("compare", NAME, *DAYS, "--send", "--json")
        said = json.loads(told.stdout)
        assert (said["asked"], said["answered"], said["asked_again"]) == (3, 2, 1)
        assert [one["barcode"] for one in said["without_answer"]] == [swabs[1].barcode]
        assert number(1) not in told.output

        there.judge = lambda _entry: None
        asking.lab.clock.now = datetime.now(UTC)  # what a command owes, it owes by the real clock
        asking.ask()
        told = shell.run("compare", NAME, "--since", "2021-09-10", "--until", "today")
        assert told.exit_code == 0, told.output
        assert "Everybody has an answer." in told.output
