"""Tracing teams: who can be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import parse_phone
from lims.domain.refusals import NotAPhoneNumber
from lims.tables import Team
from lims.work.access import Fault, refuse
from lims.work.audit import record


def create_team(
    session: Session, *, site_id: UUID, name: str, phone: str, by: str, now: datetime
) -> UUID:
    """The phone may be empty. Raises InvalidBody naming every field that cannot stand."""
    name, faults = name.strip(), dict[str, Fault]()
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    elif session.scalar(select(Team.id).where(Team.site_id == site_id, Team.name == name)):
        faults["name"] = Fault.NAME_TAKEN
    number = None
    if phone.strip():
        try:
            number = parse_phone(phone)
        except NotAPhoneNumber:
            faults["phone"] = Fault.PHONE
    refuse(faults, where="team")
    team = Team(id=uuid7(), site_id=site_id, name=name, phone=number, created_at=now)
    session.add(team)
    record(session, site_id=site_id, actor=by, verb="team-created", subject=str(team.id), now=now)
    return team.id
