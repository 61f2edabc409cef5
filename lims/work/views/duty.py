"""Who is on call: now, and through a week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound


@dataclass(frozen=True, slots=True)
class ContactLine:
    """Somebody of the team who can be rung. ``wrong``: a caller found the number to be wrong."""

    contact_id: UUID
    name: str
    phone: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One duty of the week."""

    duty_id: UUID
    name: str
    place: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class TeamRoster:
    """One team, its people, and its duties in a span of time."""

    team_id: UUID
    name: str
    phone: str | None
    contacts: Sequence[ContactLine]
    duties: Sequence[DutyLine]


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call for a team now, the first before the second, those whose number a caller
    found to be ``wrong`` last."""

    name: str
    phone: str
    place: int
    until: datetime
    wrong: bool


@dataclass(frozen=True, slots=True)
class TeamOnCall:
    """A team with whoever is on call; nobody, or nobody under the number that is kept: its line is
    rung, if it has one."""

    team_id: UUID
    team: str
    phone: str | None
    people: Sequence[OnCall]

    @property
    def reachable(self) -> bool:
        return any(not one.wrong for one in self.people)


def roster(
    session: Session, team_id: UUID, *, site_id: UUID, since: datetime, until: datetime
) -> TeamRoster:
    """The team's roster. Raises NotFound."""
    about = {"team": team_id, "site": site_id, "since": since, "until": until}
    team = session.execute(_TEAM, about).one_or_none()
    if team is None:
        raise NotFound(came=str(team_id), where="teams")
    return TeamRoster(
        team_id=team.id,
        name=team.name,
        phone=team.phone,
        contacts=[ContactLine(**row._mapping) for row in session.execute(_CONTACTS, about)],
        duties=[DutyLine(**row._mapping) for row in session.execute(_DUTIES, about)],
    )


def on_call(
    session: Session, *, site_id: UUID, now: datetime, team_id: UUID | None = None
) -> Sequence[TeamOnCall]:
    """Of one team; or of every team that has somebody on call, or a case that nobody claimed."""
    rows = session.execute(_ON_CALL, {"site": site_id, "now": now, "team": team_id}).all()
    teams: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        teams.setdefault(row.team_id, []).append(row)
    return [
        TeamOnCall(
            team_id=one,
            team=lines[0].team,
            phone=lines[0].team_phone,
            people=[
                OnCall(line.name, line.phone, line.place, line.ends_at, line.wrong)
                for line in lines
                if line.name is not None
            ],
        )
        for one, lines in teams.items()
    ]


def phones(session: Session, *, site_id: UUID) -> Mapping[UUID, int]:
    """How many people of each team can be rung."""
    rows = session.execute(
        text(
            "SELECT team_id, count(*) AS many FROM contact"
            " WHERE site_id = :site AND left_at IS NULL GROUP BY team_id"
        ),
        {"site": site_id},
    )
    return {row.team_id: row.many for row in rows}


_TEAM = text("SELECT id, name, phone FROM team WHERE id = :team AND site_id = :site")

_CONTACTS = text("""
SELECT k.id AS contact_id, k.name, k.phone,
       coalesce((SELECT c.outcome = 'wrong_number' FROM voice_call c
                 WHERE c.contact_id = k.id AND c.phone = k.phone
                 ORDER BY c.at DESC, c.id DESC LIMIT 1), false) AS wrong
FROM contact k WHERE k.team_id = :team AND k.left_at IS NULL ORDER BY k.name, k.id
""")

_DUTIES = text("""
SELECT d.id AS duty_id, k.name, d.place, d.starts_at, d.ends_at
FROM duty d JOIN contact k ON k.id = d.contact_id
WHERE d.team_id = :team AND d.starts_at < :until AND d.ends_at > :since
ORDER BY d.starts_at, d.place
""")

_ON_CALL = text("""
WITH wanted AS (
    SELECT t.id, t.name, t.phone FROM team t
    WHERE t.site_id = :site AND (
        t.id = :team OR cast(:team AS uuid) IS NULL AND (
            EXISTS (SELECT FROM duty d WHERE d.team_id = t.id AND d.starts_at <= :now
                    AND d.ends_at > :now)
            OR t.id IN (
                SELECT s.team_id FROM f0_case c JOIN notice n ON n.case_id = c.id
                JOIN subscription s ON s.id = n.subscription_id
                WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
                  AND NOT EXISTS (SELECT FROM claim k
                                  WHERE k.case_id = c.id AND k.ended_at IS NULL))))
)
SELECT t.id AS team_id, t.name AS team, t.phone AS team_phone,
       o.name, o.phone, o.place, o.ends_at, o.wrong
FROM wanted t LEFT JOIN (
    SELECT d.team_id, k.name, k.phone, d.place, d.ends_at,
           coalesce((SELECT c.outcome = 'wrong_number' FROM voice_call c
                     WHERE c.contact_id = k.id AND c.phone = k.phone
                     ORDER BY c.at DESC, c.id DESC LIMIT 1), false) AS wrong
    FROM duty d JOIN contact k ON k.id = d.contact_id AND k.left_at IS NULL
    WHERE d.site_id = :site AND d.starts_at <= :now AND d.ends_at > :now) o ON o.team_id = t.id
ORDER BY t.name, t.id, o.wrong, o.place, o.name
""")
