"""A laboratory, a worker at its lists, and a short way to send one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine

from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory
from lims.importing.worker import Worker
from lims.sheets.columns import Column, matched
from lims.sheets.sayings import line_words
from lims.sheets.written import write
from lims.work.imports.columns import confirm_columns
from lims.work.imports.undo import Undone, undo
from lims.work.imports.upload import take_file
from lims.work.sites import found_site
from lims.work.views.imports import ImportedList, bad_lines, imported_list
from tests.builders import Bench, open_bench

DESK = "user:lan"


@dataclass
class Desk:
    """Somebody who sends lists."""

    lab: Laboratory
    worker: Worker

    def send(self, raw: bytes, *, name: str = "list.csv", ask: bool = False) -> UUID:
        with self.lab.sessions.begin() as session:
            uploaded = take_file(
                session,
                raw,
                file_name=name,
                campaign_id=None,
                ask_columns=ask,
                site_id=self.lab.site_id,
                by=DESK,
                now=self.lab.clock(),
            )
        return uploaded.job_id

    def take(self, raw: bytes, *, name: str = "list.csv") -> ImportedList:
        """Send it, confirm the columns that the headings say, and wait for the end."""
        job_id = self.send(raw, name=name)
        self.worker.drain()
        if self.look(job_id).state == "mapping":
            self.confirm(job_id)
        self.worker.drain()
        return self.look(job_id)

    def confirm(self, job_id: UUID, columns: Sequence[Column | None] | None = None) -> None:
        found = self.look(job_id)
        with self.lab.sessions.begin() as session:
            confirm_columns(
                session,
                job_id,
                tuple(columns) if columns is not None else matched(found.words),
                site_id=self.lab.site_id,
                by=DESK,
                now=self.lab.clock(),
            )

    def look(self, job_id: UUID) -> ImportedList:
        with self.lab.sessions.begin() as session:
            return imported_list(session, job_id, site_id=self.lab.site_id)

    def said(self, job_id: UUID) -> dict[int, str]:
        """What is wrong, by line."""
        found = self.look(job_id)
        with self.lab.sessions.begin() as session:
            return {
                line.line: line_words(line.wrong, found.words, found.mapped, str)
                for line in bad_lines(session, job_id)
            }

    def bad_file(self, job_id: UUID) -> bytes:
        found = self.look(job_id)
        assert found.outline is not None
        with self.lab.sessions.begin() as session:
            rows = [
                (line.cells, line_words(line.wrong, found.words, found.mapped, str))
                for line in bad_lines(session, job_id)
            ]
        dialect, sheet = found.outline.dialect, found.outline.sheet
        return write(dialect, found.words, rows, wrong="What is wrong", sheet=sheet)

    def undo(self, job_id: UUID, reason: str = "the wrong list") -> Undone:
        with self.lab.sessions.begin() as session:
            return undo(
                session,
                job_id,
                reason,
                site_id=self.lab.site_id,
                by=DESK,
                now=self.lab.clock(),
            )


@pytest.fixture
def laboratory(database: Engine, now: datetime) -> Laboratory:
    sessions = session_factory(database)
    with sessions.begin() as session:
        site_id = found_site(session, prefix="TT", name="PXN Cầu Giấy", now=now)
    return Laboratory(
        engine=database, sessions=sessions, site_id=site_id, prefix="TT", clock=lambda: now
    )


@pytest.fixture
def bench(laboratory: Laboratory, now: datetime) -> Iterator[Bench]:
    """The same laboratory from behind; the test commits before others look."""
    with laboratory.sessions() as session:
        opened = open_bench(session, now)
        session.commit()
        yield opened
        session.rollback()


@pytest.fixture
def desk(laboratory: Laboratory, bench: Bench) -> Desk:
    return Desk(laboratory, Worker(laboratory, chunk=3))
