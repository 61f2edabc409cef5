"""Make the second of two identical requests wait for the first, so that it finds its rows.

Without this the second, having looked for its id too early, meets what the first wrote as if a
stranger had: "barcode taken" in place of the same receipt.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOW_64 = (1 << 64) - 1


def one_at_a_time(session: Session, request_id: UUID) -> None:
    """Wait until no other transaction is at work on this client-minted id; until this one ends,
    others wait. Called before the id is looked for."""
    low = request_id.int & _LOW_64  # the random part of a UUIDv7
    session.execute(text("SELECT pg_advisory_xact_lock(:low)"), {"low": low - (1 << 63)})
