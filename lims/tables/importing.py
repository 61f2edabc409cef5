"""Lists that were imported: the file while it is needed, what became of its lines, its columns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import ImportState
from lims.tables.base import Base, RowId, SiteRef, one_of


class ImportJob(Base):
    """One uploaded list. Its SHA-256 makes a second upload of the same bytes the same job.

    ``outline`` is what was found in the file (sheets, headings, samples, how it was written);
    ``mapped`` says for each column what it holds; ``tries`` counts the workers that began since
    the last line was taken, so that a file that ends its workers does so only a few times.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        one_of("state", ImportState),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("length(file_name) BETWEEN 1 AND 200", name="file_name"),
        CheckConstraint(
            "rows_done <= rows_total AND rows_in + rows_again + rows_bad + rows_passed = rows_done"
            " AND least(rows_in, rows_again, rows_bad, rows_passed) >= 0",
            name="rows",
        ),
        CheckConstraint(
            "state NOT IN ('queued', 'running', 'done')"
            " OR (mapped IS NOT NULL AND outline IS NOT NULL)",
            name="mapped",
        ),
        CheckConstraint("state <> 'done' OR rows_done = rows_total", name="done"),
        CheckConstraint("state <> 'failed' OR failure IS NOT NULL", name="failure"),
        CheckConstraint("(state = 'undone') = (undone_at IS NOT NULL)", name="undone"),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL) AND (undone_at IS NULL) = (undo_reason IS"
            " NULL)",
            name="undone_by",
        ),
        Index(
            "uq_import_job_digest",
            "site_id",
            "digest",
            unique=True,
            postgresql_where=text("state NOT IN ('failed', 'undone')"),
        ),
        Index(None, "site_id", "uploaded_at"),
        Index(
            "ix_import_job_waiting",
            "site_id",
            "uploaded_at",
            postgresql_where=text("state IN ('uploaded', 'queued', 'running')"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    digest: Mapped[str]
    file_name: Mapped[str]
    size_bytes: Mapped[int]
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    ask_columns: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=ImportState.UPLOADED)
    sheet: Mapped[str | None]
    heading_line: Mapped[int | None]
    outline: Mapped[dict[str, Any] | None]
    mapped: Mapped[list[Any] | None]
    tries: Mapped[int] = mapped_column(default=0)
    remembered: Mapped[bool] = mapped_column(default=False)
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_in: Mapped[int] = mapped_column(default=0)
    rows_again: Mapped[int] = mapped_column(default=0)
    rows_bad: Mapped[int] = mapped_column(default=0)
    rows_passed: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
    undo_reason: Mapped[str | None]
    rows_undone: Mapped[int] = mapped_column(default=0)
    rows_kept: Mapped[dict[str, Any] | None]


class ImportFile(Base):
    """The bytes, until every line is taken: people's data are kept no longer than needed."""

    __tablename__ = "import_file"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("import_job.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportFault(Base):
    """A line that was not taken: its cells as they came, and every fault, until it is undone."""

    __tablename__ = "import_fault"
    __table_args__ = (CheckConstraint("line > 0", name="line"),)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("import_job.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cells: Mapped[list[Any]]
    faults: Mapped[list[Any]]


class ImportMapping(Base):
    """What the columns under these headings hold, as somebody at the site confirmed it last."""

    __tablename__ = "import_mapping"
    __table_args__ = (CheckConstraint("fingerprint ~ '^[0-9a-f]{64}$'", name="fingerprint"),)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    mapped: Mapped[list[Any]]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]
