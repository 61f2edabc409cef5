"""Read what the verification rule looks at: the swab's past, its person's, and its run's."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.outcomes import FindingOutcome
from lims.domain.pooling.evidence import FindingDraft
from lims.domain.verification import FindingFacts


@dataclass(frozen=True, slots=True)
class Verifying:
    """One swab's person, whether a final word was ever given on it, and the rule's facts."""

    person_id: UUID
    told_before: bool
    facts: FindingFacts


_FACTS = text("""
SELECT g.id, s.person_id, told.outcome AS last_final,
       p.identity_conflict IS NOT NULL AND site.identity_holds AS identity_holds,
       (SELECT min(abs(extract(epoch FROM s.collected_at - s2.collected_at))) / 86400
        FROM finding f JOIN specimen s2 ON s2.id = f.specimen_id
        WHERE f.person_id = s.person_id AND f.current AND f.outcome = 'positive'
          AND f.specimen_id <> s.id) AS positive_swab_days
FROM unnest(cast(:ids AS uuid[])) g(id)
JOIN specimen s ON s.id = g.id
JOIN person p ON p.id = s.person_id
JOIN site ON site.id = s.site_id
LEFT JOIN LATERAL (
    SELECT f.outcome FROM (  -- an index each: the clean negatives of a day are in one only
        SELECT * FROM finding WHERE specimen_id = s.id AND current
        UNION ALL SELECT * FROM finding WHERE specimen_id = s.id AND NOT current
    ) f WHERE f.status IN ('F', 'C') ORDER BY f.created_at DESC, f.id DESC LIMIT 1
) told ON true
""")

# A run that a reviewer let count has passed no controls; a cartridge carries its own.
_LATE = text("""
SELECT r.id FROM result r JOIN run ON run.id = r.run_id AND run.verdict <> 'passed'
WHERE r.id = ANY(:results)
""")


def read_verifying(session: Session, said: Mapping[UUID, FindingDraft]) -> Mapping[UUID, Verifying]:
    """For each specimen, the facts of what is about to be said of it."""
    if not said:
        return {}
    results = sorted({result for draft in said.values() for result in draft.evidence})
    late = set(session.execute(_LATE, {"results": results}).scalars()) if results else set()
    return {
        row.id: Verifying(
            person_id=row.person_id,
            told_before=row.last_final is not None,
            facts=FindingFacts(
                outcome=said[row.id].outcome,
                ct_cycles=said[row.id].ct_cycles,
                positive_swab_days=(
                    None if row.positive_swab_days is None else float(row.positive_swab_days)
                ),
                last_final=FindingOutcome(row.last_final) if row.last_final else None,
                identity_holds=row.identity_holds,
                named_by_pool=said[row.id].outcome is FindingOutcome.PRESUMPTIVE,
                controls_late=not late.isdisjoint(said[row.id].evidence),
            ),
        )
        for row in session.execute(_FACTS, {"ids": list(said)})
    }
