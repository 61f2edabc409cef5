"""How many doses a register of vaccinations says that somebody had."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.identity_stamp import STAMP

# The newest answer about the person `p` as they are now, if it is of a register that knows them. It
# stands while it is asked again.
REGISTERED: Final = f"""
    SELECT n.id, n.doses, d.name
    FROM (SELECT q.* FROM person_question q
          WHERE q.person_id = p.id AND q.kind = 'doses' AND q.state = 'answered'
            AND q.stamp = {STAMP} ORDER BY q.ended_at DESC, q.id DESC LIMIT 1) n
    JOIN destination d ON d.id = n.destination_id WHERE n.verdict = 'verified'"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Registered:
    """One register's answer."""

    answer_id: UUID
    doses: int
    register: str


def registered_doses(session: Session, people: Sequence[UUID]) -> dict[UUID, Registered]:
    """By person; nobody of whom no register knows."""
    rows = session.execute(_REGISTERED, {"people": list(people)})
    return {row.person_id: Registered(row.id, row.doses, row.name) for row in rows}


_REGISTERED = text(f"""
SELECT p.id AS person_id, a.* FROM person p CROSS JOIN LATERAL ({REGISTERED}) a
WHERE p.id = ANY(:people)
""")  # noqa: S608 - put together from constants
