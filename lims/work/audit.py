"""Who did what to what: one append-only row in the transaction of the deed itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from lims.tables import AuditEvent


def record(
    session: Session,
    *,
    site_id: UUID,
    actor: str,
    verb: str,
    subject: str,
    now: datetime,
    **detail: Any,
) -> None:
    """Add an audit event. ``subject`` is a barcode or an id, never a person's name or number."""
    session.add(
        AuditEvent(site_id=site_id, at=now, actor=actor, verb=verb, subject=subject, detail=detail)
    )
