"""`lims import` beside other workers, and the same file sent again with something else in mind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lims.domain.refusals import InvalidBody
from lims.importing import worker as worker_module
from lims.importing.shell import Said, import_list
from lims.importing.worker import Progress, Worker
from tests.builders import Bench
from tests.importing.conftest import Desk
from tests.importing.test_lists import as_csv, people, rows
from tests.lists import HEADINGS, csv_text, workbook
from tests.until import WITHIN_S


def imported(
    desk: Desk, path: Path, *, columns: Sequence[str] = (), sheet: str | None = None
) -> Said:
    return import_list(desk.lab, path, columns=columns, sheet=sheet, campaign=None, bad_file=None)


def refused(desk: Desk, path: Path, **given: Any) -> str:
    with pytest.raises(InvalidBody) as refusal:
        imported(desk, path, **given)
    return str(refusal.value.facts["errors"])


@pytest.fixture
def another_is_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The attached worker of `lims deliver`: it always has the list when the shell asks for it."""
    real, others = Worker.work_at, list[threading.Thread]()

    def late(self: Worker, job_id: UUID, *, progress: Progress | None = None) -> None:
        key = {"locks": worker_module._LOCKS, "job": job_id.int & 0x7FFFFFFF}
        with desk.lab.engine.connect() as other:
            other.execute(text("SELECT pg_advisory_lock(:locks, :job)"), key)
            real(self, job_id, progress=progress)
            other.execute(text("SELECT pg_advisory_unlock(:locks, :job)"), key)
        others.append(threading.Thread(target=real, args=(desk.worker, job_id)))
        others[-1].start()

    monkeypatch.setattr(Worker, "work_at", late)
    return others


def test_a_list_that_another_worker_has_is_followed_to_its_end(
    desk: Desk, bench: Bench, tmp_path: Path, another_is_first: list[threading.Thread]
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows(bench, 8)))
    said = imported(desk, path)
    for other in another_is_first:
        other.join()
    assert (said.state, said.taken, said.replayed, people(bench)) == ("done", 8, False, 8)


def test_columns_are_not_lost_to_another_worker(
    desk: Desk, bench: Bench, tmp_path: Path, another_is_first: list[threading.Thread]
) -> None:
    path = tmp_path / "list.csv"
    listed = [("Vật", *HEADINGS[1:]), *rows(bench, 2)]
    path.write_text(csv_text(listed), encoding="utf-8")
    said = imported(desk, path, columns=["Vật=barcode"])
    for other in another_is_first:
        other.join()
    assert (said.state, said.taken, people(bench)) == ("done", 2, 2)


def test_the_same_file_again_says_so_and_takes_no_other_columns_or_sheet(
    desk: Desk, bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook([HEADINGS, *rows(bench, 2)], sheets=("Tổ 1", "Tổ 2")))
    assert imported(desk, path, sheet="Tổ 2").replayed is False
    again = imported(desk, path, sheet="Tổ 2")
    assert (again.replayed, again.taken) == (True, 2)
    assert "taken in before, from the sheet Tổ 2" in refused(desk, path, sheet="Tổ 1")
    assert "taken in before, with other columns" in refused(desk, path, columns=["SĐT=address"])


def test_a_sheet_that_is_not_there_is_named_and_then_said_right(
    desk: Desk, bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook([HEADINGS, *rows(bench, 2)], sheets=("Bìa", "Danh sách")))
    assert "no sheet Danh sach; there are: Bìa, Danh sách" in refused(desk, path, sheet="Danh sach")
    assert people(bench) == 0
    assert imported(desk, path, sheet="Danh sách").taken == 2


def test_a_list_taken_back_while_it_waits_is_no_success(
    desk: Desk, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows(bench, 2)))
    monkeypatch.setattr(Worker, "work_at", lambda _self, job_id, **_kw: desk.undo(job_id))
    assert (imported(desk, path).state, people(bench)) == ("undone", 0)


def test_the_command_says_that_the_file_was_here_before(
    desk: Desk, bench: Bench, tmp_path: Path, database_url: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows(bench, 2)))
    imported(desk, path)
    told = subprocess.run(  # noqa: PLW1510 - its status is what is looked at
        [sys.executable, "-m", "lims.cli", "import", str(path)],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        env={
            **os.environ,
            "LIMS_DATABASE_URL": database_url,
            "LIMS_HOME": str(tmp_path),
            "LIMS_SITE": "TT",
        },
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("This very file was sent before; of it: 2 registered")
