"""`lims report …` as somebody at the shell runs it, on a real database."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.access_cli import SCOPES
from lims.cli import main
from lims.domain import barcodes
from lims.tables import Campaign, Team, User
from lims.work.tokens import Scope
from tests.builders import HOME, Bench, open_bench
from tests.reports.printed import words


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


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def test_slips_of_a_day_and_of_a_tube_and_what_waits(shell: Shell, bench: Bench) -> None:
    swabs = [bench.swab(name=name) for name in ("Lê Bích", "Đỗ An")]
    waiting = bench.swab(name="Phạm Chờ")
    bench.run({waiting.barcode: 24.0})
    bench.session.commit()
    day, tube = shell.home / "day.pdf", shell.home / "tube.pdf"
    done = shell.run("report", "slip", "--since", "2021-09-11", "--out", str(day))
    assert done.exit_code == 0, done.output
    assert "2 slips" in done.stderr and "LIMS_PUBLIC_URL is not set" in done.stderr
    [said] = words(day.read_bytes())
    assert said.index("Đỗ An") < said.index("Lê Bích")
    shown = barcodes.shown(swabs[0].barcode)
    one = shell.run("report", "slip", "--tube", shown, "--paper", "a5", "--out", str(tube))
    assert one.exit_code == 0, one.output
    assert "Lê Bích" in words(tube.read_bytes())[0]
    assert "\n1 slip in " in f"\n{one.stderr}"
    refused = shell.run("report", "slip", "--tube", waiting.barcode, "--out", str(tube))
    assert refused.exit_code == 1
    assert "a positive that a reviewer has not released" in refused.stderr
    assert shell.run("report", "slip", "--out", str(tube)).exit_code == 2
    nobody = shell.run("report", "slip", "--since", "2021-01-01", "--out", str(tube))
    assert nobody.exit_code == 1 and "final result" in nobody.stderr
    assert "--since" in nobody.stderr


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("--since", "2021-09-11", "--until", "2021-09-01"), 2, "2021-09-01 is before --since"),
        (("--since", "2021-09-11", "--campaign", "Phường 9"), 2, "there is: Phường 8"),
        (("--tube", "TT7K"), 1, "11 letters and digits"),
        (("--tube", "waiting"), 1, "no result is known yet of anybody in TT"),
    ],
)
def test_what_a_slip_cannot_be_asked_for_is_said_with_what_would_do(
    shell: Shell, bench: Bench, asked: tuple[str, ...], code: int, said: str
) -> None:
    bench.session.get_one(Campaign, bench.campaign()).name = "Phường 8"
    waiting = bench.swab().barcode
    bench.session.commit()
    words_ = [waiting if word == "waiting" else word for word in asked]
    told = shell.run("report", "slip", *words_, "--out", str(shell.home / "a.pdf"))
    assert (told.exit_code, said in told.stderr) == (code, True), told.stderr


def test_a_team_nobody_knows_is_told_beside_those_there_are(shell: Shell, bench: Bench) -> None:
    bench.subscribe(HOME, name="Tổ phường Tân Định")
    bench.session.commit()
    asked = ("token", "issue", "bus", "--scope", "cases", "--team", "Tổ 9")
    told = shell.run(*asked)
    assert told.exit_code == 2 and "there is: " in told.stderr
    assert "Tổ phường Tân Định" in told.stderr
    adds = [
        *("user", "add", "mai", "--name", "Mai"),
        *("--role", "tracer"),
        "--password",
        "hoa sua dau thu",
    ]
    told = shell.run(*adds, "--team", "Tổ 9")
    assert told.exit_code == 2 and "Tổ phường Tân Định" in told.stderr
    assert shell.run(*adds, "--team", "Tổ phường Tân Định").exit_code == 0
    tracer = select(Team.name).join(User, User.team_id == Team.id).where(User.login == "mai")
    assert bench.session.scalars(tracer).one() == "Tổ phường Tân Định"


def test_the_shell_issues_a_token_of_every_scope_that_there_is(shell: Shell) -> None:
    assert set(SCOPES) == set(Scope)
    issued = shell.run("token", "issue", "kho", "--scope", "fhir", "--every-team")
    assert issued.exit_code == 0, issued.stderr
    assert shell.run("token", "issue", "app", "--scope", "lookup").exit_code == 0


def test_a_run_report_by_its_plate(shell: Shell, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    bench.session.commit()
    file = shell.home / "run.pdf"
    done = shell.run("report", "run", "PLATE-0001", "--language", "en", "--out", str(file))
    assert done.exit_code == 0, done.output
    [said] = words(file.read_bytes())
    assert "Run report" in said and barcodes.shown(swab.barcode) in said
    unknown = shell.run("report", "run", "PLATE-9999", "--out", str(file))
    assert unknown.exit_code == 1 and "a run planned here" in unknown.stderr


def test_the_reswab_sheet_names_every_door(shell: Shell, bench: Bench) -> None:
    family = bench.field_pool(5)
    bench.run({family.barcode: 27.0})
    bench.session.commit()
    file = shell.home / "again.pdf"
    done = shell.run("report", "reswab", "--out", str(file))
    assert done.exit_code == 0, done.output
    [said] = words(file.read_bytes())
    assert "5 người · 1 hộ" in said and "12 Hai Bà Trưng" in said
    order = [said.index(f"Trần Văn {n}") for n in range(5)]
    assert order == sorted(order), "as they were swabbed"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Gộp tại thực địa" in said and "Pooled at the desk" in said
