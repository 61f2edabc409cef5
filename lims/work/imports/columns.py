"""Confirm what a list's columns hold; the same headings are then known the next time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.domain.lifecycle import IMPORT_MOVES, ImportState, move
from lims.domain.refusals import InvalidBody
from lims.sheets.columns import Mapped, fingerprint, lacking, twice
from lims.tables import ImportMapping
from lims.work.audit import record
from lims.work.imports.jobs import locked_job
from lims.work.imports.outline import Outline, mapping_of
from lims.work.imports.upload import ring


def confirm_columns(
    session: Session, job_id: UUID, mapped: Mapped, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Queue the lines to be registered. Confirming the same again changes nothing.

    Raises NotFound, InvalidBody (the tube or the name has no column, or something two), and
    IllegalMove once the lines are being taken under other columns.
    """
    job = locked_job(session, job_id, site_id=site_id)
    if job.state != ImportState.MAPPING and mapping_of(job.mapped) == mapped:
        return
    faults = [
        {"pointer": f"#/{column}", "detail": "a list needs a column of this"}
        for column in lacking(mapped)
    ]
    faults += [
        {"pointer": f"#/{column}", "detail": "two columns are said to hold this"}
        for column in twice(mapped)
    ]
    outline = Outline.of(job.outline) if job.outline else None
    words = outline.headings.words if outline and outline.headings else ()
    if faults or len(words) != len(mapped):
        raise InvalidBody(errors=faults, where="columns")
    job.state = move(IMPORT_MOVES, ImportState(job.state), ImportState.QUEUED, what="import")
    job.mapped = [column.value if column else "" for column in mapped]
    kept = {"mapped": job.mapped, "confirmed_by": by, "confirmed_at": now}
    session.execute(
        insert(ImportMapping)
        .values(site_id=site_id, fingerprint=fingerprint(words), **kept)
        .on_conflict_do_update(
            index_elements=[ImportMapping.site_id, ImportMapping.fingerprint], set_=kept
        )
    )
    record(session, site_id=site_id, actor=by, verb="import-columns", subject=str(job.id), now=now)
    session.flush()
    ring(session)


def look_elsewhere(
    session: Session,
    job_id: UUID,
    *,
    sheet: str | None,
    heading_line: int | None,
    site_id: UUID,
) -> None:
    """Read the file again: another sheet, or headings in a line that a person named.

    Raises NotFound, and IllegalMove once the lines are being taken.
    """
    job = locked_job(session, job_id, site_id=site_id)
    job.state = move(IMPORT_MOVES, ImportState(job.state), ImportState.UPLOADED, what="import")
    if sheet != job.sheet:
        heading_line = None  # it was said of the other sheet
    job.sheet, job.heading_line, job.ask_columns = sheet, heading_line, True
    session.flush()
    ring(session)
