"""The worker among others: stopped, killed, twice at once, and beside a desk that registers."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text

from lims.db.ids import uuid7
from lims.domain.lifecycle import TubeKind
from lims.importing import worker as worker_module
from lims.importing.worker import Worker
from lims.sheets.faults import FileFault
from lims.tables import ImportJob, Specimen, Tube
from lims.work.imports import chunk
from tests.builders import Bench
from tests.importing.conftest import Desk
from tests.importing.test_lists import as_csv, people, rows
from tests.until import WITHIN_S, until


def confirmed(desk: Desk, raw: bytes) -> ImportJob:
    job_id = desk.send(raw, ask=True)
    desk.worker.work_at(job_id)
    desk.confirm(job_id)
    with desk.lab.sessions.begin() as session:
        job = session.get_one(ImportJob, job_id)
        session.expunge(job)
    return job


def test_a_stopped_worker_is_gone_on_with_at_the_next_line(desk: Desk, bench: Bench) -> None:
    job = confirmed(desk, as_csv(rows(bench, 10)))
    stop = threading.Event()
    desk.worker.work_at(job.id, stop=stop, progress=lambda *_: stop.set())
    assert (desk.look(job.id).state, desk.look(job.id).rows_done) == ("running", 3)
    Worker(desk.lab, chunk=4).drain()
    done = desk.look(job.id)
    assert (done.state, done.rows_in, done.rows_again, people(bench)) == ("done", 10, 0, 10)


def test_two_workers_at_once_take_every_line_once(desk: Desk, bench: Bench) -> None:
    job = confirmed(desk, as_csv(rows(bench, 60)))
    both = [threading.Thread(target=Worker(desk.lab, chunk=5).drain) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    done = desk.look(job.id)
    assert (done.state, done.rows_in, done.rows_again, people(bench)) == ("done", 60, 0, 60)


def test_a_list_that_is_taken_back_while_it_runs_stops(desk: Desk, bench: Bench) -> None:
    job = confirmed(desk, as_csv(rows(bench, 10)))

    def take_back(done: int, _total: int) -> None:
        if done == 3:
            desk.undo(job.id)

    desk.worker.work_at(job.id, progress=take_back)
    assert (desk.look(job.id).state, people(bench)) == ("undone", 0)
    desk.worker.drain()
    assert people(bench) == 0


def test_a_fault_of_ours_fails_one_list_and_the_next_goes_on(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = (confirmed(desk, as_csv(rows(bench, 2))) for _ in range(2))
    real = chunk.take_chunk

    def take(session, job_id, lines, **given):  # type: ignore[no-untyped-def] # stands in once
        if job_id == broken.id:
            raise ZeroDivisionError
        return real(session, job_id, lines, **given)

    monkeypatch.setattr(worker_module, "take_chunk", take)
    desk.worker.drain()
    assert (desk.look(broken.id).state, desk.look(broken.id).failure) == ("failed", FileFault.BROKE)
    assert desk.look(sound.id).state == "done"


@pytest.mark.parametrize("raw", [None, b"PK\x03\x04 no workbook"])
def test_the_collector_is_as_before_when_a_list_has_ended(
    desk: Desk, bench: Bench, raw: bytes | None
) -> None:
    desk.take(raw or as_csv(rows(bench, 10)))
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)


def test_a_list_that_ends_its_workers_is_given_up(desk: Desk, bench: Bench) -> None:
    job = confirmed(desk, as_csv(rows(bench, 2)))
    bench.session.execute(text("UPDATE import_job SET tries = 5"))
    bench.session.commit()
    desk.worker.drain()
    assert (desk.look(job.id).state, desk.look(job.id).failure) == ("failed", FileFault.BROKE)


def work_process(database_url: str, home: Path) -> subprocess.Popen[str]:
    """`lims work`, whose input is ours."""
    environ = os.environ | {"LIMS_HOME": str(home), "LIMS_DATABASE_URL": database_url}
    return subprocess.Popen(
        [sys.executable, "-m", "lims.cli", "work", "--attached"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
        text=True,
    )


def done(desk: Desk, job: ImportJob, lines: int) -> bool:
    return desk.look(job.id).rows_done >= lines


@pytest.mark.crash
def test_killing_the_worker_loses_no_line_and_doubles_none(
    desk: Desk, bench: Bench, database_url: str, tmp_path: Path
) -> None:
    listed = [
        (barcode, f"Nguyễn Văn {'ABCDEFGHIK'[n % 10]}", "1980", "", "")
        for n, barcode in zip(range(8_000), bench.labels, strict=False)
    ]
    job = confirmed(desk, as_csv(listed))
    _is_being_registered(bench, listed[6_000][0])
    first = work_process(database_url, tmp_path)
    until(lambda: done(desk, job, 1), "the first chunk")
    first.kill()
    first.communicate()
    bench.session.rollback()
    halfway = desk.look(job.id)
    assert 0 < halfway.rows_done <= 6_000
    second = work_process(database_url, tmp_path)
    until(lambda: done(desk, job, 8_000), "the last line")
    second.communicate(timeout=WITHIN_S)  # its input closes, as when its deliverer is gone
    assert second.returncode == 0
    ended = desk.look(job.id)
    assert (ended.state, ended.rows_in, ended.rows_again, ended.rows_bad) == ("done", 8_000, 0, 0)
    assert people(bench) == 8_000


def _is_being_registered(bench: Bench, barcode: str) -> None:
    """At a desk, which has not finished: a list waits at this tube for as long as that takes."""
    tube = Tube(
        id=uuid7(),
        site_id=bench.site_id,
        barcode=barcode,
        kind=TubeKind.INDIVIDUAL,
        assay_code="sars-cov-2",
        created_at=bench.now,
        created_by="desk",
    )
    bench.session.add(tube)
    bench.session.flush()


def _workers(bench: Bench) -> int:
    bench.session.rollback()  # what runs is looked at once a transaction
    running = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'lims work%'"
    )
    return int(bench.session.execute(running).scalar_one())


@pytest.mark.crash
def test_the_deliverer_brings_a_worker_and_takes_it_along(
    desk: Desk, bench: Bench, database_url: str, tmp_path: Path
) -> None:
    job = confirmed(desk, as_csv(rows(bench, 5)))
    deliverer = subprocess.Popen(
        [sys.executable, "-m", "lims.cli", "deliver"],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"LIMS_HOME": str(tmp_path), "LIMS_DATABASE_URL": database_url},
    )
    try:
        until(lambda: done(desk, job, 5), "the list")
        deliverer.send_signal(signal.SIGKILL)
        deliverer.wait()
        until(lambda: _workers(bench) == 0, "the end of the worker without its deliverer")
    finally:
        deliverer.kill()
        deliverer.wait()
    assert desk.look(job.id).state == "done"
    assert len(bench.session.scalars(select(Specimen.id)).all()) == 5
