"""Take a list in: its bytes are kept, and nothing is read before a worker has time."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import tidy_name
from lims.domain.lifecycle import ImportState
from lims.domain.refusals import UnreadableList
from lims.sheets.faults import Unreadable
from lims.sheets.opened import sniff
from lims.tables import ImportFile, ImportJob
from lims.work.audit import record
from lims.work.once import one_at_a_time

CHANNEL = "import_waiting"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The job of these bytes; ``replayed`` when they were here before and still count."""

    job_id: UUID
    replayed: bool


def take_file(
    session: Session,
    raw: bytes,
    *,
    file_name: str,
    campaign_id: UUID | None,
    ask_columns: bool,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Uploaded:
    """Keep a list to be read. The same bytes again are the same job, whoever sends them, until it
    failed or was undone. Raises UnreadableList for what is no list at all."""
    try:
        sniff(raw)
    except Unreadable as unreadable:
        raise UnreadableList(todo=str(unreadable.fault), where="file") from unreadable
    digest = sha256(raw)
    one_at_a_time(session, UUID(bytes=digest.digest()[:16]))
    known = session.scalar(
        select(ImportJob.id).where(
            ImportJob.site_id == site_id,
            ImportJob.digest == digest.hexdigest(),
            ImportJob.state.not_in([ImportState.FAILED, ImportState.UNDONE]),
        )
    )
    if known is not None:
        return Uploaded(known, replayed=True)
    job = ImportJob(
        id=uuid7(),
        site_id=site_id,
        digest=digest.hexdigest(),
        file_name=_told(file_name),
        size_bytes=len(raw),
        uploaded_by=by,
        uploaded_at=now,
        campaign_id=campaign_id,
        ask_columns=ask_columns,
        state=ImportState.UPLOADED,
    )
    session.add(job)
    session.flush()
    session.add(ImportFile(job_id=job.id, content=raw))
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="import",
        subject=str(job.id),
        now=now,
        bytes=len(raw),
        sha256=job.digest,
    )
    session.flush()
    ring(session)
    return Uploaded(job.id, replayed=False)


def ring(session: Session) -> None:
    """Wake the workers when this transaction commits."""
    session.execute(select(func.pg_notify(CHANNEL, "")))


def _told(file_name: str) -> str:
    """A file's name without its folders, cut where a page would break."""
    last = file_name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(character for character in tidy_name(last) if character.isprintable())
    return clean[-_LONGEST_NAME:] or "list"
