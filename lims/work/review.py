"""A reviewer's word on a person or a pool: the final positive, the discordance that is closed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import OrderReason, OrderState, ResultStatus
from lims.domain.outcomes import FindingOutcome, Outcome
from lims.domain.pooling.conclude import DISCORDANCE_CLOSED
from lims.domain.pooling.evidence import AlertKind
from lims.domain.refusals import IdentityConflict, IllegalMove, NotFound, SameReviewer
from lims.domain.signing import Asked, Came
from lims.domain.verification import SIGNABLE
from lims.tables import Finding, ReviewDecision
from lims.work.audit import record
from lims.work.evidence import Known, lock_components, read_known
from lims.work.live_cases import live_case
from lims.work.measurements import given_reason
from lims.work.release import release
from lims.work.settle import settle
from lims.work.tubes import scanned


@dataclass(frozen=True, slots=True)
class Released:
    """A finding after the act: still preliminary while it waits for a second reviewer."""

    finding_id: UUID
    person_id: UUID
    status: ResultStatus
    case_id: UUID | None
    signed_by: str | None
    released_by: str | None
    replayed: bool


def release_positive(
    session: Session, finding_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> Released:
    """Say the word on one finding, as `release` does for many; what it leaves alone is refused.

    Releasing it again changes nothing. Raises NotFound; SameReviewer; IdentityConflict;
    IllegalMove for a finding that is superseded or waits for another test.
    """
    (signed,) = release(session, [Asked(finding_id)], site_id=site_id, by=by, now=now)
    match signed.came:
        case Came.UNKNOWN:
            raise NotFound(came=str(finding_id), where="finding_id")
        case Came.SAME_PERSON:
            raise SameReviewer(where=f"finding {finding_id}")
        case Came.IDENTITY:
            raise IdentityConflict(
                where=f"finding {finding_id}",
                todo="decide whose the number is, then release",
            )
        case Came.CHANGED | Came.NOT_SIGNABLE:
            raise IllegalMove(
                source="superseded" if signed.came is Came.CHANGED else str(signed.outcome),
                target="released",
                allowed=sorted(SIGNABLE),
                where=f"finding {finding_id}",
            )
    return _receipt(session, finding_id, replayed=signed.came is Came.ALREADY)


def _receipt(session: Session, finding_id: UUID, *, replayed: bool) -> Released:
    finding = session.get_one(Finding, finding_id)
    case = live_case(session, finding.person_id)
    return Released(
        finding_id=finding.id,
        person_id=finding.person_id,
        status=ResultStatus(finding.status),
        case_id=case.id if case else None,
        signed_by=finding.signed_by,
        released_by=finding.released_by,
        replayed=replayed,
    )


def close_discordance(
    session: Session, scan: str, reason: str, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Close a disagreement between a tube and what is in it; its last word stands (S4).

    A pool is closed with those of its sub-pools that disagree: the bench sees one matter in them.
    Closing it again changes nothing. Raises the refusals of ``scanned``,
    InvalidBody (no reason), IllegalMove when the tube is not discordant or a
    repeat that could settle it still waits.
    """
    said = given_reason(reason)
    tube = scanned(session, scan, lock=False)
    known = read_known(session, lock_components(session, [tube.id]))
    if any(d.tube_id == tube.id and d.kind == DISCORDANCE_CLOSED for d in known.decisions):
        return
    for disputed in _disputed_of(known, tube.id, tube.barcode):
        session.add(
            ReviewDecision(
                id=uuid7(),
                site_id=site_id,
                tube_id=disputed,
                kind=DISCORDANCE_CLOSED,
                reason=said,
                decided_by=by,
                decided_at=now,
            )
        )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="close_discordance",
        subject=tube.barcode,
        now=now,
        reason=said,
    )
    session.flush()
    settle(session, [tube.id], site_id=site_id, now=now, signed=by)


def _disputed_of(known: Known, tube_id: UUID, barcode: str) -> list[UUID]:
    """This tube, and the sub-pools of it that disagree. Raises IllegalMove when nothing does, or
    while a repeat that could settle it waits."""
    conclusion = known.conclude()
    disputed = {a.tube_id for a in conclusion.alerts if a.kind is AlertKind.DISCORDANT}
    tube = known.composition.tubes[tube_id]
    own = {conclusion.findings[s].outcome for s in tube.specimens if s in conclusion.findings}
    parts = [p.id for p in known.composition.sub_pools(tube_id) if p.id in disputed]
    alone = not tube.sources and own == {FindingOutcome.DISCORDANT}
    if tube_id not in disputed and not parts and not (alone and _once_detected(known, tube_id)):
        raise IllegalMove(
            source="not discordant", target="closed", allowed=[], where=f"tube {barcode}"
        )
    open_repeats = [
        o
        for o in known.orders
        if o.why is OrderReason.DISCORDANT
        and o.state in {OrderState.QUEUED, OrderState.PLATED}
        and known.composition.tubes[o.tube_id].specimens <= tube.specimens
    ]
    if open_repeats:
        raise IllegalMove(
            source="repeat waiting",
            target="closed",
            allowed=["measured", "rejected"],
            where=f"tube {barcode}",
        )
    return [tube_id, *parts]


def _once_detected(known: Known, tube_id: UUID) -> bool:
    return any(e.tube_id == tube_id and e.outcome is Outcome.DETECTED for e in known.evidence)
