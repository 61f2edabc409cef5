"""Found a laboratory: its site, the national desk that cannot be unsubscribed, plates' controls."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.tables import Site, Subscription, Team
from lims.work.control_templates import found_templates

NATIONAL_DESK = "National desk"


def found_site(session: Session, *, prefix: str, name: str, now: datetime) -> UUID:
    """The site with this barcode prefix, made if need be. Safe to call at every start."""
    made = session.execute(
        insert(Site)
        .values(id=uuid7(), prefix=prefix, name=name, max_pool_size=20, created_at=now)
        .on_conflict_do_nothing(index_elements=[Site.prefix])
        .returning(Site.id)
    ).scalar_one_or_none()
    if made is None:
        return session.execute(select(Site.id).where(Site.prefix == prefix)).scalar_one()
    desk = Team(id=uuid7(), site_id=made, name=NATIONAL_DESK, created_at=now)
    session.add(desk)
    session.flush()
    found_templates(session, site_id=made, by="founding", now=now)
    session.add(Subscription(site_id=made, team_id=desk.id, channel="board", created_at=now))
    session.flush()
    return made
