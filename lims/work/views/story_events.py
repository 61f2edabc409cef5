"""What happened to a tube, event by event, from the rows that each step left."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import OrderState
from lims.work.matched import ShownTarget, other_word, shown_target
from lims.work.views.remarks import NONE, Remarks, remarks


class Happened(StrEnum):
    """The kinds of steps, in the order they usually come."""

    REGISTERED = "registered"
    RECEIVED = "received"
    REJECTED = "rejected"
    MADE = "made"
    DRAWN = "drawn"
    ORDERED = "ordered"
    CANCELLED = "cancelled"
    PLATED = "plated"
    VOID = "void"
    RESULT = "result"
    FINDING = "finding"
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    RELEASED = "released"
    RECOLLECT = "recollect"
    DECIDED = "decided"
    CASE = "case"
    CLAIMED = "claimed"
    TOLD = "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step. Only what it needs is filled; `open` while a test has no answer yet.

    `readings`: name, Ct in cycles, the analyser's word; `call`: its word for the whole test.
    """

    at: datetime
    what: Happened
    by: str | None = None
    barcode: str | None = None
    own: bool = True
    plate: str | None = None
    well: str | None = None
    outcome: str | None = None
    ct_cycles: float | None = None
    why: str | None = None
    rule: str | None = None
    state: str | None = None
    status: str | None = None
    round: int | None = None
    priority: int | None = None
    many: int | None = None
    current: bool = True
    held: bool = False
    corrects: bool = False
    result_id: UUID | None = None
    holds: tuple[str, ...] = ()
    released_by: str | None = None
    readings: tuple[ShownTarget, ...] = ()
    call: str | None = None
    instrument: str | None = None
    remarks: Remarks = NONE
    open: bool = False
    case_id: UUID | None = None
    team: str | None = None


def events(session: Session, tube_id: UUID) -> tuple[Event, ...]:
    """Every step of the tube, and the answers of the pool it was drawn into; oldest first."""
    about = {"tube": tube_id}
    found = [
        *_plastic(session, about),
        *_orders(session, about),
        *_results(session, about),
        *_findings(session, about),
        *_signatures(session, about),
        *_decisions(session, about),
        *_cases(session, about),
    ]
    order = list(Happened)
    return tuple(sorted(found, key=lambda event: (event.at, order.index(event.what))))


_PLASTIC = text("""
SELECT 'registered' AS what, t.created_at AS at, t.created_by AS by, NULL AS barcode,
       NULL AS why, (SELECT count(*) FROM tube_specimen WHERE tube_id = t.id) AS many
FROM tube t WHERE t.id = :tube AND t.kind <> 'lab_pool'
UNION ALL
SELECT 'made', t.created_at, t.created_by, NULL, NULL,
       (SELECT count(*) FROM tube_source WHERE pool_id = t.id)
       + (SELECT count(*) FROM sub_pool p JOIN sub_pool_source s ON s.sub_pool_id = p.id
          WHERE p.tube_id = t.id)
FROM tube t WHERE t.id = :tube AND t.kind = 'lab_pool'
UNION ALL
SELECT 'received', t.received_at, t.received_by, NULL, NULL, NULL
FROM tube t WHERE t.id = :tube AND t.received_at IS NOT NULL AND t.kind <> 'lab_pool'
UNION ALL
SELECT 'rejected', t.rejected_at, (
    SELECT a.actor FROM audit_event a WHERE a.subject = t.barcode AND a.verb = 'reject'
    ORDER BY a.at DESC LIMIT 1), NULL, t.reject_reason, NULL
FROM tube t WHERE t.id = :tube AND t.rejected_at IS NOT NULL
UNION ALL
SELECT 'drawn', s.drawn_at, p.created_by, p.barcode, NULL, s.position
FROM tube_source s JOIN tube p ON p.id = s.pool_id WHERE s.source_id = :tube
UNION ALL
SELECT 'drawn', t.created_at, t.created_by, t.barcode, NULL, s.place
FROM sub_pool_source s JOIN sub_pool p ON p.id = s.sub_pool_id JOIN tube t ON t.id = p.tube_id
WHERE s.source_id = :tube
""")

