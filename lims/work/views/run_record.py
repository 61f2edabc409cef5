"""Beyond a run's page: who laid it out and released its results, in which messages they came.

People by name: this is what paper says of a run, and paper has nobody to ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ReleasedBy:
    """Somebody, or a rule, and the people whose result of this run they released."""

    by: str
    people: int
    last_at: datetime
    by_rule: bool


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Who laid it out, the releases, and the messages' digests in the order they came."""

    laid_out_by: str
    releases: Sequence[ReleasedBy]
    digests: Sequence[str]


_RELEASES = text("""
SELECT coalesce(u.name, regexp_replace(f.released_by, '^(user|token):', '')) AS by,
       count(*) AS people, max(f.released_at) AS last_at,
       bool_and(f.released_by = f.rule) AS by_rule
FROM result r
JOIN tube_specimen ts ON ts.tube_id = r.tube_id
JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current AND r.id = ANY(f.evidence)
LEFT JOIN user_account u ON 'user:' || u.login = f.released_by
WHERE r.run_id = :run AND r.current AND f.released_at IS NOT NULL
GROUP BY 1 ORDER BY 2 DESC, 1
""")

_LAID_OUT = text("""
SELECT coalesce(u.name, regexp_replace(r.created_by, '^(user|token):', ''))
FROM run r LEFT JOIN user_account u ON 'user:' || u.login = r.created_by WHERE r.id = :run
""")

_DIGESTS = text("""
SELECT digest FROM raw_message rm
WHERE rm.id IN (SELECT m.message_id FROM measurement m WHERE m.run_id = :run)
ORDER BY rm.stored_at, rm.id
""")


def run_record(session: Session, run_id: UUID) -> RunRecord:
    """Of a run that exists; empty before it is measured."""
    about = {"run": run_id}
    return RunRecord(
        laid_out_by=session.execute(_LAID_OUT, about).scalar_one(),
        releases=[ReleasedBy(**row._mapping) for row in session.execute(_RELEASES, about)],
        digests=list(session.execute(_DIGESTS, about).scalars()),
    )
