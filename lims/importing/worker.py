"""Takes uploaded lists in, one after the other, until told to stop. Run as many as you like.

A worker holds an advisory lock on the list it works at, on a connection of its own: killed, it
holds nothing, and another goes on at the next line. A list is registered in chunks, each in a
transaction of its own that counts its lines too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.lifecycle import ImportState
from lims.importing.collecting import not_collecting, set_aside
from lims.sheets.area_book import AreaBook
from lims.sheets.columns import Column
from lims.sheets.faults import FileFault, Unreadable
from lims.sheets.first_lines import FirstLines
from lims.sheets.opened import open_list
from lims.sheets.table import Line
from lims.sheets.understood import Reader, Reading
from lims.tables import ImportFile, ImportJob
from lims.work.imports.area_units import area_book, zones_by_name
from lims.work.imports.chunk import Chunk, Counted, fail, finish, read_chunk, take_chunk
from lims.work.imports.jobs import begin_try, locked_job, waiting_jobs
from lims.work.imports.outline import Found, describe, look, mapping_of
from lims.work.imports.upload import CHANNEL

log = structlog.get_logger()

CHUNK: Final = 2_500  # lines; a second at the slowest, so that a stop and the progress are prompt
_LOCKS: Final = 0x696D70  # "imp": the first half of the advisory locks' key
_IDLE_S: Final = 5.0
_LOOK_UP_S: Final = 0.25
_DATABASE_PAUSE_S: Final = 1.0
_MOST_TRIES: Final = 5

Progress = Callable[[int, int], None]
"""Told how many lines are done, and of how many."""


class Worker:
    """Works at the lists of one laboratory."""

    def __init__(self, laboratory: Laboratory, *, chunk: int = CHUNK) -> None:
        self._lab = laboratory
        self._chunk = chunk
        self._wake = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; a list in work stops after its chunk and is gone on with later."""
        listener = Listener(
            self._lab.engine,
            [CHANNEL],
            heard=lambda _channel, _payload: self._wake.set(),
            connected=self._wake.set,
            name="import-listener",
        )
        listener.start()
        log.info("imports.started")
        try:
            while not stop.is_set():
                self._wake.clear()
                pause_s = _IDLE_S
                try:
                    self.drain(stop)
                except DATABASE_AWAY as failure:
                    log.warning("imports.database_away", why=type(failure).__name__)
                    pause_s = _DATABASE_PAUSE_S
                self._wait(stop, pause_s)
        finally:
            listener.stop()
            log.info("imports.stopped")

    def drain(self, stop: threading.Event | None = None) -> None:
        """Work at whatever waits by now and nobody else has."""
        with self._lab.sessions.begin() as session:
            waiting = waiting_jobs(session, site_id=self._lab.site_id)
        for job_id in waiting:
            if stop is not None and stop.is_set():
                return
            self.work_at(job_id, stop=stop)

    def work_at(
        self,
        job_id: UUID,
        *,
        stop: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Read the list, and register it if its columns are known; nothing if another is at it."""
        with self._alone(job_id) as mine:
            if not mine:
                return
            try:
                self._work(job_id, stop or threading.Event(), progress or _quiet)
            except Unreadable as unreadable:
                self._fail(job_id, unreadable.fault)
            except DATABASE_AWAY:
                raise
            except Exception:  # ours: the other lists must not wait behind it
                log.exception("import.broke", job_id=str(job_id))
                self._fail(job_id, FileFault.BROKE)

    def _work(self, job_id: UUID, stop: threading.Event, progress: Progress) -> None:
        with self._lab.sessions.begin() as session:
            job = begin_try(session, job_id, site_id=self._lab.site_id)
            tries = job.tries if job else 0
        if job is None:
            return
        if tries > _MOST_TRIES:
            raise Unreadable(FileFault.BROKE)
        job, found = self._job(job_id), None
        if job is None:
            return
        if job.state == ImportState.UPLOADED:
            found = self._look(job)
            with self._lab.sessions.begin() as session:
                locked = locked_job(session, job_id, site_id=self._lab.site_id)
                if locked.state == ImportState.UPLOADED:
                    describe(session, locked, found)
            job = self._job(job_id)
        if job is None or job.state not in (ImportState.QUEUED, ImportState.RUNNING):
            return
        self._register(job, (found or self._look(job)).lines, stop, progress)

    def _register(
        self, job: ImportJob, lines: list[Line], stop: threading.Event, progress: Progress
    ) -> None:
        with self._lab.sessions.begin() as session:
            areas, zones = area_book(session), zones_by_name(session, self._lab.site_id)
        reader = Reader(self._reading(job, areas, zones))
        first_lines = FirstLines(lines, reader.where[Column.BARCODE])
        done = job.rows_done
        log.info("import.running", job_id=str(job.id), lines=len(lines), done=done)
        # While the database writes a chunk, the next is read.
        with set_aside(), ThreadPoolExecutor(1, "import-reader") as beside:
            following = beside.submit(read_chunk, lines[done : done + self._chunk], reader)
            while done < len(lines) and not stop.is_set():
                chunk, start = following.result(), done
                done += len(chunk.lines)
                following = beside.submit(read_chunk, lines[done : done + self._chunk], reader)
                if self._take(job.id, start, chunk, first_lines) is None:
                    return
                progress(done, len(lines))
        with self._lab.sessions.begin() as session:
            finish(session, job.id, site_id=self._lab.site_id, now=self._lab.clock())

    def _take(
        self,
        job_id: UUID,
        start: int,
        chunk: Chunk,
        first_lines: FirstLines,
    ) -> Counted | None:
        """A chunk, again when a desk registered the same tube or card in the same moment."""
        for tries in range(1, _MOST_TRIES + 1):
            try:
                with self._lab.sessions.begin() as session:
                    return take_chunk(
                        session,
                        job_id,
                        chunk,
                        start=start,
                        first_lines=first_lines,
                        site_id=self._lab.site_id,
                        now=self._lab.clock(),
                    )
            except IntegrityError:
                if tries == _MOST_TRIES:
                    raise
            except OperationalError as error:
                lost = isinstance(error.orig, DeadlockDetected | SerializationFailure)
                if not lost or tries == _MOST_TRIES:
                    raise
        return None

    def _reading(self, job: ImportJob, areas: AreaBook, zones: Mapping[str, UUID]) -> Reading:
        return Reading(
            mapped=mapping_of(job.mapped),
            areas=areas,
            zone=ZoneInfo(self._lab.timezone),
            now=self._lab.clock(),
            taken_at=job.uploaded_at,
            campaign_id=job.campaign_id,
            zones=zones,
        )

    def _look(self, job: ImportJob) -> Found:
        with self._lab.sessions.begin() as session:
            raw = session.scalar(select(ImportFile.content).where(ImportFile.job_id == job.id))
        if raw is None:
            raise Unreadable(FileFault.EMPTY)
        with not_collecting():
            return look(open_list(raw), sheet=job.sheet, heading_line=job.heading_line)

    def _job(self, job_id: UUID) -> ImportJob | None:
        with self._lab.sessions.begin() as session:
            job = session.get(ImportJob, job_id)
            if job is not None:
                session.expunge(job)
            return job

    def _fail(self, job_id: UUID, fault: FileFault) -> None:
        log.info("import.unreadable", job_id=str(job_id), why=fault.name)
        with self._lab.sessions.begin() as session:
            fail(session, job_id, fault, site_id=self._lab.site_id, now=self._lab.clock())

    @contextmanager
    def _alone(self, job_id: UUID) -> Iterator[bool]:
        key = {"locks": _LOCKS, "job": job_id.int & 0x7FFFFFFF}
        with self._lab.engine.connect() as connection:
            held = connection.execution_options(isolation_level="AUTOCOMMIT")
            mine = bool(held.scalar(text("SELECT pg_try_advisory_lock(:locks, :job)"), key))
            try:
                yield mine
            finally:
                if mine:
                    held.execute(text("SELECT pg_advisory_unlock(:locks, :job)"), key)

    def _wait(self, stop: threading.Event, pause_s: float) -> None:
        waited = 0.0
        while not stop.is_set() and waited < pause_s and not self._wake.wait(_LOOK_UP_S):
            waited += _LOOK_UP_S


def _quiet(_done: int, _total: int) -> None:
    """Nobody watches."""
