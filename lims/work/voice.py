"""Ring a team about the cases nobody has claimed, and keep what came of it. A call claims nothing.

A team is to be rung about a case once it was named by the roster's step (escalate.py), and every
team that was told of it once the case is on the voice list.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.escalation import Reached
from lims.domain.refusals import Conflict, DifferentBody, InvalidBody, NotFound
from lims.tables import Contact, Team, VoiceCall
from lims.work import live
from lims.work.claim import AlreadyClaimed, CaseOver, claim
from lims.work.once import one_at_a_time

LONGEST_NOTE: Final = 500
MOST_CLAIMED: Final = 200

# `unheld`: the cases nobody holds, of what the reader may see. `to_ring`: about which of them which
# team is to be rung, and since when.
TO_RING: Final = """
    unheld AS (
        SELECT c.id, greatest(c.opened_at, c.reopened_at, k.given_back) AS since
        FROM f0_case c
        LEFT JOIN LATERAL (SELECT max(k.ended_at) AS given_back FROM claim k
                           WHERE k.case_id = c.id) k ON true
        WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
          AND NOT EXISTS (SELECT FROM claim k WHERE k.case_id = c.id AND k.ended_at IS NULL)
          AND (:everything OR EXISTS (
              SELECT FROM notice n JOIN subscription b ON b.id = n.subscription_id
              WHERE n.case_id = c.id AND b.team_id = :reader))),
    named AS (
        SELECT e.case_id, e.team_id, u.since, e.at, e.contact_id
        FROM unheld u JOIN escalation_step e
          ON (e.case_id, e.since, e.step) = (u.id, u.since, 'roster')
        UNION ALL
        SELECT u.id, s.team_id, u.since, e.at, NULL
        FROM unheld u JOIN escalation_step e
          ON (e.case_id, e.since, e.step) = (u.id, u.since, 'voice')
        JOIN notice n ON n.case_id = u.id JOIN subscription s ON s.id = n.subscription_id),
    to_ring AS (
        SELECT case_id, team_id, since, min(at) AS at
        FROM named WHERE at <= :as_of GROUP BY case_id, team_id, since)
"""


class NobodyToRing(Conflict):
    slug = "nobody-to-ring"
    expected = "a team that is to be rung about a case nobody has"
    todo = "reload the page: somebody has claimed them meanwhile"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose cases are looked at: everybody's (operators), or those one team was told of."""

    everything: bool
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a call to a team; without a contact its own line was rung."""

    call_id: UUID
    team_id: UUID
    contact_id: UUID | None
    outcome: Reached
    note: str = ""


@dataclass(frozen=True, slots=True)
class Called:
    """The call as kept, and how many cases it was about."""

    call_id: UUID
    cases: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class TakenByWord:
    """What a team took, and what others were faster with (and who)."""

    claimed: tuple[UUID, ...]
    lost: tuple[AlreadyClaimed, ...]


def record_call(
    session: Session,
    said: Said,
    *,
    reader: Reader,
    as_of: datetime,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Called:
    """Keep a call about every case that the team was to be rung about when the caller looked.

    `as_of` is that moment: what came since was not spoken of. The same call again answers the
    same. Raises NotFound (team or contact), InvalidBody (no number, a long note), DifferentBody,
    NobodyToRing.
    """
    note = said.note.strip()
    if len(note) > LONGEST_NOTE:
        _refuse("note", "at most 500 characters")
    one_at_a_time(session, said.call_id)
    earlier = session.get(VoiceCall, said.call_id)
    if earlier is not None:
        return _replay(session, earlier, said, note)
    cases = _cases(session, said.team_id, reader=reader, as_of=as_of, site_id=site_id)
    if not cases:
        raise NobodyToRing(where=f"team {said.team_id}", came="none of its cases")
    call = VoiceCall(
        id=said.call_id,
        site_id=site_id,
        team_id=said.team_id,
        contact_id=said.contact_id,
        phone=_phone(session, said, site_id),
        outcome=said.outcome,
        note=note or None,
        at=now,
        by=by,
    )
    session.add(call)
    session.flush()
    session.execute(_ABOUT, {"call": call.id, "cases": cases})
    live.ring(session, "call.kept", call_id=call.id)
    return Called(call.id, len(cases), replayed=False)


def claim_by_word(
    session: Session,
    team_id: UUID,
    *,
    reader: Reader,
    as_of: datetime,
    site_id: UUID,
    by: str,
    now: datetime,
) -> TakenByWord:
    """Claim for the team what it was to be rung about, the longest waiting first, 200 at most.

    Each is an ordinary claim: of two teams one wins, and here is said who. Raises NotFound.
    """
    if session.get(Team, team_id) is None:
        raise NotFound(came=str(team_id), where="teams")
    cases = _cases(session, team_id, reader=reader, as_of=as_of, site_id=site_id)[:MOST_CLAIMED]
    claimed, lost = list[UUID](), list[AlreadyClaimed]()
    for case in sorted(cases):  # in one order, so that two who claim many do not wait crosswise
        try:
            claimed.append(claim(session, case, team_id, by=by, now=now).case_id)
        except AlreadyClaimed as refusal:
            lost.append(refusal)
        except CaseOver:
            continue  # withdrawn since the page was read: its correction says so
    return TakenByWord(tuple(claimed), tuple(lost))


_CASES = text(
    f"WITH {TO_RING} SELECT case_id FROM to_ring WHERE team_id = :team ORDER BY since, case_id"  # noqa: S608 - constants
)

_ABOUT = text(
    "INSERT INTO voice_call_case (call_id, case_id) SELECT :call, unnest(cast(:cases AS uuid[]))"
)


def _cases(
    session: Session, team_id: UUID, *, reader: Reader, as_of: datetime, site_id: UUID
) -> list[UUID]:
    about = {
        "site": site_id,
        "team": team_id,
        "everything": reader.everything,
        "reader": reader.team_id,
        "as_of": as_of,
    }
    return list(session.scalars(_CASES, about))


def _phone(session: Session, said: Said, site_id: UUID) -> str:
    team = session.get(Team, said.team_id)
    if team is None or team.site_id != site_id:
        raise NotFound(came=str(said.team_id), where="teams")
    if said.contact_id is None:
        if team.phone is None:
            _refuse("contact", "a number that can be rung")
        return str(team.phone)
    contact = session.get(Contact, said.contact_id)
    if contact is None or contact.team_id != said.team_id:
        raise NotFound(came=str(said.contact_id), where="contacts")
    return contact.phone


def _replay(session: Session, earlier: VoiceCall, said: Said, note: str) -> Called:
    kept = (earlier.team_id, earlier.contact_id, earlier.outcome, earlier.note or "")
    if kept != (said.team_id, said.contact_id, said.outcome, note):
        raise DifferentBody(came=f"other content under call {said.call_id}", where="call_id")
    many = session.scalar(
        text("SELECT count(*) FROM voice_call_case WHERE call_id = :call"), {"call": said.call_id}
    )
    return Called(earlier.id, many or 0, replayed=True)


def _refuse(field: str, detail: str) -> None:
    raise InvalidBody(errors=[{"pointer": f"#/{field}", "detail": detail}], where="call")
