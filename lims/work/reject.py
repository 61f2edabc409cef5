"""Reject a tube: broken, leaking, unlabelled. Its people are not forgotten (S7)."""

from datetime import datetime

from sqlalchemy.orm import Session

from lims.domain.lifecycle import TUBE_MOVES, TubeState, move
from lims.domain.refusals import InvalidBody
from lims.tables import Tube
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.settle import settle
from lims.work.tubes import scanned


def reject(session: Session, scan: str, reason: str, *, by: str, now: datetime) -> Tube:
    """Reject a scanned tube with a reason; rejecting it again with the same reason is a replay.

    Outside a pool its people are to be swabbed again at once; inside one, the
    pool may still clear them. Raises InvalidBody without a reason, IllegalMove
    when the tube is past rejecting.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidBody(
            errors=[{"pointer": "#/reason", "detail": "why the tube cannot be tested"}],
            where="reason",
            came="nothing",
        )
    tube = scanned(session, scan, lock=False)
    lock_components(session, [tube.id])  # whole at once: one tube first could deadlock a result
    session.refresh(tube)
    if tube.state == TubeState.REJECTED and tube.reject_reason == reason:
        return tube
    move(TUBE_MOVES, TubeState(tube.state), TubeState.REJECTED, what=f"tube {tube.barcode}")
    tube.state = TubeState.REJECTED
    tube.rejected_at = now
    tube.reject_reason = reason
    record(
        session,
        site_id=tube.site_id,
        actor=by,
        verb="reject",
        subject=tube.barcode,
        now=now,
        reason=reason,
    )
    session.flush()
    settle(session, [tube.id], site_id=tube.site_id, now=now)
    return tube
