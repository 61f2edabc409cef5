"""`lims report …` as somebody at the shell runs it, on a real database."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader

from lims.cli import main


class Shell:
    """Runs verbs with the environment of a node on the test's database."""

    def __init__(self, database_url: str, home: Path) -> None:
        self.home = home
        self._environment = {
            "LIMS_DATABASE_URL": database_url,
            "LIMS_HOME": str(home),
            "LIMS_SITE": "TT",
        }

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env=self._environment)


@pytest.fixture
def shell(database: object, database_url: str, tmp_path: Path) -> Shell:
    return Shell(database_url, tmp_path)


def test_the_same_labels_come_again_and_new_ones_are_new(shell: Shell) -> None:
    files = [shell.home / name for name in ("one.pdf", "again.pdf", "two.pdf")]
    asked = ("report", "labels", "--count", "30", "--title", "Phường 8", "--out")
    first = shell.run(*asked, str(files[0]))
    assert first.exit_code == 0, first.output
    found = re.search(r"--again (\S+)", first.stderr)
    assert found
    again = shell.run("report", "labels", "--again", found[1], "--out", str(files[1]))
    assert again.exit_code == 0, again.output
    assert shell.run(*asked, str(files[2])).exit_code == 0
    printed = [file.read_bytes() for file in files]
    assert printed[0] == printed[1] != printed[2]
    assert "Phường 8" in PdfReader(files[0]).pages[0].extract_text()


def test_labels_without_a_title_are_asked_for_again_with_exit_2(shell: Shell) -> None:
    told = shell.run("report", "labels", "--count", "30", "--out", str(shell.home / "a.pdf"))
    assert told.exit_code == 2
    assert "--title" in told.stderr


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(shell: Shell) -> None:
    nowhere = str(shell.home / "no" / "labels.pdf")
    told = shell.run("report", "labels", "--count", "1", "--title", "A", "--out", nowhere)
    assert told.exit_code == 1
    assert "cannot be written" in told.stderr
