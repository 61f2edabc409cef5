"""Write the findings that changed; an old one is superseded, never edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome
from lims.domain.pooling.evidence import Conclusion, FindingDraft
from lims.domain.verification import Hold, Verification, verification_rule_in_force
from lims.work.evidence import Known
from lims.work.verifying import Verifying, read_verifying


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
    person_id: UUID
    outcome: FindingOutcome
    status: ResultStatus
    evidence: frozenset[UUID]
    released_at: datetime | None
    released_by: str | None
    rule: str
    holds: tuple[str, ...]


def keep_findings(
    session: Session,
    known: Known,
    conclusion: Conclusion,
    *,
    site_id: UUID,
    now: datetime,
    signed: str | None = None,
) -> list[Change]:
    """Compare with what is stored and write the difference; returns what changed.

    ``signed`` is the reviewer whose act this follows from, if it does.
    """
    standing = _standing(session, known.specimens)
    changed = [s for s in known.specimens if _differs(standing.get(s), conclusion.findings.get(s))]
    if not changed:
        return []
    drafts = {s: conclusion.findings[s] for s in changed if s in conclusion.findings}
    known_of = read_verifying(session, drafts)
    ended = [standing[s].id for s in changed if s in standing]
    if ended:
        session.execute(
            text("UPDATE finding SET current = false WHERE id = ANY(:ids)"), {"ids": ended}
        )
    rows = [
        _row(
            draft,
            s,
            known_of[s],
            standing=standing.get(s),
            site_id=site_id,
            now=now,
            signed=signed,
        )
        for s, draft in drafts.items()
    ]
    if rows:
        session.execute(_INSERT, {"rows": rows_as_json(rows), "now": now})
    made = {row["specimen_id"]: row["id"] for row in rows}
    return [
        Change(
            specimen_id=s,
            person_id=known_of[s].person_id if s in drafts else standing[s].person_id,
            finding_id=made.get(s),
            before=standing[s].outcome if s in standing else None,
            after=drafts[s].outcome if s in drafts else None,
        )
        for s in changed
    ]


_INSERT = text("""
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                     ct_cycles, holds, current, supersedes_id, created_at, released_at, released_by)
SELECT id, site_id, specimen_id, person_id, outcome, status, rule, evidence, ct_cycles, holds, true,
       supersedes_id, :now, released_at, released_by
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, site_id uuid, specimen_id uuid, person_id uuid, outcome text, status text, rule text,
    evidence uuid[], ct_cycles float8, holds text[], supersedes_id uuid, released_at timestamptz,
    released_by text)
""")


def _standing(session: Session, specimens: Sequence[UUID]) -> Mapping[UUID, _Standing]:
    rows = session.execute(
        text(
            "SELECT id, specimen_id, person_id, outcome, status, evidence, released_at,"
            " released_by, rule, holds FROM finding WHERE current AND specimen_id = ANY(:ids)"
        ),
        {"ids": list(specimens)},
    )
    return {
        row.specimen_id: _Standing(
            row.id,
            row.person_id,
            FindingOutcome(row.outcome),
            ResultStatus(row.status),
            frozenset(row.evidence),
            row.released_at,
            row.released_by,
            row.rule,
            tuple(row.holds),
        )
        for row in rows
    }


def _differs(standing: _Standing | None, draft: FindingDraft | None) -> bool:
    if standing is None or draft is None:
        return (standing is None) != (draft is None)
    return standing.outcome is not draft.outcome or standing.evidence != frozenset(draft.evidence)


def _row(
    draft: FindingDraft,
    specimen: UUID,
    known_of: Verifying,
    *,
    standing: _Standing | None,
    site_id: UUID,
    now: datetime,
    signed: str | None,
) -> dict[str, Any]:
    """The same final word on more evidence keeps its release; another is verified by the rule.

    What the rule passes is final at once, and so is a negative that follows from
    a reviewer's own act and waits for nothing but a reviewer. Over another final word it is a
    correction.
    """
    verified = verification_rule_in_force().judge(known_of.facts)
    rule, holds = verified.rule, tuple(map(str, verified.holds))
    status, released_at, by = ResultStatus.PRELIMINARY, None, None
    if standing is not None and standing.outcome is draft.outcome and standing.released_at:
        status, released_at, by = standing.status, standing.released_at, standing.released_by
        rule, holds = standing.rule, standing.holds
    elif verified.passes or (signed and _needs_only_a_signature(draft, verified)):
        status = ResultStatus.CORRECTED if known_of.told_before else ResultStatus.FINAL
        released_at, by = now, verified.rule if verified.passes else signed
    return {
        "id": uuid7(),
        "site_id": site_id,
        "specimen_id": specimen,
        "person_id": known_of.person_id,
        "outcome": str(draft.outcome),
        "status": str(status),
        "rule": rule,
        "evidence": list(draft.evidence),
        "ct_cycles": draft.ct_cycles,
        "holds": list(holds),
        "supersedes_id": standing.id if standing else None,
        "released_at": released_at,
        "released_by": by,
    }


def _needs_only_a_signature(draft: FindingDraft, verified: Verification) -> bool:
    return draft.outcome is FindingOutcome.NEGATIVE and verified.holds == (Hold.REVISION,)
