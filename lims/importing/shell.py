"""A list taken in from the command line: the same verbs, with a bar to watch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import ImportState
from lims.domain.refusals import InvalidBody, UnreadableList
from lims.importing.followed import Wanted, followed
from lims.own_file import put_in_place
from lims.sheets.columns import Column
from lims.sheets.faults import WRONG_HEADINGS
from lims.sheets.sayings import line_words
from lims.sheets.written import write
from lims.tables import ImportJob
from lims.work.imports.upload import take_file
from lims.work.views.desk import open_campaigns
from lims.work.views.imports import BadLine, ImportedList, bad_lines

ACTOR = "command line"


@dataclass(frozen=True, slots=True)
class Said:
    """What became of the list, for the last line; ``replayed`` when it was sent before."""

    job_id: UUID
    state: str
    replayed: bool
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
    UnreadableList, and InvalidBody for a column, a sheet or a campaign that is not there, or that
    is not what the same file was taken in with before.
    """
    wanted = Wanted(tuple(map(_named, columns)), sheet, campaign)
    with lab.sessions.begin() as session:
        uploaded = take_file(
            session,
            path.read_bytes(),
            file_name=path.name,
            campaign_id=_campaign(session, lab.site_id, campaign),
            ask_columns=bool(columns) or sheet is not None,
            site_id=lab.site_id,
            by=ACTOR,
            now=lab.clock(),
        )
        if sheet is not None and not uploaded.replayed:
            session.get_one(ImportJob, uploaded.job_id).sheet = sheet
    done = followed(lab, uploaded.job_id, wanted, by=ACTOR)
    if done.state == ImportState.FAILED:
        raise UnreadableList(todo=str(done.failure), where=path.name)
    with lab.sessions.begin() as session:
        content = _bad(done, bad_lines(session, uploaded.job_id)) if done.rows_bad else None
    written = bad_file or path.with_name(f"{path.stem}.bad{path.suffix or '.csv'}")
    if content is not None:
        put_in_place([content], written)
    return Said(
        uploaded.job_id,
        done.state,
        uploaded.replayed,
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


def _bad(done: ImportedList, lines: Sequence[BadLine]) -> bytes:
    if done.outline is None:
        raise LookupError(f"expected an outline of import {done.job_id}")
    rows = ((line.cells, line_words(line.wrong, done.words, done.mapped, str)) for line in lines)
    dialect, sheet = done.outline.dialect, done.outline.sheet
    return write(dialect, done.words, rows, wrong=WRONG_HEADINGS[0], sheet=sheet)
