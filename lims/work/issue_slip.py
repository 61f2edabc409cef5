"""Issue result slips: one code a released result, the same however often it is printed."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain import slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import NotFound
from lims.domain.result_slips import SAYABLE, NotReleased, waits_for
from lims.tables import Finding
from lims.work.audit import record

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class IssuedSlip:
    """A slip as it was first issued."""

    slip_id: UUID
    finding_id: UUID
    code: str
    issued_at: datetime


def issue_slip(
    session: Session,
    finding_id: UUID,
    *,
    site_id: UUID,
    language: Language,
    by: str,
    now: datetime,
) -> IssuedSlip:
    """The slip of a released result; asked again, the same slip.

    Raises NotFound, and NotReleased with whom the result waits for, or because a newer one has
    replaced it.
    """
    issued = issue_slips(session, [finding_id], site_id=site_id, language=language, by=by, now=now)
    if issued:
        return issued[0]
    finding = session.get(Finding, finding_id)
    if finding is None or finding.site_id != site_id:
        raise NotFound(came=str(finding_id), where="finding_id")
    if not finding.current:
        raise NotReleased(came="a result that a newer one has replaced", where="slip")
    raise NotReleased(came=waits_for(FindingOutcome(finding.outcome)), where="slip")


def issue_slips(
    session: Session,
    finding_ids: Collection[UUID],
    *,
    site_id: UUID,
    language: Language,
    by: str,
    now: datetime,
) -> Sequence[IssuedSlip]:
    """The slips of those that are released, in the order asked; the others are left out.

    One statement writes what is missing. A result that was confirmed by more evidence keeps its
    slip: it is the same release of the same word.
    """
    wanted = list(dict.fromkeys(finding_ids))
    values = {
        "findings": sorted(wanted),  # two clerks with the same list wait instead of deadlocking
        "codes": [_mint() for _ in wanted],
        "site": site_id,
        "language": language,
        "now": now,
        "by": by,
        "sayable": [str(outcome) for outcome in SAYABLE],
    }
    made = session.execute(_ISSUE, values).all()
    slips = {row.finding_id: IssuedSlip(**row._mapping) for row in session.execute(_OF, values)}
    if made:
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="issue_slips",
            subject=str(made[0].id),
            now=now,
            slips=len(made),
            last=str(made[-1].id),
        )
        session.flush()
    return [slips[finding] for finding in wanted if finding in slips]


def _mint() -> str:
    while True:
        code = slip_codes.from_chance(secrets.randbelow(slip_codes.SPACE))
        if code is not None:
            return code


# A finding that says the same word by the same release, with whatever evidence it had then.
SAME_RELEASE: Final = """
    old.person_id = f.person_id AND old.specimen_id = f.specimen_id AND old.outcome = f.outcome
    AND old.released_at = f.released_at
"""

_ISSUE = text(f"""
INSERT INTO slip (id, site_id, code, finding_id, language, issued_at, issued_by)
SELECT mint_uuid7(:now), f.site_id, g.code, f.id, :language, :now, :by
FROM unnest(cast(:findings AS uuid[]), cast(:codes AS text[])) g(finding_id, code)
JOIN finding f ON f.id = g.finding_id
WHERE f.site_id = :site AND f.current AND f.status IN ('F', 'C') AND f.outcome = ANY(:sayable)
  AND NOT EXISTS (SELECT FROM finding old JOIN slip s ON s.finding_id = old.id
                  WHERE s.language = :language AND {SAME_RELEASE})
ORDER BY f.id
ON CONFLICT (finding_id, language) DO NOTHING
RETURNING id
""")  # noqa: S608 - a constant condition

_OF = text(f"""
SELECT DISTINCT ON (f.id) s.id AS slip_id, f.id AS finding_id, s.code, s.issued_at
FROM finding f
JOIN finding old ON {SAME_RELEASE}
JOIN slip s ON s.finding_id = old.id AND s.language = :language
WHERE f.id = ANY(:findings) AND f.site_id = :site AND f.current AND f.status IN ('F', 'C')
ORDER BY f.id, s.issued_at, s.id
""")  # noqa: S608 - a constant condition
