"""Cases of positive rapid tests: judged by the definition of the day, told at once (S19, S20)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.work.cases import change_case
from lims.work.live_cases import Opening, live_case, open_cases, withdrawn_cases
from lims.work.strip_evidence import Standing, standing_of
from lims.work.tell import CaseNews, owe_case_news


def follow_positives(
    session: Session, people: Iterable[UUID], *, site_id: UUID, now: datetime
) -> None:
    """Open the case of each person with a positive strip, or strengthen the one there is.

    Everyone who is told hears. A case that a definition confirmed stays so: its basis and the
    definition's name are written with it, and no later definition is asked again. Raises NoDesk.
    """
    news = [_follow(session, one, site_id=site_id, now=now) for one in people]
    told = [one for one in news if one is not None]
    owe_case_news(session, told, site_id=site_id, now=now)


def _begin(
    session: Session, person_id: UUID, standing: Standing, *, site_id: UUID, now: datetime
) -> CaseNews | None:
    """A new case, or the one that this strip gave before it changed hands and came back."""
    judgement = standing.judgement
    state = CaseState.CONFIRMED if judgement.confirms else CaseState.PRESUMPTIVE
    again = withdrawn_cases(session, {standing.specimen_id: person_id}).get(standing.specimen_id)
    if again is not None:
        again.finding_id = standing.finding_id
        again.basis, again.definition = judgement.basis, judgement.definition
        return change_case(session, again, state, NoticeKind.CASE_CORRECTED, now=now)
    opening = Opening(person_id, standing.finding_id, judgement.basis, judgement.definition, state)
    return open_cases(session, [opening], site_id=site_id, now=now)[0]


def _follow(session: Session, person_id: UUID, *, site_id: UUID, now: datetime) -> CaseNews | None:
    standing = standing_of(session, person_id, site_id=site_id)
    if standing is None:
        return None
    judgement = standing.judgement
    case = live_case(session, person_id)
    if case is None:
        return _begin(session, person_id, standing, site_id=site_id, now=now)
    if case.basis != Basis.ANTIGEN_PRESUMPTIVE or not judgement.confirms:
        return None
    case.basis, case.definition = judgement.basis, judgement.definition
    case.finding_id = standing.finding_id
    return change_case(session, case, CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED, now=now)
