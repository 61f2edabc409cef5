"""A swab turns out to be another person's: it changes hands, with all that is said of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState, ResultStatus
from lims.domain.outcomes import FindingOutcome, NoticeKind
from lims.work.cases import change_case, follow_findings, live_case
from lims.work.findings import Change
from lims.work.rapid_cases import follow_positives
from lims.work.tell import owe_case_news


def hand_over(
    session: Session,
    specimen_id: UUID,
    *,
    first: UUID,
    owner: UUID,
    site_id: UUID,
    by: str,
    now: datetime,
    signed: bool = False,
) -> None:
    """The old finding ends, the swab changes hands, its successor begins: in this order, since
    a current finding is about the swab's person.

    ``signed``: a reviewer says that both are one human being, so that a final word stays final
    (as a correction, C). Otherwise a positive waits for its word again: nobody has signed for
    this person. What was held stays held, for the same reasons: saying whose a swab is answers
    none of them. The caller holds both people's rows and the tubes' components.
    """
    about = {"specimen": specimen_id, "owner": owner, "first": first, "now": now}
    ended = session.execute(_END_FINDING, about).one_or_none()
    for statement in (_MOVE_SWAB, _MOVE_RECOLLECTION, _REOPEN_RECOLLECTION):
        session.execute(statement, about)
    if ended is None:
        return
    outcome = FindingOutcome(ended.outcome)
    final = ended.status in _FINAL and (signed or outcome is FindingOutcome.NEGATIVE)
    finding_id = uuid7()
    successor = {
        "id": finding_id,
        "old": ended.id,
        "owner": owner,
        "status": str(ResultStatus.CORRECTED if final else ResultStatus.PRELIMINARY),
        "now": now,
        "released_at": now if final else None,
        "released_by": by if final else None,
    }
    session.execute(_SUCCESSOR, successor)
    lost = Change(specimen_id, first, None, before=outcome, after=None)
    found = Change(specimen_id, owner, finding_id, before=None, after=outcome)
    follow_findings(session, [lost, found], site_id=site_id, now=now)
    if outcome is FindingOutcome.PRESUMPTIVE:
        follow_positives(session, [owner], site_id=site_id, now=now)
    if outcome is FindingOutcome.POSITIVE and final:
        _confirm(session, owner, site_id=site_id, now=now)


def _confirm(session: Session, owner: UUID, *, site_id: UUID, now: datetime) -> None:
    """The word was final before it moved: the case it opened here is confirmed at once."""
    case = live_case(session, owner)
    if case is not None and case.state == CaseState.PRESUMPTIVE:
        news = change_case(session, case, CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED, now=now)
        owe_case_news(session, [news], site_id=site_id, now=now)


_FINAL = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})

_END_FINDING = text("""
UPDATE finding SET current = false WHERE specimen_id = :specimen AND current
RETURNING id, outcome, status
""")

_MOVE_SWAB = text("UPDATE specimen SET person_id = :owner WHERE id = :specimen")

_MOVE_RECOLLECTION = text("""
UPDATE recollection SET person_id = :owner WHERE specimen_id = :specimen
""")

# The first person was thought to be swabbed again by this very swab.
_REOPEN_RECOLLECTION = text("""
UPDATE recollection SET state = 'open', done_specimen_id = NULL, ended_at = NULL
WHERE done_specimen_id = :specimen AND person_id = :first
""")

_SUCCESSOR = text("""
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence,
                     ct_cycles, holds, current, supersedes_id, created_at, released_at, released_by)
SELECT :id, site_id, specimen_id, :owner, outcome, :status, rule, evidence, ct_cycles, holds, true,
       id, :now, :released_at, :released_by
FROM finding WHERE id = :old
""")