_ORDERS = text("""
SELECT o.created_at, o.closed_at, o.state, o.why, o.because, o.round, o.priority,
       r.plate, r.created_at AS plated_at, r.created_by AS plated_by, w.position
FROM test_order o
LEFT JOIN well w ON w.order_id = o.id LEFT JOIN run r ON r.id = w.run_id
WHERE o.tube_id = :tube
""")

_RESULTS = text("""
SELECT res.created_at AS at, res.outcome, res.ct_cycles, res.why, res.rule, res.current, res.held,
       res.status, run.plate, m.well, m.targets, m.call, m.flags,
       m.measured_text, rm.captured_at, rm.clock_ahead_s, i.name AS instrument, t.barcode,
       t.id = :tube AS own, res.id AS result_id, res.supersedes_id IS NOT NULL AS corrects,
       (SELECT a.actor FROM audit_event a
        WHERE a.subject = t.barcode AND (
            a.verb = 'amend_result' AND a.detail ->> 'result_id' = res.id::text
            OR a.verb IN ('accept_correction', 'attach') AND res.rule <> 'reviewer/1'
               AND a.detail ->> 'measurement_id' = m.id::text)
        ORDER BY a.at LIMIT 1) AS by
FROM result res
JOIN tube t ON t.id = res.tube_id
JOIN measurement m ON m.id = res.measurement_id
JOIN raw_message rm ON rm.id = m.message_id
JOIN instrument i ON i.id = m.instrument_id
LEFT JOIN run ON run.id = res.run_id
WHERE res.tube_id = :tube
   OR res.tube_id IN (
       SELECT pool_id FROM tube_source WHERE source_id = :tube
       UNION ALL SELECT p.tube_id FROM sub_pool_source s JOIN sub_pool p ON p.id = s.sub_pool_id
                 WHERE s.source_id = :tube AND p.tube_id IS NOT NULL)
""")

_FINDINGS = text("""
SELECT f.created_at, f.released_at, f.released_by, f.outcome, f.status, f.rule, f.ct_cycles,
       f.current, f.holds, count(*) AS many
FROM finding f
WHERE f.specimen_id IN (SELECT specimen_id FROM tube_specimen WHERE tube_id = :tube)
GROUP BY f.created_at, f.released_at, f.released_by, f.outcome, f.status, f.rule, f.ct_cycles,
         f.current, f.holds
""")

_SIGNATURES = text("""
SELECT CASE a.verb WHEN 'sign_finding' THEN 'signed' ELSE 'unsigned' END AS what, a.at,
       a.actor AS by, f.outcome, count(*) AS many
FROM finding f JOIN audit_event a ON a.subject = f.id::text
 AND a.verb IN ('sign_finding', 'withdraw_signature')
WHERE f.specimen_id IN (SELECT specimen_id FROM tube_specimen WHERE tube_id = :tube)
GROUP BY a.verb, a.at, a.actor, f.outcome
""")

_DECISIONS = text("""
SELECT 'decided' AS what, d.decided_at AS at, d.decided_by AS by, d.reason AS why, NULL AS state,
       NULL AS many
FROM review_decision d WHERE d.tube_id = :tube
UNION ALL
SELECT 'recollect', r.created_at, NULL, min(r.why), min(r.state), count(*) FROM recollection r
WHERE r.specimen_id IN (SELECT specimen_id FROM tube_specimen WHERE tube_id = :tube)
GROUP BY r.created_at
""")

_CASES = text("""
WITH its AS (
    SELECT c.* FROM f0_case c JOIN finding f ON f.id = c.finding_id
    WHERE f.specimen_id IN (SELECT specimen_id FROM tube_specimen WHERE tube_id = :tube)
)
SELECT 'case' AS what, its.opened_at AS at, NULL AS by, its.id AS case_id,
       coalesce(first.facts ->> 'state', unchanged.state) AS state,
       coalesce(first.facts ->> 'basis', unchanged.basis) AS why, NULL AS team,
       NULL::bigint AS many
FROM its
LEFT JOIN f0_case unchanged ON unchanged.id = its.id AND unchanged.changed_at = its.opened_at
LEFT JOIN LATERAL (
    SELECT n.facts FROM notice n WHERE n.case_id = its.id AND n.sequence = 1 LIMIT 1
) first ON true
UNION ALL
SELECT 'claimed', cl.claimed_at, cl.claimed_by, its.id, NULL, NULL, team.name, NULL
FROM its JOIN claim cl ON cl.case_id = its.id JOIN team ON team.id = cl.team_id
UNION ALL
SELECT 'told', min(coalesce(n.delivered_at, n.created_at)), NULL, its.id, n.state,
       n.facts ->> 'state', string_agg(DISTINCT team.name, ', '), n.sequence
FROM its JOIN notice n ON n.case_id = its.id
JOIN subscription sub ON sub.id = n.subscription_id JOIN team ON team.id = sub.team_id
GROUP BY its.id, n.sequence, n.facts ->> 'state', n.state
""")


