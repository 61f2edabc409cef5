"""A list followed to its end by whoever waits for it at a shell, whichever worker has it.

Beside a running `lims deliver` its worker is often the first: then this process only watches, says
the columns when they are asked for, and goes on itself should the other one die.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import ImportState
from lims.domain.refusals import InvalidBody
from lims.importing.worker import Worker
from lims.sheets.columns import Column, Mapped
from lims.work.imports.columns import confirm_columns, look_elsewhere
from lims.work.imports.outline import remembered
from lims.work.views.imports import ImportedList, imported_list

_LOOK_S: Final = 0.25
_ENDED: Final = frozenset({ImportState.DONE, ImportState.FAILED, ImportState.UNDONE})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person at the shell said of the list: columns by their headings, sheet, campaign."""

    columns: tuple[tuple[str, Column], ...] = ()
    sheet: str | None = None
    campaign: str | None = None


def followed(
    lab: Laboratory, job_id: UUID, wanted: Wanted, *, by: str, look_s: float = _LOOK_S
) -> ImportedList:
    """The list once it is done, failed or taken back.

    Raises InvalidBody when the columns, the sheet or the campaign cannot be as wanted.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    worker = Worker(lab)
    with bar:
        task = bar.add_task("reading", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, description="registering", completed=done, total=total)

        while True:
            worker.work_at(job_id, progress=show)
            found = _at(lab, job_id)
            if found.state == ImportState.RUNNING:
                show(found.rows_done, found.rows_total)
            if found.state in _ENDED:
                _as_wanted(found, wanted)
                return found
            if found.state == ImportState.MAPPING:
                _in_one(lab, lambda session: _say_columns(session, lab, job_id, wanted, by))
            else:  # another worker is at it
                sleep(look_s)


def _at(lab: Laboratory, job_id: UUID) -> ImportedList:
    with lab.sessions.begin() as session:
        return imported_list(session, job_id, site_id=lab.site_id)


def _in_one(lab: Laboratory, work: Callable[[Session], None]) -> None:
    with lab.sessions.begin() as session:
        work(session)


def _say_columns(session: Session, lab: Laboratory, job_id: UUID, wanted: Wanted, by: str) -> None:
    """Confirm them; or have the file read again from the sheet that is wanted."""
    found = imported_list(session, job_id, site_id=lab.site_id)
    if wanted.sheet is not None and found.outline and found.outline.sheet != wanted.sheet:
        there = [name for name, _lines in found.outline.sheets]
        if wanted.sheet not in there:
            raise _fault("sheet", f"no sheet {wanted.sheet}; there are: {', '.join(there)}")
        look_elsewhere(session, job_id, sheet=wanted.sheet, heading_line=None, site_id=lab.site_id)
        return
    _campaign_as_wanted(found, wanted)
    guess = remembered(session, lab.site_id, found.words) or found.mapped
    mapped = _with_columns(found.words, guess, wanted)
    confirm_columns(session, job_id, mapped, site_id=lab.site_id, by=by, now=lab.clock())


def _with_columns(words: tuple[str, ...], mapped: Mapped, wanted: Wanted) -> Mapped:
    """The columns as guessed, changed by what was said of them."""
    for heading, column in wanted.columns:
        if heading not in words:
            raise _fault("column", f"no heading {heading}; there are: {', '.join(words)}")
        at = words.index(heading)
        mapped = tuple(
            column if n == at else (None if one is column else one) for n, one in enumerate(mapped)
        )
    return mapped


def _as_wanted(found: ImportedList, wanted: Wanted) -> None:
    """Raises InvalidBody where this very file was taken in before, and otherwise."""
    if found.state != ImportState.DONE:
        return
    if found.outline and wanted.sheet not in (None, found.outline.sheet):
        raise _before("sheet", f"from the sheet {found.outline.sheet}")
    if _with_columns(found.words, found.mapped, wanted) != found.mapped:
        raise _before("column", "with other columns")
    _campaign_as_wanted(found, wanted)


def _campaign_as_wanted(found: ImportedList, wanted: Wanted) -> None:
    if wanted.campaign not in (None, found.campaign):
        raise _before("campaign", f"for {found.campaign or 'no campaign'}")


def _before(where: str, how: str) -> InvalidBody:
    return _fault(where, f"this very file was taken in before, {how}: take that list back first")


def _fault(where: str, detail: str) -> InvalidBody:
    return InvalidBody(errors=[{"pointer": f"#/{where}", "detail": detail}], where=where)
