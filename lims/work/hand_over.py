"""Swabs turn out to be another person's: they change hands, with all that is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState, ResultStatus
from lims.domain.outcomes import FindingOutcome, NoticeKind
from lims.work.cases import change_case, follow_findings, rest_on_pcr
from lims.work.findings import Change
from lims.work.live_cases import live_case
from lims.work.owe_findings import owe_findings
from lims.work.rapid_cases import follow_positives
from lims.work.tell import owe_case_news


def hand_over(
    session: Session,
    specimens: Sequence[UUID],
    *,
    first: UUID,
    owner: UUID,
    site_id: UUID,
    by: str,
    now: datetime,
    signed: bool = False,
) -> None:
    """The old findings end, the swabs change hands, their successors begin: in this order, since
    a current finding is about the swab's person. Cases follow once all have moved: a strip and the
    PCR that refuted it are never looked at apart.

    ``signed``: a reviewer says that both are one human being, so that a final word stays final
    (as a correction, C). Otherwise a positive waits for its word again: nobody has signed for
    this person. What was held stays held, for the same reasons: saying whose a swab is answers
    none of them. The caller holds both people's rows and the tubes' components. Raises NoDesk.
    """
    about = {"specimens": list(specimens), "owner": owner, "first": first, "now": now}
    ended = session.execute(_END_FINDINGS, about).all()
    for statement in (_MOVE_SWABS, *_ANOTHER_S, _MOVE_RECOLLECTIONS, _REOPEN_RECOLLECTIONS):
        session.execute(statement, about)
    moved = [_moved(row, signed=signed) for row in sorted(ended, key=lambda row: row.specimen_id)]
    if not moved:
        return
    session.execute(_SUCCESSOR, [_successor(one, owner, by=by, now=now) for one in moved])
    _follow(session, moved, first, owner, site_id=site_id, now=now)
    owe_findings(session, [one.specimen_id for one in moved], site_id=site_id, now=now)


@dataclass(frozen=True, slots=True)
class _Moved:
    """One finding that ended with the first person, and the one that begins with the owner."""

    specimen_id: UUID
    ended_id: UUID
    finding_id: UUID
    outcome: FindingOutcome
    final: bool


def _moved(row: Row[Any], *, signed: bool) -> _Moved:
    outcome = FindingOutcome(row.outcome)
    final = row.status in _FINAL and (signed or outcome is FindingOutcome.NEGATIVE)
    return _Moved(row.specimen_id, row.id, uuid7(), outcome, final)


def _successor(one: _Moved, owner: UUID, *, by: str, now: datetime) -> dict[str, object]:
    return {
        "id": one.finding_id,
        "old": one.ended_id,
        "owner": owner,
        "status": str(ResultStatus.CORRECTED if one.final else ResultStatus.PRELIMINARY),
        "now": now,
        "released_at": now if one.final else None,
        "released_by": by if one.final else None,
    }


def _follow(
    session: Session,
    moved: Sequence[_Moved],
    first: UUID,
    owner: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> None:
    """Strips before their PCR, as they were told the first time: a case that strips confirmed
    keeps its ground."""
    lost = [Change(one.specimen_id, first, None, before=one.outcome, after=None) for one in moved]
    found = [
        Change(one.specimen_id, owner, one.finding_id, before=None, after=one.outcome)
        for one in moved
    ]
    follow_findings(session, lost, site_id=site_id, now=now)
    if any(one.outcome is FindingOutcome.PRESUMPTIVE for one in moved):
        follow_positives(session, [owner], site_id=site_id, now=now)
    follow_findings(session, found, site_id=site_id, now=now)
    for one in moved:
        if one.outcome is FindingOutcome.POSITIVE and one.final:
            _confirm(session, owner, one.finding_id, site_id=site_id, now=now)


def _confirm(
    session: Session, owner: UUID, finding_id: UUID, *, site_id: UUID, now: datetime
) -> None:
    """The word was final before it moved: the case it opened or met here is confirmed at once."""
    case = live_case(session, owner)
    if case is None:
        return
    rest_on_pcr(session, case, finding_id, found_at=now)
    if case.state == CaseState.PRESUMPTIVE:
        news = change_case(session, case, CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED, now=now)
        owe_case_news(session, [news], site_id=site_id, now=now)


_FINAL = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})

_END_FINDINGS = text("""
UPDATE finding SET current = false WHERE specimen_id = ANY(:specimens) AND current
RETURNING id, specimen_id, outcome, status
""")

_MOVE_SWABS = text("UPDATE specimen SET person_id = :owner WHERE id = ANY(:specimens)")

# Who reads tubes and tests by when they changed (FHIR) has them under the first person's name: a
# trigger stamps whatever is updated.
_ANOTHER_S = tuple(
    text(f"""
UPDATE {table} SET site_id = site_id
WHERE {tube} IN (SELECT tube_id FROM tube_specimen WHERE specimen_id = ANY(:specimens))
""")  # noqa: S608 - of constants
    for table, tube in (("tube", "id"), ("test_order", "tube_id"))
)

_MOVE_RECOLLECTIONS = text("""
UPDATE recollection SET person_id = :owner WHERE specimen_id = ANY(:specimens)
""")

# The first person was thought to be swabbed again by one of these very swabs.
_REOPEN_RECOLLECTIONS = text("""
UPDATE recollection SET state = 'open', done_specimen_id = NULL, ended_at = NULL
WHERE done_specimen_id = ANY(:specimens) AND person_id = :first
""")

_SUCCESSOR = text("""
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                     ct_cycles, holds, current, supersedes_id, created_at, released_at, released_by)
SELECT :id, site_id, specimen_id, :owner, outcome, :status, rule, evidence, ct_cycles, holds, true,
       id, :now, :released_at, :released_by
FROM finding WHERE id = :old
""")
