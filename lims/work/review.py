"""A reviewer's word on a person or a pool: the final positive, the discordance that is closed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState, OrderReason, OrderState, ResultStatus
from lims.domain.outcomes import FindingOutcome, NoticeKind, Outcome
from lims.domain.pooling.conclude import DISCORDANCE_CLOSED, conclude
from lims.domain.pooling.evidence import AlertKind
from lims.domain.refusals import IllegalMove, NotFound
from lims.tables import Finding, ReviewDecision
from lims.work.audit import record
from lims.work.cases import change_case, live_case
from lims.work.evidence import Known, lock_components, read_known
from lims.work.measurements import given_reason
from lims.work.settle import POLICY, settle
from lims.work.tell import owe_case_news
from lims.work.tubes import scanned

_TOLD = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})


@dataclass(frozen=True, slots=True)
class Released:
    """A positive as it stands after release."""

    finding_id: UUID
    person_id: UUID
    status: ResultStatus
    case_id: UUID | None
    replayed: bool


def release_positive(session: Session, finding_id: UUID, *, by: str, now: datetime) -> Released:
    """Say the final word on a positive: the case is confirmed and everyone told hears it.

    Releasing it again changes nothing. Raises NotFound, and IllegalMove for a
    finding that is superseded or not a positive.
    """
    finding = _locked_finding(session, finding_id)
    case = live_case(session, finding.person_id)
    case_id = case.id if case else None
    if finding.status in _TOLD:
        status = ResultStatus(finding.status)
        return Released(finding.id, finding.person_id, status, case_id, replayed=True)
    finding.status = _final_status(session, finding)
    finding.released_at = now
    finding.released_by = by
    session.execute(
        text("UPDATE result SET status = 'F' WHERE id = ANY(:ids) AND status = 'P'"),
        {"ids": list(finding.evidence)},
    )
    record(
        session,
        site_id=finding.site_id,
        actor=by,
        verb="release_positive",
        subject=str(finding.id),
        now=now,
        status=finding.status,
    )
    session.flush()
    if case is not None and case.state == CaseState.PRESUMPTIVE:
        news = change_case(session, case, CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED, now=now)
        owe_case_news(session, [news], site_id=finding.site_id, now=now)
    status = ResultStatus(finding.status)
    return Released(finding.id, finding.person_id, status, case_id, replayed=False)


def close_discordance(
    session: Session, scan: str, reason: str, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Close a disagreement between a tube and what is in it; its last word stands (S4).

    Closing it again changes nothing. Raises the refusals of ``scanned``,
    InvalidBody (no reason), IllegalMove when the tube is not discordant or a
    repeat that could settle it still waits.
    """
    said = given_reason(reason)
    tube = scanned(session, scan, lock=False)
    known = read_known(session, lock_components(session, [tube.id]))
    if any(d.tube_id == tube.id and d.kind == DISCORDANCE_CLOSED for d in known.decisions):
        return
    _refuse_unless_discordant(known, tube.id, tube.barcode)
    session.add(
        ReviewDecision(
            id=uuid7(),
            site_id=site_id,
            tube_id=tube.id,
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


def _locked_finding(session: Session, finding_id: UUID) -> Finding:
    """Lock what is known of the specimen, then read the finding: its evidence cannot change."""
    specimen = session.execute(
        select(Finding.specimen_id).where(Finding.id == finding_id)
    ).scalar_one_or_none()
    if specimen is None:
        raise NotFound(came=str(finding_id), where="finding_id")
    tubes = session.execute(
        text("SELECT tube_id FROM tube_specimen WHERE specimen_id = :id"), {"id": specimen}
    )
    lock_components(session, list(tubes.scalars()))
    finding = session.get_one(Finding, finding_id, populate_existing=True, with_for_update=True)
    if not finding.current or finding.outcome != FindingOutcome.POSITIVE:
        raise IllegalMove(
            source=finding.outcome if finding.current else "superseded",
            target="released",
            allowed=[FindingOutcome.POSITIVE],
            where=f"finding {finding_id}",
        )
    return finding


def _final_status(session: Session, finding: Finding) -> ResultStatus:
    """A word that replaces another final one is a correction (HL7 table 0085)."""
    told = session.execute(
        text(
            "SELECT 1 FROM finding WHERE specimen_id = :specimen AND status IN ('F', 'C') LIMIT 1"
        ),
        {"specimen": finding.specimen_id},
    ).first()
    return ResultStatus.CORRECTED if told else ResultStatus.FINAL


def _refuse_unless_discordant(known: Known, tube_id: UUID, barcode: str) -> None:
    conclusion = conclude(known.composition, known.evidence, known.orders, known.decisions, POLICY)
    disputed = {a.tube_id for a in conclusion.alerts if a.kind is AlertKind.DISCORDANT}
    tube = known.composition.tubes[tube_id]
    own = {conclusion.findings[s].outcome for s in tube.specimens if s in conclusion.findings}
    alone = not tube.sources and own == {FindingOutcome.DISCORDANT}
    if tube_id not in disputed and not (alone and _once_detected(known, tube_id)):
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


def _once_detected(known: Known, tube_id: UUID) -> bool:
    return any(e.tube_id == tube_id and e.outcome is Outcome.DETECTED for e in known.evidence)
