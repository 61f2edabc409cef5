"""Who is on call in a team, for tests of the hand-off."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from lims.tables import Contact, Duty
from tests.builders_handoff import Ward


def contact(here: Ward, team: UUID, name: str, *, phone: str = "+84901000001") -> UUID:
    """Somebody of the team who can be rung."""
    row = Contact(site_id=here.site_id, team_id=team, name=name, phone=phone, created_at=here.now)
    here.session.add(row)
    here.session.flush()
    return row.id


def on_call(
    here: Ward,
    team: UUID,
    name: str,
    *,
    place: int,
    phone: str = "+84901000001",
    until: datetime | None = None,
) -> UUID:
    """A contact who is on call from now on, for twelve hours unless told."""
    who = contact(here, team, name, phone=phone)
    here.session.add(
        Duty(
            site_id=here.site_id,
            team_id=team,
            contact_id=who,
            place=place,
            starts_at=here.now,
            ends_at=until or here.now + timedelta(hours=12),
            created_at=here.now,
            created_by="user:op",
        )
    )
    here.session.flush()
    return who
