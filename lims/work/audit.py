"""Who did what to what: one append-only row in the transaction of the deed itself."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
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


def record_each(
    session: Session,
    *,
    site_id: UUID,
    actor: str,
    verb: str,
    subjects: Collection[UUID],
    now: datetime,
    **detail: Any,
) -> None:
    """The same deed for each of many subjects, in one statement."""
    if not subjects:
        return
    session.execute(
        _EACH,
        {
            "site": site_id,
            "actor": actor,
            "verb": verb,
            "subjects": [str(one) for one in subjects],
            "now": now,
            "detail": json.dumps(detail),
        },
    )


_EACH = text("""
INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
SELECT mint_uuid7(:now), :site, :now, :actor, :verb, subject, cast(:detail AS jsonb)
FROM unnest(cast(:subjects AS text[])) AS g(subject)
""")
