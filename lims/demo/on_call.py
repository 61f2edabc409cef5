"""What happens to a case that no office claims: who is on call, and after how many minutes."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from lims.demo import names
from lims.domain.policy import Setting
from lims.tables import Site
from lims.work.duty import LONGEST, Span, add_contact, plan_duty
from lims.work.policy import change_policy

PATIENCE_MIN: Final[Mapping[Setting, int]] = {
    Setting.ROSTER_AFTER_MIN: 1,
    Setting.PROVINCE_AFTER_MIN: 2,
    Setting.VOICE_AFTER_MIN: 3,
}


def shorten(session: Session, *, site_id: UUID, by: str, now: datetime) -> None:
    """A watcher waits a minute for each step, not fifteen."""
    for setting, minutes in PATIENCE_MIN.items():
        stands = int(getattr(session.get_one(Site, site_id), setting))
        change_policy(
            session,
            setting,
            minutes,
            shown=stands,
            reason="Trình diễn (demo)",
            site_id=site_id,
            by=by,
            now=now,
        )


def put_on_call(session: Session, team: UUID, *, site_id: UUID, by: str, now: datetime) -> None:
    """Two of the team who can be rung, first and second, for a day."""
    rng = Random(f"on call {team}")
    for place in (1, 2):
        name = names.full_name(rng, names.family_name(rng), rng.choice((names.FEMALE, names.MALE)))
        contact = add_contact(
            session, team, name=name, phone=names.phone(rng), site_id=site_id, by=by, now=now
        )
        plan_duty(
            session,
            contact,
            place,
            [Span(now, now + LONGEST)],
            site_id=site_id,
            by=by,
            now=now,
        )
