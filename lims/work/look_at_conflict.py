"""A register says that a card number is somebody else's: a reviewer has looked at it.

It changes nothing of the person: what was wrong is mended on the card, and then asked anew.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.asking import QuestionKind, Verdict
from lims.domain.refusals import NotFound
from lims.tables import PersonQuestion
from lims.work.ask_whom import ask_about
from lims.work.audit import record
from lims.work.measurements import given_reason


def look_at_conflict(
    session: Session, question_id: UUID, reason: str, *, site_id: UUID, by: str, now: datetime
) -> None:
    """It leaves the worklist, with the reason. Again changes nothing.

    Raises InvalidBody (no reason), NotFound.
    """
    said = given_reason(reason)
    question = _conflict(session, question_id, site_id)
    if question.looked_at is not None:
        return
    question.looked_at, question.looked_by, question.looked_note = now, by, said
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="looked-at-conflict",
        subject=str(question.person_id),
        now=now,
        question_id=str(question_id),
        reason=said,
    )
    session.flush()


def ask_conflict_again(
    session: Session, question_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> None:
    """What was wrong is mended there: it is asked once more. Raises NotFound."""
    question = _conflict(session, question_id, site_id)
    if question.current:
        kind = QuestionKind(question.kind)
        ask_about(session, question.person_id, kind, site_id=site_id, by=by, now=now)


def _conflict(session: Session, question_id: UUID, site_id: UUID) -> PersonQuestion:
    question = session.get(
        PersonQuestion, question_id, with_for_update=True, populate_existing=True
    )
    if question is None or question.site_id != site_id or question.verdict != Verdict.CONFLICT:
        raise NotFound(came=str(question_id), where="conflicts")
    return question
