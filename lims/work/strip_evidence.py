"""What a person's positive strips say together, by the definition of each strip's day (S20)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.case_definition import CaseDefinition, Judgement, PositiveStrip, judge
from lims.domain.rapid_test import Exposure
from lims.work.case_definitions import definitions_of


@dataclass(frozen=True, slots=True)
class Standing:
    """The strip that a case may rest on, and what makes it one."""

    finding_id: UUID
    specimen_id: UUID
    judgement: Judgement


def standing_of(session: Session, person_id: UUID, *, site_id: UUID) -> Standing | None:
    """What one person's strips say together: see ``standings_of``."""
    return standings_of(session, [person_id], site_id=site_id).get(person_id)


def standings_of(
    session: Session, people: Iterable[UUID], *, site_id: UUID
) -> Mapping[UUID, Standing]:
    """Of each person with a positive strip that says anything: the newest strip that confirms, else
    the newest that its PCR has not refuted for good.

    It depends on the strips alone, not on the order in which they were told: a swab that changes
    hands, or a PCR that is taken back, ends in the same case. A strip that PCR had refuted is no
    first of two for a later one, and says nothing alone.
    """
    rows = session.execute(_STRIPS, {"people": list(people)}).all()
    definitions = definitions_of(session, site_id=site_id) if rows else ()
    said = {
        person: _together(list(theirs), definitions)
        for person, theirs in groupby(rows, key=lambda row: row.person_id)
    }
    return {person: standing for person, standing in said.items() if standing is not None}


def _together(rows: Sequence[Row[Any]], definitions: Sequence[CaseDefinition]) -> Standing | None:
    """Of one person's strips in the order of their reading."""
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
                definitions,
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
SELECT f.person_id, f.id AS finding_id, f.specimen_id, r.read_at, r.exposure, r.suspect, (
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
WHERE f.person_id = ANY(:people) AND f.current AND f.outcome = 'presumptive'
ORDER BY f.person_id, r.read_at, r.id
""")
