"""Note what somebody sees on one strip of a roster, before anybody confirms it (S19)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import refuse_outside_window
from lims.domain.refusals import NotFound
from lims.domain.roster_line import Marked, Sign
from lims.work.kits import lot_of
from lims.work.roster import locked


def mark_strip(
    session: Session, roster_id: UUID, marked: Marked, *, site_id: UUID, now: datetime
) -> None:
    """Note what somebody sees on one strip; nothing is kept of the person before it is confirmed.

    Raises NotFound when that number has no running strip, OutsideReadWindow.
    """
    roster = locked(session, roster_id, site_id=site_id)
    about = {"roster": roster.id, "position": marked.position}
    strip = session.execute(_RUNNING, about).one_or_none()
    if strip is None:
        raise NotFound(
            expected="a number whose strip is waiting to be read",
            came=str(marked.position),
            where="position",
            todo="look at the number on the grid; start a strip for it first",
        )
    lot = lot_of(session, strip.kit_lot_id, site_id=site_id)
    refuse_outside_window(strip.started_at, now, lot.window)
    session.execute(
        _MARK,
        {
            "strip": strip.id,
            "mark": _MARKS.get(marked.sign),
            "exposure": str(marked.exposure) if marked.exposure else None,
            "suspect": marked.suspect,
        },
    )


_MARKS: Final[Mapping[Sign, str]] = {Sign.POSITIVE: "positive", Sign.INVALID: "invalid"}

_RUNNING = text("""
SELECT s.id, t.started_at, t.kit_lot_id FROM strip s
JOIN roster_member m ON m.id = s.member_id JOIN strip_timer t ON t.id = s.timer_id
WHERE m.roster_id = :roster AND m.position = :position AND s.state = 'running'
""")

_MARK = text("""
UPDATE strip SET mark = :mark, exposure = coalesce(cast(:exposure AS text), exposure),
                 suspect = suspect OR :suspect
WHERE id = :strip
""")
