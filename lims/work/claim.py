"""Take, give back and take over an F0 case: one team holds it at a time, and everyone can see who.

The partial unique index `uq_claim_held` is the last word; the case row is locked first, so that
the second of two teams is told who was faster instead of meeting the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import Conflict, InvalidBody, NotFound
from lims.tables import Claim, F0Case, Team
from lims.work import live
from lims.work.audit import record
from lims.work.live_cases import LIVE
from lims.work.tell import CaseNews, owe_case_news

LONGEST_REASON = 500


class AlreadyClaimed(Conflict):
    """`claimed_at`, `team` and `team_id` say who has it; a team is an office, not a person."""

    slug = "already-claimed"
    expected = "a case that no other team has claimed"
    todo = "speak with that team; take the case over, with a reason, if it cannot go on"

    def __init__(self, *, case_id: UUID, team: str, team_id: UUID, claimed_at: datetime) -> None:
        super().__init__(
            came=f"one that {team} claimed at {claimed_at.isoformat(timespec='minutes')}",
            where=f"case {case_id}",
        )
        self.claimed_at = claimed_at
        self.team = team
        self.facts = {
            "team": team,
            "team_id": str(team_id),
            "claimed_at": claimed_at.isoformat(),
        }


class NotClaimed(Conflict):
    slug = "not-claimed"
    expected = "a case that a team holds"
    todo = "claim it instead"


class CaseOver(Conflict):
    slug = "case-over"
    expected = "a case that is open"
    todo = "leave it as it is; nobody is to be traced for it any more"


@dataclass(frozen=True, slots=True)
class Held:
    """Who has the case. `replayed`: the team had it already, nothing changed."""

    claim_id: UUID
    case_id: UUID
    team_id: UUID
    claimed_by: str
    claimed_at: datetime
    replayed: bool


def claim(session: Session, case_id: UUID, team_id: UUID, *, by: str, now: datetime) -> Held:
    """Claim a case for a team. The same team again gets the same answer.

    Raises NotFound for an unknown case or team, AlreadyClaimed when another team has it, CaseOver
    when nobody has it and nobody is to be traced for it any more.
    """
    case, team = _locked_case(session, case_id), _team(session, team_id)
    held = _held(session, case_id)
    if held is None:
        return _take(session, _open(case), team, by=by, now=now, verb="claim")
    if held.team_id == team_id:
        return _answer(held, replayed=True)
    raise _taken(session, held)


def release_claim(session: Session, case_id: UUID, *, by: str, now: datetime, reason: str) -> None:
    """Give a case back, with the reason; it is unclaimed again, and whoever was told hears so.

    Raises NotFound, CaseOver, NotClaimed, InvalidBody (no reason), NoDesk.
    """
    case, why = _open(_locked_case(session, case_id)), _reason(reason)
    held = _held(session, case_id)
    if held is None:
        raise NotClaimed(where=f"case {case_id}", came="one that nobody holds")
    _end(session, held, now)
    record(
        session,
        site_id=case.site_id,
        actor=by,
        verb="claim-released",
        subject=str(case_id),
        now=now,
        team_id=str(held.team_id),
        reason=why,
    )
    owe_case_news(session, [_given_back(session, case)], site_id=case.site_id, now=now)
    live.ring(session, "claim.released", case_id=case_id)


def take_over(
    session: Session, case_id: UUID, team_id: UUID, *, by: str, now: datetime, reason: str
) -> Held:
    """Move a case from the team that holds it to another, with the reason.

    Nobody holding it, this is a claim; the team holding it already gets the same answer.
    Raises NotFound, CaseOver, InvalidBody (no reason).
    """
    case, team, why = (
        _open(_locked_case(session, case_id)),
        _team(session, team_id),
        _reason(reason),
    )
    held = _held(session, case_id)
    if held is None:
        return _take(session, case, team, by=by, now=now, verb="claim")
    if held.team_id == team_id:
        return _answer(held, replayed=True)
    _end(session, held, now)
    return _take(
        session,
        case,
        team,
        by=by,
        now=now,
        verb="claim-taken-over",
        reason=why,
        from_team_id=str(held.team_id),
    )


def _locked_case(session: Session, case_id: UUID) -> F0Case:
    case = session.get(F0Case, case_id, with_for_update=True)
    if case is None:
        raise NotFound(came=str(case_id), where="cases")
    return case


def _open(case: F0Case) -> F0Case:
    """Raises CaseOver: nobody waits to be traced, so there is nothing to hand on."""
    if case.state not in LIVE:
        raise CaseOver(where=f"case {case.id}", came=f"one that is {case.state}")
    return case


def _team(session: Session, team_id: UUID) -> Team:
    team = session.get(Team, team_id)
    if team is None:
        raise NotFound(came=str(team_id), where="teams")
    return team


def _held(session: Session, case_id: UUID) -> Claim | None:
    return session.scalars(
        select(Claim).where(Claim.case_id == case_id, Claim.ended_at.is_(None))
    ).one_or_none()


def _take(
    session: Session,
    case: F0Case,
    team: Team,
    *,
    by: str,
    now: datetime,
    verb: str,
    **detail: str,
) -> Held:
    row = Claim(
        site_id=case.site_id, case_id=case.id, team_id=team.id, claimed_by=by, claimed_at=now
    )
    session.add(row)
    record(
        session,
        site_id=case.site_id,
        actor=by,
        verb=verb,
        subject=str(case.id),
        now=now,
        team_id=str(team.id),
        **detail,
    )
    session.flush()
    live.ring(session, "claim.taken", case_id=case.id)
    return _answer(row, replayed=False)


def _end(session: Session, held: Claim, now: datetime) -> None:
    held.ended_at = now
    session.flush()


def _given_back(session: Session, case: F0Case) -> CaseNews:
    """Numbered on, so that it is news to those who were told before."""
    case.sequence += 1
    session.flush()
    return CaseNews(
        case.id,
        case.person_id,
        NoticeKind.CASE_OPENED,
        case.sequence,
        CaseState(case.state),
        Basis(case.basis),
    )


def _answer(row: Claim, *, replayed: bool) -> Held:
    return Held(row.id, row.case_id, row.team_id, row.claimed_by, row.claimed_at, replayed)


def _taken(session: Session, held: Claim) -> AlreadyClaimed:
    team = _team(session, held.team_id)
    return AlreadyClaimed(
        case_id=held.case_id, team=team.name, team_id=team.id, claimed_at=held.claimed_at
    )


def _reason(reason: str) -> str:
    why = reason.strip()
    if not 3 <= len(why) <= LONGEST_REASON:
        raise InvalidBody(
            errors=[
                {"pointer": "#/reason", "detail": "Say why, in 3 to 500 characters."},
            ],
            where="claim",
        )
    return why
