"""Change what a laboratory has chosen for itself; who, when, why, and from what is kept."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.policy import BOUNDS, Setting
from lims.domain.refusals import InvalidBody, PolicyChanged
from lims.tables import PolicyChange, Site
from lims.work.audit import record
from lims.work.unflagged import release_unflagged

_TOO_LONG: Final = 500


def change_policy(
    session: Session,
    setting: Setting,
    wanted: int,
    *,
    shown: int,
    reason: str,
    site_id: UUID,
    by: str,
    now: datetime,
) -> bool:
    """Set one choice; False when it already is so. ``shown`` is what whoever decides had seen.

    Holding results for identity conflicts no longer, what waited only for that is
    released. Raises InvalidBody, and PolicyChanged when somebody was faster.
    """
    faults = _faults(setting, wanted, reason)
    if faults:
        raise InvalidBody(errors=faults, where=str(setting), came=str(wanted))
    site = session.scalars(
        select(Site)
        .where(Site.id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    stands = int(getattr(site, setting))
    if stands == wanted:
        return False
    if stands != shown:
        raise PolicyChanged(where=str(setting), came=str(stands))
    setattr(site, setting, bool(wanted) if setting.is_switch else wanted)
    session.add(
        PolicyChange(
            id=uuid7(),
            site_id=site_id,
            setting=setting,
            was=stands,
            became=wanted,
            reason=reason.strip(),
            changed_at=now,
            changed_by=by,
        )
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="change_policy",
        subject=str(setting),
        now=now,
        was=stands,
        became=wanted,
        reason=reason.strip(),
    )
    session.flush()
    if setting is Setting.IDENTITY_HOLDS and not wanted:
        release_unflagged(session, site_id=site_id, now=now)
    return True


def _faults(setting: Setting, wanted: int, reason: str) -> list[dict[str, str]]:
    least, most = BOUNDS[setting]
    faults = []
    if not least <= wanted <= most:
        faults.append({"pointer": "#/became", "detail": "a number from 2 to 100"})
    if not 3 <= len(reason.strip()) <= _TOO_LONG:
        faults.append({"pointer": "#/reason", "detail": "why, in 3 to 500 characters"})
    return faults
