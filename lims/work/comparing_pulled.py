"""What was taken of another system's declarations, to be compared with what it says that it has."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.declarations import DeclarationState


@dataclass(frozen=True, slots=True)
class Here:
    """The newest version that was taken of one declaration; `forgotten` for its age since."""

    version: int
    state: DeclarationState
    forgotten: bool


def taken(session: Session, destination_id: UUID, subjects: Collection[UUID]) -> dict[UUID, Here]:
    """Of these, those that were taken."""
    rows = session.execute(_TAKEN, {"destination": destination_id, "subjects": list(subjects)})
    return {
        row.subject_id: Here(row.version, DeclarationState(row.state), row.forgotten)
        for row in rows
    }


_TAKEN = text("""
SELECT subject_id, version, state, forgotten_at IS NOT NULL AS forgotten FROM declaration
WHERE destination_id = :destination AND subject_id = ANY(:subjects)
""")


def unread(session: Session, destination_id: UUID, subjects: Collection[UUID]) -> dict[UUID, int]:
    """Of these, those of which a version came that could not be read; the newest such version."""
    rows = session.execute(_UNREAD, {"destination": destination_id, "subjects": list(subjects)})
    return {row.subject_id: row.version for row in rows}


_UNREAD = text("""
SELECT subject_id, max(version) AS version FROM declaration_fault
WHERE destination_id = :destination AND subject_id = ANY(:subjects) AND version IS NOT NULL
GROUP BY subject_id
""")


def declared_in(
    session: Session, destination_id: UUID, *, since: datetime, until: datetime
) -> dict[UUID, tuple[int, datetime]]:
    """What was declared in this time and taken: the version, and when it was taken."""
    rows = session.execute(
        _DECLARED, {"destination": destination_id, "since": since, "until": until}
    )
    return {row.subject_id: (row.version, row.taken_at) for row in rows}


_DECLARED = text("""
SELECT subject_id, version, taken_at FROM declaration
WHERE destination_id = :destination AND declared_at >= :since AND declared_at < :until
""")
