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
    released_at: datetime | None
    released_by: str | None


@dataclass(frozen=True, slots=True)
class _Whose:
    person_id: UUID
    told_before: bool


def keep_findings(
    session: Session, known: Known, conclusion: Conclusion, *, site_id: UUID, now: datetime
) -> list[Change]:
    """Compare with what is stored and write the difference; returns what changed."""
    standing = _standing(session, known.specimens)
    changed = [s for s in known.specimens if _differs(standing.get(s), conclusion.findings.get(s))]
    if not changed:
        return []
    whose = _whose(session, changed)
    ended = [standing[s].id for s in changed if s in standing]
    if ended:
        session.execute(
            text("UPDATE finding SET current = false WHERE id = ANY(:ids)"), {"ids": ended}
        )
    rows = [
        _row(
            conclusion.findings[s], s, whose[s], standing=standing.get(s), site_id=site_id, now=now
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
            person_id=whose[s].person_id,
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
            "SELECT id, specimen_id, outcome, status, evidence, released_at, released_by"
            " FROM finding"
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
            row.released_at,
            row.released_by,
        )
        for row in rows
    }


def _differs(standing: _Standing | None, draft: FindingDraft | None) -> bool:
    if standing is None or draft is None:
        return (standing is None) != (draft is None)
    return standing.outcome is not draft.outcome or standing.evidence != frozenset(draft.evidence)


def _whose(session: Session, specimens: Sequence[UUID]) -> Mapping[UUID, _Whose]:
    rows = session.execute(
        text(
            "SELECT s.id, s.person_id, EXISTS (SELECT FROM finding f WHERE f.specimen_id = s.id"
            " AND f.status IN ('F', 'C')) AS told FROM specimen s WHERE s.id = ANY(:ids)"
        ),
        {"ids": list(specimens)},
    )
    return {row.id: _Whose(row.person_id, row.told) for row in rows}


def _row(
    draft: FindingDraft,
    specimen: UUID,
    whose: _Whose,
    *,
    standing: _Standing | None,
    site_id: UUID,
    now: datetime,
) -> dict[str, Any]:
    """Negatives are released by the machine at once; every other word waits as preliminary.

    The same word on more evidence keeps its release; a negative after another
    final word is a correction.
    """
    if standing is not None and standing.outcome is draft.outcome:
        status, released_at, by = standing.status, standing.released_at, standing.released_by
    elif draft.outcome is FindingOutcome.NEGATIVE:
        status = ResultStatus.CORRECTED if whose.told_before else ResultStatus.FINAL
        released_at, by = now, AUTO_RULE
    else:
        status, released_at, by = ResultStatus.PRELIMINARY, None, None
    return {
        "id": uuid7(),
        "site_id": site_id,
        "specimen_id": specimen,
        "person_id": whose.person_id,
        "outcome": str(draft.outcome),
        "status": str(status),
        "rule": AUTO_RULE,
        "evidence": list(draft.evidence),
        "ct_cycles": draft.ct_cycles,
        "supersedes_id": standing.id if standing else None,
        "created_at": now,
        "released_at": released_at,
        "released_by": by,
    }
