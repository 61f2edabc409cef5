"""Find an import: the next that wants a worker, or one by id, locked."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import ImportState
from lims.domain.refusals import NotFound
from lims.tables import ImportJob

WAITING = (ImportState.UPLOADED, ImportState.QUEUED, ImportState.RUNNING)


def locked_job(session: Session, job_id: UUID, *, site_id: UUID) -> ImportJob:
    """The job, until the end of the transaction nobody else's. Raises NotFound."""
    job = session.scalar(
        select(ImportJob)
        .where(ImportJob.id == job_id, ImportJob.site_id == site_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound(came=str(job_id), where="import")
    return job


def begin_try(session: Session, job_id: UUID, *, site_id: UUID) -> ImportJob | None:
    """The job as a worker takes it up, counted before it is read; None when it waits for none."""
    try:
        job = locked_job(session, job_id, site_id=site_id)
    except NotFound:
        return None
    if job.state not in WAITING:
        return None
    job.tries += 1
    session.flush()
    return job


def waiting_jobs(session: Session, *, site_id: UUID) -> list[UUID]:
    """Those that want a worker, the oldest first."""
    query = (
        select(ImportJob.id)
        .where(ImportJob.site_id == site_id, ImportJob.state.in_(WAITING))
        .order_by(ImportJob.uploaded_at)
    )
    return list(session.scalars(query))
