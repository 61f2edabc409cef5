"""Whether what was measured is known, and whether what is known was measured.

Swabs that a result or a strip answers = swabs with a finding that rests on it; a positive finding
has its case, and a case that stands has its finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.views.reconcile_parts import Difference, Part


@dataclass(frozen=True, slots=True)
class Answers:
    """``answered``: swabs and strips that a counted result speaks of; ``known``: those of them with
    a finding. ``positive``: people with a positive finding; ``with_case``: those with a case.
    ``standing``: cases of the span that stand; ``carried``: those whose finding carries them."""

    answered: int
    known: int
    positive: int
    with_case: int
    standing: int
    carried: int
    differences: tuple[Difference, ...]


def answers_of(session: Session, span: Mapping[str, Any]) -> Answers:
    """Hold the results, findings and cases of ``span`` (site, since, until) against each other."""
    known = session.execute(_KNOWN, span).one()
    positive = session.execute(_POSITIVE, span).one()
    standing = session.execute(_STANDING, span).one()
    return Answers(
        answered=known.answered,
        known=known.answered - len(known.unknown or ()),
        positive=positive.people,
        with_case=positive.people - positive.without,
        standing=standing.cases,
        carried=standing.cases - len(standing.orphans or ()),
        differences=(
            *_listed(Part.ANSWERS, known.unknown, "measured, and nothing is known"),
            *_listed(Part.ANSWERS, known.unfounded, "a finding without a result"),
            *_listed(Part.ANSWERS, known.superseded, "rests on a result that no longer counts"),
            *_listed(Part.CASES, positive.tubes, "positive, and no case stands"),
            *_listed(Part.CASES, standing.orphans, "a case stands without evidence"),
        ),
    )


def _listed(part: Part, subjects: list[Any] | None, why: str) -> list[Difference]:
    return [Difference(part, str(subject), why) for subject in subjects or ()]


# A tube's answer counts once it is not held; a strip's with its reading.
_KNOWN = text("""
WITH swab AS (
    SELECT s.id, s.material, f.outcome, f.evidence,
           EXISTS (SELECT FROM tube_specimen ts JOIN result r ON r.tube_id = ts.tube_id
                   WHERE ts.specimen_id = s.id AND r.current AND NOT r.held
                     AND r.outcome IN ('detected', 'not_detected'))
           OR EXISTS (SELECT FROM rapid_test t WHERE t.specimen_id = s.id
                      AND t.outcome IN ('positive', 'negative')) AS answered
    FROM specimen s LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
    WHERE s.site_id = :site AND s.registered_at >= :since AND s.registered_at < :until
), judged AS (
    SELECT id, answered, answered AND outcome IS NULL AS unknown,
           NOT answered AND outcome IN ('negative', 'positive', 'presumptive') AS unfounded,
           outcome IN ('negative', 'positive') AND EXISTS (
               SELECT FROM result r WHERE r.id = ANY(evidence) AND NOT r.current) AS superseded
    FROM swab
), named AS (
    SELECT j.*, (SELECT coalesce(min(t.barcode) FILTER (WHERE t.kind <> 'lab_pool'), j.id::text)
                 FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
                 WHERE ts.specimen_id = j.id) AS barcode
    FROM judged j WHERE unknown OR unfounded OR superseded
)
SELECT (SELECT count(*) FROM judged WHERE answered) AS answered,
       (SELECT array_agg(barcode ORDER BY barcode) FROM named WHERE unknown) AS unknown,
       (SELECT array_agg(barcode ORDER BY barcode) FROM named WHERE unfounded) AS unfounded,
       (SELECT array_agg(barcode ORDER BY barcode) FROM named WHERE superseded) AS superseded
""")

# A strip's positive is presumptive, and so is whom sub-pools name; both have a case, which a PCR
# may have found wrong. One that is over stays with the row of before a merge (S16).
_POSITIVE = text("""
WITH positive AS (
    SELECT s.id, f.person_id, f.outcome FROM specimen s
    JOIN finding f ON f.specimen_id = s.id AND f.current
    WHERE s.site_id = :site AND s.registered_at >= :since AND s.registered_at < :until
      AND f.outcome IN ('positive', 'presumptive')
), without AS (
    SELECT p.* FROM positive p WHERE NOT EXISTS (
        SELECT FROM person o JOIN f0_case c ON c.person_id = o.id
        WHERE (o.id = p.person_id OR o.merged_into_id = p.person_id)
          AND (c.state IN ('presumptive', 'confirmed', 'closed')
               OR c.state = 'not_confirmed' AND p.outcome = 'presumptive'))
)
SELECT (SELECT count(DISTINCT person_id) FROM positive) AS people,
       (SELECT count(DISTINCT person_id) FROM without) AS without,
       (SELECT array_agg(DISTINCT coalesce(t.barcode, w.id::text)) FROM without w
        LEFT JOIN LATERAL (SELECT min(t.barcode) AS barcode FROM tube_specimen ts
                           JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
                           WHERE ts.specimen_id = w.id) t ON true) AS tubes
""")

_STANDING = text("""
WITH standing AS (
    SELECT c.id, EXISTS (
        SELECT FROM finding f WHERE f.person_id = c.person_id AND f.current
        AND f.outcome IN ('positive', 'presumptive', 'discordant')) AS carried
    FROM f0_case c
    WHERE c.site_id = :site AND c.opened_at >= :since AND c.opened_at < :until
      AND c.state IN ('presumptive', 'confirmed')
)
SELECT count(*) AS cases, array_agg(id ORDER BY id) FILTER (WHERE NOT carried) AS orphans
FROM standing
""")
