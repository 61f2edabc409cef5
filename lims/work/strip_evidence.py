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
    specimen_id: UUID
    judgement: Judgement


def standing_of(session: Session, person_id: UUID) -> Standing | None:
    """The newest strip that confirms, else the newest positive one that its PCR has not refuted
    for good; None without any.

    It depends on the strips alone, not on the order in which they were told: a swab that changes
    hands, or a PCR that is taken back, ends in the same case. A strip that PCR had refuted is no
    first of two for a later one, and says nothing alone.
    """
    rows = session.execute(_STRIPS, {"person": person_id}).all()
    strips = [PositiveStrip(row.read_at, Exposure(row.exposure), row.suspect) for row in rows]
    standings = [
        Standing(
            row.finding_id,
            row.specimen_id,
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
    unrefuted = [one for one, row in zip(standings, rows, strict=True) if row.refuted_at is None]
    found = confirming or unrefuted
    return found[-1] if found else None


# Refuted since its PCR's negative was first released: the same word on more evidence, or in another
# person's name, is no later one.
_STRIPS = text("""
SELECT f.id AS finding_id, f.specimen_id, r.read_at, r.exposure, r.suspect, (
    WITH RECURSIVE word AS (
        SELECT a.released_at, a.supersedes_id FROM finding a
        WHERE a.specimen_id = r.pcr_specimen_id AND a.current
          AND a.outcome = 'negative' AND a.status IN ('F', 'C')
        UNION ALL
        SELECT a.released_at, a.supersedes_id FROM word
        JOIN finding a ON a.id = word.supersedes_id
         AND a.outcome = 'negative' AND a.status IN ('F', 'C')
    ) SELECT min(released_at) FROM word) AS refuted_at
FROM finding f
JOIN rapid_test r ON r.specimen_id = f.specimen_id AND r.outcome = 'positive'
WHERE f.person_id = :person AND f.current AND f.outcome = 'presumptive'
ORDER BY r.read_at, r.id
""")
