"""Imported lists as pages show them: the newest, one with all its counts, its bad lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.sheets.cells import Row, of_json
from lims.sheets.columns import Column, Mapped
from lims.sheets.faults import FileFault, Wrong, of_kept
from lims.tables import Campaign, ImportFault, ImportJob
from lims.work.imports.outline import Outline, mapping_of

_MOST_LISTED = 50
_MOST_FAULTS = 8


@dataclass(frozen=True, slots=True)
class ImportedList:
    """One list and what became of it."""

    job_id: UUID
    file_name: str
    size_bytes: int
    uploaded_by: str
    uploaded_at: datetime
    campaign: str | None
    state: str
    outline: Outline | None
    mapped: Mapped
    remembered: bool
    rows_total: int
    rows_done: int
    rows_in: int
    rows_again: int
    rows_bad: int
    rows_passed: int
    started_at: datetime | None
    ended_at: datetime | None
    failure: FileFault | None
    undone_at: datetime | None
    undone_by: str | None
    undo_reason: str | None
    rows_undone: int
    rows_kept: Mapping[str, int]

    @property
    def moving(self) -> bool:
        """True while a worker is wanted: the page looks again by itself."""
        return self.state in ("uploaded", "queued", "running")

    @property
    def words(self) -> tuple[str, ...]:
        """The headings."""
        return self.outline.headings.words if self.outline and self.outline.headings else ()


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not taken: its cells as they came, and every fault."""

    line: int
    cells: Row
    wrong: tuple[Wrong, ...]

    def said(self, column: Column, mapped: Mapped) -> str:
        """What the line has in a column, for a table of the worst."""
        from_left = dict(zip(mapped, self.cells, strict=False))
        return str(from_left.get(column, ""))


def imported_lists(session: Session, *, site_id: UUID) -> list[ImportedList]:
    """The newest first."""
    rows = session.execute(
        select(ImportJob, Campaign.name)
        .outerjoin(Campaign, Campaign.id == ImportJob.campaign_id)
        .where(ImportJob.site_id == site_id)
        .order_by(ImportJob.uploaded_at.desc(), ImportJob.id.desc())
        .limit(_MOST_LISTED)
    )
    return [_list(job, campaign) for job, campaign in rows]


def imported_list(session: Session, job_id: UUID, *, site_id: UUID) -> ImportedList:
    """One by id. Raises NotFound."""
    row = session.execute(
        select(ImportJob, Campaign.name)
        .outerjoin(Campaign, Campaign.id == ImportJob.campaign_id)
        .where(ImportJob.id == job_id, ImportJob.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise NotFound(came=str(job_id), where="import")
    return _list(*row)


def bad_lines(session: Session, job_id: UUID, *, most: int | None = None) -> list[BadLine]:
    """In the order of the file."""
    query = (
        select(ImportFault.line, ImportFault.cells, ImportFault.faults)
        .where(ImportFault.job_id == job_id)
        .order_by(ImportFault.line)
        .limit(most)
    )
    return [
        BadLine(line, [of_json(cell) for cell in cells], tuple(map(of_kept, faults)))
        for line, cells, faults in session.execute(query)
    ]


def commonest_faults(session: Session, job_id: UUID) -> list[tuple[Wrong, int]]:
    """What is wrong most often, so that a whole column is mended at once."""
    rows = session.execute(_COMMONEST, {"job": job_id, "most": _MOST_FAULTS})
    return [(of_kept([row.holds, row.fault, {}]), row.lines) for row in rows]


_COMMONEST = text("""
SELECT each ->> 0 AS holds, each ->> 1 AS fault, count(*) AS lines
  FROM import_fault, jsonb_array_elements(faults) AS each
 WHERE job_id = :job GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT :most
""")


def _list(job: ImportJob, campaign: str | None) -> ImportedList:
    same: dict[str, Any] = {
        name: getattr(job, name)
        for name in ImportedList.__slots__
        if name not in {"job_id", "campaign", "outline", "mapped", "failure", "rows_kept"}
    }
    return ImportedList(
        job_id=job.id,
        campaign=campaign,
        outline=Outline.of(job.outline) if job.outline else None,
        mapped=mapping_of(job.mapped),
        failure=FileFault[job.failure] if job.failure else None,
        rows_kept=job.rows_kept or {},
        **same,
    )
