"""A list taken in from the command line: the same verbs, in this process, with a bar to watch."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import ImportState
from lims.domain.refusals import InvalidBody, UnreadableList
from lims.importing.worker import Worker
from lims.sheets.columns import Column
from lims.sheets.faults import WRONG_HEADINGS
from lims.sheets.sayings import line_words
from lims.sheets.written import write
from lims.tables import ImportJob
from lims.work.imports.columns import confirm_columns
from lims.work.imports.upload import take_file
from lims.work.views.desk import open_campaigns
from lims.work.views.imports import BadLine, ImportedList, bad_lines, imported_list

ACTOR = "command line"
_LOOK_S: Final = 0.25  # between looks at a list that another worker has in hand
_UNDER_WAY: Final = frozenset(
    {ImportState.UPLOADED, ImportState.MAPPING, ImportState.QUEUED, ImportState.RUNNING}
)


@dataclass(frozen=True, slots=True)
class Said:
    """What became of the list, for the last line."""

    job_id: UUID
    taken: int
    again: int
    bad: int
    passed: int
    bad_file: Path | None


def import_list(
    lab: Laboratory,
    path: Path,
    *,
    columns: Sequence[str],
    sheet: str | None,
    campaign: str | None,
    bad_file: Path | None,
) -> Said:
    """Take a whole list in, and write its bad rows beside it.

    `columns` are "heading=what it holds", where the words of the heading do not say it. Raises
    UnreadableList, and InvalidBody for a column or a campaign that is not there.
    """
    named = [_named(one) for one in columns]
    with lab.sessions.begin() as session:
        uploaded = take_file(
            session,
            path.read_bytes(),
            file_name=path.name,
            campaign_id=_campaign(session, lab.site_id, campaign),
            ask_columns=bool(columns),
            site_id=lab.site_id,
            by=ACTOR,
            now=lab.clock(),
        )
        if sheet is not None and not uploaded.replayed:
            session.get_one(ImportJob, uploaded.job_id).sheet = sheet
    _work(lab, uploaded.job_id, named)
    with lab.sessions.begin() as session:
        done = imported_list(session, uploaded.job_id, site_id=lab.site_id)
        if done.state == ImportState.FAILED:
            raise UnreadableList(todo=str(done.failure), where=path.name)
        content = _bad(done, bad_lines(session, uploaded.job_id)) if done.rows_bad else None
    written = bad_file or path.with_name(f"{path.stem}.bad{path.suffix or '.csv'}")
    if content is not None:
        written.write_bytes(content)
    return Said(
        uploaded.job_id,
        done.rows_in,
        done.rows_again,
        done.rows_bad,
        done.rows_passed,
        written if content is not None else None,
    )


def _named(said: str) -> tuple[str, Column]:
    heading, _, what = said.rpartition("=")
    if not heading or what not in list(Column):
        raise _fault(
            "column", f"expected HEADING=WHAT with one of {', '.join(Column)}; came {said}"
        )
    return heading, Column(what)


def _campaign(session: Session, site_id: UUID, name: str | None) -> UUID | None:
    if name is None:
        return None
    known = {one.name: one.campaign_id for one in open_campaigns(session, site_id=site_id)}
    if name not in known:
        raise _fault("campaign", f"none of this name is open; there are: {', '.join(known)}")
    return known[name]


def _fault(where: str, detail: str) -> InvalidBody:
    return InvalidBody(errors=[{"pointer": f"#/{where}", "detail": detail}], where=where)


def _work(lab: Laboratory, job_id: UUID, columns: Sequence[tuple[str, Column]]) -> None:
    worker = Worker(lab)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("reading", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, description="registering", completed=done, total=total)

        while (state := _standing(lab, job_id)[0]) in _UNDER_WAY:
            if state is ImportState.MAPPING:
                _confirm(lab, job_id, columns)
            worker.work_at(job_id, progress=show)
            state, done, lines = _standing(lab, job_id)
            if state in _UNDER_WAY and state is not ImportState.MAPPING:
                show(done, lines)
                time.sleep(_LOOK_S)


def _standing(lab: Laboratory, job_id: UUID) -> tuple[ImportState, int, int]:
    """Its state, lines done, lines in all. The deliverer's own worker may be at it."""
    with lab.sessions.begin() as session:
        job = session.get_one(ImportJob, job_id)
        return ImportState(job.state), job.rows_done, job.rows_total


def _confirm(lab: Laboratory, job_id: UUID, columns: Sequence[tuple[str, Column]]) -> None:
    with lab.sessions.begin() as session:
        found = imported_list(session, job_id, site_id=lab.site_id)
        words, mapped = found.words, found.mapped
        for heading, column in columns:
            if heading not in words:
                raise _fault("column", f"no heading {heading}; there are: {', '.join(words)}")
            at = words.index(heading)
            mapped = tuple(
                column if n == at else (None if one is column else one)
                for n, one in enumerate(mapped)
            )
        confirm_columns(session, job_id, mapped, site_id=lab.site_id, by=ACTOR, now=lab.clock())


def _bad(done: ImportedList, lines: Sequence[BadLine]) -> bytes:
    if done.outline is None:
        raise LookupError(f"expected an outline of import {done.job_id}")
    rows = ((line.cells, line_words(line.wrong, done.words, done.mapped, str)) for line in lines)
    dialect, sheet = done.outline.dialect, done.outline.sheet
    return write(dialect, done.words, rows, wrong=WRONG_HEADINGS[0], sheet=sheet)
