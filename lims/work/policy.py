"""Change what a laboratory has chosen for itself; who, when, why, and from what is kept."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.policy import BOUNDS, NOT_ABOVE, Setting
from lims.domain.refusals import InvalidBody, PolicyChanged
from lims.tables import PolicyChange, Site
from lims.work.audit import record
from lims.work.unflagged import release_unflagged

_TOO_LONG: Final = 500
_BETWEEN: Final = {
    (0, 1): {"pointer": "#/became", "detail": "on or off"},
    (2, 100): {"pointer": "#/became", "detail": "a number from 2 to 100"},
    (1, 48): {"pointer": "#/became", "detail": "whole hours, 1 to 48"},
    (1, 96): {"pointer": "#/became", "detail": "whole hours, 1 to 96"},
    (0, 60): {"pointer": "#/became", "detail": "a number from 0 to 60"},
    (20, 999): {"pointer": "#/became", "detail": "a number from 20 to 999"},
    (1, 60): {"pointer": "#/became", "detail": "whole days, 1 to 60"},
    (1, 90): {"pointer": "#/became", "detail": "whole days, 1 to 90"},
    (1, 99): {"pointer": "#/became", "detail": "a number from 1 to 99"},
    (20, 45): {"pointer": "#/became", "detail": "a Ct from 20 to 45"},
    (1, 365): {"pointer": "#/became", "detail": "whole days, 1 to 365"},
    (1, 1440): {"pointer": "#/became", "detail": "minutes, from 1 to 1,440"},
}
_UNNAMED: Final = {"pointer": "#/became", "detail": "confirming comes after naming"}
_OUT_OF_ORDER: Final = {
    "pointer": "#/became",
    "detail": "first the roster, then the province, then the voice list: none sooner than the one"
    " before it",
}


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
    _refuse_crossing(site, setting, wanted)
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
        faults.append(_BETWEEN[least, most])
    if not 3 <= len(reason.strip()) <= _TOO_LONG:
        faults.append({"pointer": "#/reason", "detail": "why, in 3 to 500 characters"})
    return faults


def _refuse_crossing(site: Site, setting: Setting, wanted: int) -> None:
    """Raises InvalidBody where a later step would come before a sooner one."""
    for sooner, later in NOT_ABOVE.items():
        if setting not in {sooner, later}:
            continue
        other = int(getattr(site, later if setting is sooner else sooner))
        if (wanted > other) if setting is sooner else (wanted < other):
            raise InvalidBody(
                errors=[_OUT_OF_ORDER if setting.is_minutes else _UNNAMED],
                where=str(setting),
                came=str(wanted),
            )
