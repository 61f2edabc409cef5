"""Set aside a measurement that nobody can use: a stray, or a correction that is refused."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.lifecycle import STANDING_MOVES, Standing, move
from lims.domain.refusals import IllegalMove
from lims.tables import Measurement
from lims.work.audit import record
from lims.work.measurements import given_reason, locked_measurement

_MAY_BE_DISMISSED = frozenset({Standing.UNMATCHED, Standing.CORRECTION})


def dismiss(
    session: Session, measurement_id: UUID, reason: str, *, by: str, now: datetime
) -> Measurement:
    """Dismiss with a reason; the values stay. The same word again changes nothing.

    Raises NotFound, InvalidBody (no reason), and IllegalMove for a measurement
    that a result rests on: that takes a correction, or the run's invalidation.
    """
    said = given_reason(reason)
    measurement = locked_measurement(session, measurement_id).measurement
    standing = Standing(measurement.standing)
    if standing is Standing.DISMISSED and measurement.why == said:
        return measurement
    if standing not in _MAY_BE_DISMISSED:
        raise IllegalMove(
            source=standing,
            target=Standing.DISMISSED,
            allowed=sorted(STANDING_MOVES[standing] - {Standing.DISMISSED}),
            where=f"measurement {measurement.id}",
        )
    measurement.standing = move(
        STANDING_MOVES, standing, Standing.DISMISSED, what=f"measurement {measurement.id}"
    )
    measurement.why = said
    record(
        session,
        site_id=measurement.site_id,
        actor=by,
        verb="dismiss_measurement",
        subject=str(measurement.id),
        now=now,
        was=str(standing),
        said=measurement.specimen_text,
        reason=said,
    )
    session.flush()
    return measurement
