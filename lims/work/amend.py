"""Correct a result by a reviewer's own reading, with a reason (HL7 table 0085, status C)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.interpretation import lowest_ct, rule_in_force
from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import Outcome
from lims.domain.refusals import IllegalMove, InvalidBody, NotFound
from lims.tables import Measurement, Result, Tube
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.matched import stored_readings
from lims.work.measurements import given_reason
from lims.work.settle import settle

READ_BY_A_REVIEWER: Final = "reviewer/1"
"""The rule that a corrected result names: a person read the same measurement."""

_AMPLIFIED: Final = frozenset({Outcome.DETECTED, Outcome.INCONCLUSIVE})


@dataclass(frozen=True, slots=True)
class Amended:
    """The result that now stands in place of the other."""

    result_id: UUID
    barcode: str
    was: str
    outcome: str
    replayed: bool


def amend_result(
    session: Session,
    result_id: UUID,
    outcome: Outcome,
    reason: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Amended:
    """Let another word stand for the measurement; the old one is superseded and stays readable.

    Everything follows as from any evidence: a positive waits for its final word
    again, a case is withdrawn or taken up again, everyone told hears it. The
    same correction again changes nothing. Raises NotFound; InvalidBody (no
    reason, the same word); IllegalMove for a result that is superseded, or held with its run.
    """
    said = given_reason(reason)
    old, tube = _locked_result(session, result_id, site_id)
    earlier = _same_before(session, old, outcome, said)
    if earlier is not None:
        return Amended(earlier.id, tube.barcode, old.outcome, earlier.outcome, replayed=True)
    _refuse_unfit(old, outcome, tube)
    new = _supersede(session, old, outcome, said, tube, now=now)
    _record_amended(session, old, new, tube, by=by, now=now)
    settle(session, [tube.id], site_id=site_id, now=now, signed=by)
    return Amended(new.id, tube.barcode, old.outcome, str(outcome), replayed=False)


def _locked_result(session: Session, result_id: UUID, site_id: UUID) -> tuple[Result, Tube]:
    """The result and its tube; nobody else concludes about the tube until we are done."""
    tube_id = session.scalar(
        select(Result.tube_id).where(Result.id == result_id, Result.site_id == site_id)
    )
    if tube_id is None:
        raise NotFound(came=str(result_id), where="result_id")
    lock_components(session, [tube_id])
    result = session.get_one(Result, result_id, populate_existing=True, with_for_update=True)
    return result, session.get_one(Tube, tube_id)


def _supersede(
    session: Session, old: Result, outcome: Outcome, said: str, tube: Tube, *, now: datetime
) -> Result:
    """The reviewer's word in the old one's place: one result of a test is current."""
    old.current = False
    session.flush()
    new = Result(
        id=uuid7(),
        site_id=old.site_id,
        order_id=old.order_id,
        tube_id=old.tube_id,
        run_id=old.run_id,
        measurement_id=old.measurement_id,
        outcome=outcome,
        ct_cycles=_ct_of(session, old, tube) if outcome in _AMPLIFIED else None,
        rule=READ_BY_A_REVIEWER,
        why=said,
        status=ResultStatus.CORRECTED,
        supersedes_id=old.id,
        created_at=now,
    )
    session.add(new)
    return new


def _record_amended(
    session: Session, old: Result, new: Result, tube: Tube, *, by: str, now: datetime
) -> None:
    record(
        session,
        site_id=old.site_id,
        actor=by,
        verb="amend_result",
        subject=tube.barcode,
        now=now,
        result_id=str(new.id),
        was=old.outcome,
        outcome=str(new.outcome),
        reason=new.why,
    )
    session.flush()


def _ct_of(session: Session, old: Result, tube: Tube) -> float | None:
    """The lowest Ct of a target in the measurement itself, whatever was said of it since."""
    targets = session.get_one(Measurement, old.measurement_id).targets
    return lowest_ct(rule_in_force(tube.assay_code), stored_readings(targets))


def _same_before(session: Session, old: Result, outcome: Outcome, said: str) -> Result | None:
    """The correction that this very form has made already."""
    if old.current:
        return None
    return session.scalars(
        select(Result).where(
            Result.supersedes_id == old.id,
            Result.rule == READ_BY_A_REVIEWER,
            Result.outcome == outcome,
            Result.why == said,
        )
    ).one_or_none()


def _refuse_unfit(old: Result, outcome: Outcome, tube: Tube) -> None:
    if not old.current or old.held:
        raise IllegalMove(
            source="held with its run" if old.held else "superseded",
            target="corrected",
            allowed=[],
            where=f"tube {tube.barcode}",
        )
    if old.outcome == outcome:
        raise InvalidBody(
            errors=[{"pointer": "#/outcome", "detail": "another word than the one that stands"}],
            where="outcome",
            came=str(outcome),
        )
