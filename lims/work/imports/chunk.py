"""Register some thousand lines of a list and count them, in one transaction.

The count moves with the rows it counts: a worker killed between two chunks goes on at the next
line, and one killed within a chunk has done nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from lims.domain.lifecycle import IMPORT_MOVES, ImportState, move
from lims.domain.refusals import BarcodeTaken, NotFound
from lims.domain.registration import Registration
from lims.sheets.cells import to_json
from lims.sheets.columns import Column
from lims.sheets.faults import CellFault, FileFault, Wrong
from lims.sheets.first_lines import FirstLines
from lims.sheets.table import Line
from lims.sheets.understood import Reader, is_note
from lims.tables import ImportFault, ImportFile, ImportJob
from lims.work.imports.area_units import zones_by_name
from lims.work.imports.jobs import locked_job
from lims.work.register_batch import RowOutcome, register_batch
from lims.work.views import desk
from lims.work.zones import Belonging, join_zones

ACTOR = "import:"  # a desk's own last work is what it did by hand


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of the lines of one chunk."""

    taken: int
    again: int
    bad: int
    passed: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some thousand lines as read: by their places in it the swabs and the faults, and how many
    lines are only notes."""

    lines: Sequence[Line]
    good: Sequence[tuple[int, Registration]]
    wrong: Mapping[int, tuple[Wrong, ...]]
    passed: int


def read_chunk(lines: Sequence[Line], reader: Reader) -> Chunk:
    """What the lines say. Needs no database: it is done while the chunk before is written."""
    good: list[tuple[int, Registration]] = []
    wrong: dict[int, tuple[Wrong, ...]] = {}
    passed = 0
    for number, line in enumerate(lines):
        if is_note(line.cells, reader.where):
            passed += 1
            continue
        read = reader.read(line.cells)
        if isinstance(read, Registration):
            good.append((number, read))
        else:
            wrong[number] = read
    return Chunk(lines, good, wrong, passed)


def take_chunk(
    session: Session,
    job_id: UUID,
    chunk: Chunk,
    *,
    start: int,
    first_lines: FirstLines,
    site_id: UUID,
    now: datetime,
) -> Counted | None:
    """Register the lines, which stand from `start` on; None when that is no longer wanted: the
    import was undone, or another worker has gone past here."""
    job = _started(session, job_id, site_id=site_id, now=now)
    if job is None or job.rows_done != start:
        return None
    lines, good, wrong = chunk.lines, chunk.good, dict(chunk.wrong)
    actor = ACTOR + job.uploaded_by.removeprefix("user:")
    outcomes = register_batch(
        session, good, site_id=site_id, by=actor, now=now, import_job_id=job.id
    )
    given = dict(good)
    _join(session, outcomes, given, site_id=site_id, by=actor, now=now)
    again = _the_same(session, outcomes, given)
    for one in outcomes:
        if one.refusal is not None and one.row not in again:
            wrong[one.row] = (_taken(one, given[one.row].barcode, lines[one.row], first_lines),)
    _keep(session, job.id, lines, wrong)
    taken = len(good) - len(again) - sum(number in given for number in wrong)
    job.tries = 0
    job.rows_done += len(lines)
    job.rows_in += taken
    job.rows_again += len(again)
    job.rows_bad += len(wrong)
    job.rows_passed += chunk.passed
    session.flush()
    return Counted(taken, len(again), len(wrong), chunk.passed)


def finish(session: Session, job_id: UUID, *, site_id: UUID, now: datetime) -> None:
    """Every line is counted: the file is not needed any more."""
    job = locked_job(session, job_id, site_id=site_id)
    if job.state in (ImportState.QUEUED, ImportState.RUNNING) and job.rows_done == job.rows_total:
        _go(job, ImportState.RUNNING, now)
        job.state = move(IMPORT_MOVES, ImportState(job.state), ImportState.DONE, what="import")
        job.ended_at = now
        forget_file(session, job.id)


def fail(session: Session, job_id: UUID, fault: FileFault, *, site_id: UUID, now: datetime) -> None:
    """Nothing of the file can be taken, and why."""
    job = locked_job(session, job_id, site_id=site_id)
    if job.state == ImportState.UNDONE:
        return
    job.state = move(IMPORT_MOVES, ImportState(job.state), ImportState.FAILED, what="import")
    job.failure, job.ended_at = fault.name, now
    forget_file(session, job.id)


def forget_file(session: Session, job_id: UUID) -> None:
    """Delete the bytes: people's data are kept no longer than needed."""
    found = session.get(ImportFile, job_id)
    if found is not None:
        session.delete(found)
    session.flush()


def _join(
    session: Session,
    outcomes: Sequence[RowOutcome],
    given: Mapping[int, Registration],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """Whom the list says to live or work at a zone that is still open now."""
    open_now = set(zones_by_name(session, site_id).values())
    said = [
        Belonging(one.receipt.person_id, zone.zone_id, zone.tie)
        for one in outcomes
        if one.receipt is not None and (person := given[one.row].person)
        for zone in person.zones or ()
        if zone.zone_id in open_now
    ]
    join_zones(session, said, site_id=site_id, by=by, now=now)


def _started(session: Session, job_id: UUID, *, site_id: UUID, now: datetime) -> ImportJob | None:
    try:
        job = locked_job(session, job_id, site_id=site_id)
    except NotFound:
        return None
    if job.state not in (ImportState.QUEUED, ImportState.RUNNING):
        return None
    _go(job, ImportState.RUNNING, now)
    return job


def _go(job: ImportJob, wanted: ImportState, now: datetime) -> None:
    if job.state != wanted:
        job.state = move(IMPORT_MOVES, ImportState(job.state), wanted, what="import")
        job.started_at = now


def _taken(one: RowOutcome, barcode: str, line: Line, first_lines: FirstLines) -> Wrong:
    if not isinstance(one.refusal, BarcodeTaken):
        raise TypeError(f"a line of a list cannot be refused so: {one.refusal}")
    first = first_lines.of(barcode)
    if first not in (None, line.number):
        return Wrong(Column.BARCODE, CellFault.TUBE_IN_LINE, {"line": first})
    return Wrong(Column.BARCODE, CellFault.TUBE_TAKEN)


def _the_same(
    session: Session, outcomes: Sequence[RowOutcome], given: dict[int, Registration]
) -> frozenset[int]:
    """Lines whose tube holds this very person already: the list, or part of it, was here before."""
    taken = {one.row: given[one.row] for one in outcomes if isinstance(one.refusal, BarcodeTaken)}
    if not taken:
        return frozenset()
    known = desk.names_in(session, [one.barcode for one in taken.values()])
    return frozenset(
        row
        for row, one in taken.items()
        if one.person and known.get(one.barcode) == (one.person.name_key, one.person.birth_year)
    )


def _keep(
    session: Session, job_id: UUID, lines: Sequence[Line], wrong: dict[int, tuple[Wrong, ...]]
) -> None:
    if not wrong:
        return
    rows = [
        {
            "job_id": job_id,
            "line": lines[number].number,
            "cells": [to_json(cell) for cell in lines[number].cells],
            "faults": [one.kept() for one in faults],
        }
        for number, faults in wrong.items()
    ]
    session.execute(insert(ImportFault), rows)
