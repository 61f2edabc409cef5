"""`lims report situation|positives` as somebody at the shell runs it, on a real database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.builders import HOME, open_bench
from tests.reports.printed import words
from tests.test_report_cli import Shell


@pytest.fixture
def shell(database: Engine, database_url: str, tmp_path: Path, session: Session) -> Shell:
    bench = open_bench(session, datetime(2021, 9, 11, 1, tzinfo=UTC))
    bench.subscribe(HOME, name="Tổ phường Tân Định")
    swab = bench.swab(name="Lý A Páo")
    bench.run({swab.barcode: 21.0})
    session.commit()
    return Shell(database_url, tmp_path)


@pytest.mark.parametrize(("ending", "opens"), [("pdf", b"%PDF"), ("xlsx", b"PK"), ("json", b"{")])
def test_the_situation_is_written_by_the_files_ending(
    shell: Shell, ending: str, opens: bytes
) -> None:
    file = shell.home / f"day.{ending}"
    told = shell.run("report", "situation", "--day", "2021-09-11", "--out", str(file))
    assert told.exit_code == 0, told.output
    assert told.stdout == "" and "1 positive" in told.stderr
    assert file.read_bytes().startswith(opens)


def test_a_day_without_tests_is_no_fault(shell: Shell) -> None:
    told = shell.run("report", "situation", "--day", "2021-01-02", "--form", "json", "--out", "-")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["swabs"] == 0
    assert "nobody was tested" in told.stderr


def test_a_teams_list_is_written_and_recorded(shell: Shell, session: Session) -> None:
    file = shell.home / "f0.pdf"
    asked = ("report", "positives", "--team", "Tổ phường Tân Định", "--day", "2021-09-11")
    told = shell.run(*asked, "--out", str(file))
    assert told.exit_code == 0, told.output
    assert "1 case;" in told.stderr and file.read_bytes().startswith(b"%PDF")
    taken = session.execute(
        text("SELECT actor FROM audit_event WHERE verb = 'positive-list-taken'")
    ).scalar_one()
    assert taken == "command line"


@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", "dòng lệnh tải lúc"), ("en", "taken by the command line at")],
)
def test_whose_copy_it_is_stands_on_it_in_its_own_language(
    shell: Shell, language: str, said: str
) -> None:
    paper, sheet = shell.home / "f0.pdf", shell.home / "f0.xlsx"
    for file in (paper, sheet):
        asked = ("report", "positives", "--open", "--language", language, "--out", str(file))
        told = shell.run(*asked)
        assert told.exit_code == 0, told.output
    (page,) = words(paper.read_bytes())
    assert page.count(said) == 2  # across the page and at its foot
    above = CalamineWorkbook.from_path(str(sheet)).get_sheet_by_index(0).to_python()[:3]
    assert said in str(above)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("situation", "--day", "31/12", "--out", "a.pdf"), "YYYY-MM-DD"),
        (("situation", "--out", "a.txt"), ".pdf, .xlsx, .json"),
        (("positives", "--out", "a.json"), ".pdf, .xlsx"),
        (("positives", "--team", "Nobody", "--out", "a.pdf"), "Tổ phường Tân Định"),
    ],
)
def test_what_was_used_wrongly_is_said_with_exit_2(
    shell: Shell, asked: tuple[str, ...], said: str
) -> None:
    told = shell.run("report", *asked)
    assert told.exit_code == 2
    assert said in told.stderr
