"""Whose word may stand for a Ct: a closed system's, where its gateway reads it by the very driver
that the analyser is set up with here.

Which driver read a message is the gateway's claim. An analyser that the laboratory set up as an
open cycler, or by a profile of its own that happens to be named like a closed system, gets no more
trust for it: its numbers count as ever, and what rests on the word alone waits for a reviewer, who
may attach it when the analyser was set right.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.called import judges_by_itself
from lims.domain.interpretation import rule_in_force
from lims.domain.lifecycle import Standing
from lims.domain.refusals import DriverDiffers
from lims.domain.well_reading import interpret
from lims.tables import Measurement
from lims.work.matched import Matched

_COUNTS: Final = frozenset({Standing.MATCHED, Standing.CONTROL, Standing.HELD, Standing.CORRECTION})


def may_judge(told: str, set_up: str) -> bool:
    """Whether the word of a machine that its gateway reads by the driver ``told`` may."""
    return told == set_up and judges_by_itself(told)


def kept_back(one: Matched, *, told: str, set_up: str) -> Matched:
    """Unmatched, with why, when it would be another outcome if the word were believed."""
    if told == set_up or not judges_by_itself(told) or one.standing not in _COUNTS:
        return one
    if one.assay is None or one.strip_id is not None:
        return one
    rule = rule_in_force(one.assay)
    believed, counted = (
        interpret(rule, one.readings, error=one.error, own=replace(one.own, closed=closed))
        for closed in (True, False)
    )
    if believed.outcome is counted.outcome:
        return one
    why = f"the gateway reads it as {told}, but it is set up here as {set_up}"
    own = replace(one.own, closed=True)  # as it claims; nothing reads it while it is unmatched
    return replace(one, standing=Standing.UNMATCHED, order_id=None, own=own, why=why)


def refuse_unbelieved(session: Session, measurement: Measurement) -> None:
    """Before a reviewer gives it to a tube. Raises DriverDiffers."""
    if not measurement.closed_system:
        return
    drivers = session.execute(_DRIVERS, {"id": measurement.id}).one()
    if not may_judge(drivers.told, drivers.set_up):
        raise DriverDiffers(came=f"{drivers.told} beside {drivers.set_up}", where="measurement")


_DRIVERS = text("""
SELECT r.driver AS told, i.driver AS set_up
FROM measurement m JOIN raw_message r ON r.id = m.message_id
JOIN instrument i ON i.id = m.instrument_id WHERE m.id = :id
""")
