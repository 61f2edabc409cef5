"""What a person's positive strips say together, by the definition of each strip's day (S20)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.case_definition import Judgement, PositiveStrip, judge
from lims.domain.rapid_test import Exposure


@dataclass(frozen=True, slots=True)
class Standing:
    """The strip that a case may rest on, and what makes it one."""

    finding_id: UUID
    judgement: Judgement


def standing_of(session: Session, person_id: UUID) -> Standing | None:
    """The newest strip that confirms, else the newest positive one; None without any.

    It depends on the strips alone, not on the order in which they were told: a swab that changes
    hands, or a PCR that is taken back, ends in the same case. A strip that PCR had refuted is no
    first of two for a later one.
    """
    rows = session.execute(_STRIPS, {"person": person_id}).all()
    strips = [PositiveStrip(row.read_at, Exposure(row.exposure), row.suspect) for row in rows]
    standings = [
        Standing(
            row.finding_id,
            judge(
                strips[n],
                [
                    strip
                    for strip, other in zip(strips[:n], rows[:n], strict=True)
                    if other.refuted_at is None or other.refuted_at > row.read_at
                ],
            ),
        )
        for n, row in enumerate(rows)
    ]
    confirming = [one for one in standings if one.judgement.confirms]
    found = confirming or standings
    return found[-1] if found else None


_STRIPS = text("""
SELECT f.id AS finding_id, r.read_at, r.exposure, r.suspect,
       (SELECT max(a.created_at) FROM finding a
        WHERE a.specimen_id = r.pcr_specimen_id AND a.current AND a.outcome = 'negative'
       ) AS refuted_at
FROM finding f
JOIN rapid_test r ON r.specimen_id = f.specimen_id AND r.outcome = 'positive'
WHERE f.person_id = :person AND f.current AND f.outcome = 'presumptive'
ORDER BY r.read_at, r.id
""")
