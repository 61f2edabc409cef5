"""Ring the bell of the live pages: ids only, heard when the transaction commits."""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

BOARD = "board"


def ring(
    session: Session,
    kind: str,
    *,
    case_id: UUID | None = None,
    pool_id: UUID | None = None,
    call_id: UUID | None = None,
    area: str | None = None,
) -> None:
    """PostgreSQL folds equal payloads of one transaction into one notification."""
    said = {
        "kind": kind,
        "case_id": case_id,
        "pool_id": pool_id,
        "call_id": call_id,
        "area": area,
    }
    payload = json.dumps({name: str(value) for name, value in said.items() if value is not None})
    session.execute(select(func.pg_notify(BOARD, payload)))