def _plastic(session: Session, about: dict[str, UUID]) -> list[Event]:
    return [
        Event(
            at=row.at,
            what=Happened(row.what),
            by=row.by,
            barcode=row.barcode,
            why=row.why,
            many=row.many,
        )
        for row in session.execute(_PLASTIC, about)
    ]


def _orders(session: Session, about: dict[str, UUID]) -> list[Event]:
    found = []
    for row in session.execute(_ORDERS, about):
        state = OrderState(row.state)
        found.append(
            Event(
                at=row.created_at,
                what=Happened.ORDERED,
                why=row.because,
                state=row.why,
                round=row.round,
                priority=row.priority,
                open=state is OrderState.QUEUED,
            )
        )
        if row.plate:
            found.append(
                Event(
                    at=row.plated_at,
                    what=Happened.PLATED,
                    by=row.plated_by,
                    plate=row.plate,
                    well=row.position,
                    open=state is OrderState.PLATED,
                )
            )
        if row.closed_at and state in {OrderState.VOID, OrderState.CANCELLED}:
            what = Happened.VOID if state is OrderState.VOID else Happened.CANCELLED
            found.append(Event(at=row.closed_at, what=what, why=row.because, plate=row.plate))
    return found


def _results(session: Session, about: dict[str, UUID]) -> list[Event]:
    return [
        Event(
            at=row.at,
            what=Happened.RESULT,
            barcode=row.barcode,
            own=row.own,
            plate=row.plate,
            well=row.well,
            outcome=row.outcome,
            ct_cycles=row.ct_cycles,
            why=row.why,
            rule=row.rule,
            status=row.status,
            current=row.current,
            held=row.held,
            corrects=row.corrects,
            result_id=row.result_id,
            by=row.by,
            readings=tuple(shown_target(t) for t in row.targets),
            call=other_word(row.call, row.targets),
            instrument=row.instrument,
            remarks=remarks(row.flags, row.measured_text, row.captured_at, row.clock_ahead_s),
        )
        for row in session.execute(_RESULTS, about)
    ]


def _findings(session: Session, about: dict[str, UUID]) -> list[Event]:
    found = []
    for row in session.execute(_FINDINGS, about):
        machine = row.released_by == row.rule
        found.append(
            Event(
                at=row.created_at,
                what=Happened.FINDING,
                outcome=row.outcome,
                status=row.status,
                rule=row.rule,
                ct_cycles=row.ct_cycles,
                current=row.current,
                many=row.many,
                holds=tuple(row.holds),
                released_by=row.released_by,
            )
        )
        if row.released_at and not machine:
            found.append(
                Event(
                    at=row.released_at,
                    what=Happened.RELEASED,
                    by=row.released_by,
                    outcome=row.outcome,
                    status=row.status,
                    many=row.many,
                )
            )
    return found


def _signatures(session: Session, about: dict[str, UUID]) -> list[Event]:
    return [
        Event(at=row.at, what=Happened(row.what), by=row.by, outcome=row.outcome, many=row.many)
        for row in session.execute(_SIGNATURES, about)
    ]


def _decisions(session: Session, about: dict[str, UUID]) -> list[Event]:
    return [
        Event(
            at=row.at,
            what=Happened(row.what),
            by=row.by,
            why=row.why,
            state=row.state,
            many=row.many,
        )
        for row in session.execute(_DECISIONS, about)
    ]


def _cases(session: Session, about: dict[str, UUID]) -> list[Event]:
    return [
        Event(
            at=row.at,
            what=Happened(row.what),
            by=row.by,
            case_id=row.case_id,
            state=row.state,
            why=row.why,
            team=row.team,
            many=row.many,
        )
        for row in session.execute(_CASES, about)
    ]
