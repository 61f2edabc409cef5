"""Write the findings that changed; an old one is superseded, never edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome
from lims.domain.pooling.evidence import Conclusion, FindingDraft
from lims.work.evidence import Known

AUTO_RULE = "auto/1"


@dataclass(frozen=True, slots=True)
class Change:
    """A specimen whose finding is now another. ``None`` means that nothing is known."""

    specimen_id: UUID
    person_id: UUID
    finding_id: UUID | None
    before: FindingOutcome | None
    after: FindingOutcome | None


@dataclass(frozen=True, slots=True)
class _Standing:
    id: UUID
    outcome: FindingOutcome
    status: ResultStatus
    evidence: frozenset[UUID]


def keep_findings(
    session: Session, known: Known, conclusion: Conclusion, *, site_id: UUID, now: datetime
) -> list[Change]:
    """Compare with what is stored and write the difference; returns what changed."""
    standing = _standing(session, known.specimens)
    changed = [s for s in known.specimens if _differs(standing.get(s), conclusion.findings.get(s))]
    if not changed:
        return []
    people = _people(session, changed)
    ended = [standing[s].id for s in changed if s in standing]
    if ended:
        session.execute(
            text("UPDATE finding SET current = false WHERE id = ANY(:ids)"), {"ids": ended}
        )
    rows = [
        _row(
            conclusion.findings[s], s, people[s], standing=standing.get(s), site_id=site_id, now=now
        )
        for s in changed
        if s in conclusion.findings
    ]
    if rows:
        session.execute(_INSERT, rows)
    made = {row["specimen_id"]: row["id"] for row in rows}
    return [
        Change(
            specimen_id=s,
            person_id=people[s],
            finding_id=made.get(s),
            before=standing[s].outcome if s in standing else None,
            after=conclusion.findings[s].outcome if s in conclusion.findings else None,
        )
        for s in changed
    ]


_INSERT = text("""
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                     ct_cycles, current, supersedes_id, created_at, released_at, released_by)
VALUES (:id, :site_id, :specimen_id, :person_id, :outcome, :status, :rule,
        cast(:evidence AS uuid[]), :ct_cycles, true, :supersedes_id, :created_at, :released_at,
        :released_by)
""")


def _standing(session: Session, specimens: Sequence[UUID]) -> Mapping[UUID, _Standing]:
    rows = session.execute(
        text(
            "SELECT id, specimen_id, outcome, status, evidence FROM finding"
            " WHERE current AND specimen_id = ANY(:ids)"
        ),
        {"ids": list(specimens)},
    )
    return {
        row.specimen_id: _Standing(
            row.id,
            FindingOutcome(row.outcome),
            ResultStatus(row.status),
            frozenset(row.evidence),
        )
        for row in rows
    }


def _differs(standing: _Standing | None, draft: FindingDraft | None) -> bool:
    if standing is None or draft is None:
        return (standing is None) != (draft is None)
    return standing.outcome is not draft.outcome or standing.evidence != frozenset(draft.evidence)


def _people(session: Session, specimens: Sequence[UUID]) -> Mapping[UUID, UUID]:
    rows = session.execute(
        text("SELECT id, person_id FROM specimen WHERE id = ANY(:ids)"), {"ids": list(specimens)}
    )
    return {row.id: row.person_id for row in rows}


def _row(
    draft: FindingDraft,
    specimen: UUID,
    person: UUID,
    *,
    standing: _Standing | None,
    site_id: UUID,
    now: datetime,
) -> dict[str, Any]:
    """Negatives are released by the machine at once; every other word waits as preliminary."""
    released = draft.outcome is FindingOutcome.NEGATIVE
    status = ResultStatus.FINAL if released else ResultStatus.PRELIMINARY
    if standing is not None and standing.status in {ResultStatus.FINAL, ResultStatus.CORRECTED}:
        status = ResultStatus.CORRECTED
    return {
        "id": uuid7(),
        "site_id": site_id,
        "specimen_id": specimen,
        "person_id": person,
        "outcome": str(draft.outcome),
        "status": str(status),
        "rule": AUTO_RULE,
        "evidence": list(draft.evidence),
        "ct_cycles": draft.ct_cycles,
        "supersedes_id": standing.id if standing else None,
        "created_at": now,
        "released_at": now if released else None,
        "released_by": AUTO_RULE if released else None,
    }
