"""Receive a whole rack: a thousand scans in a handful of statements, each with its own outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.lifecycle import TUBE_MOVES, TubeKind, TubeState, move
from lims.domain.pooling.evidence import USUAL_PRIORITY
from lims.domain.refusals import Misread, Refusal, UnknownBarcode
from lims.work.receive import NextStep, Received
from lims.work.tubes import likeliest


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """One scan: its receipt, or why the tube was not received."""

    scan: str
    receipt: Received | None
    refusal: Refusal | None = None


def receive_rack(
    session: Session, scans: Sequence[str], *, site_id: UUID, by: str, now: datetime
) -> list[ScanOutcome]:
    """Receive every scan that may be received; the same rule as ``receive``, set-based.

    Scan order is kept. A tube scanned twice in one rack is a replay the second time.
    """
    parsed = [_parsed(session, scan) for scan in scans]
    tubes = _lock(session, [b for b in parsed if isinstance(b, str)])
    fresh: dict[str, Row[Any]] = {}
    outcomes: list[ScanOutcome] = []
    for scan, barcode in zip(scans, parsed, strict=True):
        try:
            if isinstance(barcode, Refusal):
                raise barcode
            tube = _known(tubes, barcode)
            replayed = tube.state == TubeState.RECEIVED or barcode in fresh
            if not replayed:
                state = TubeState(tube.state)
                move(TUBE_MOVES, state, TubeState.RECEIVED, what=f"tube {barcode}")
                fresh[barcode] = tube
            outcomes.append(ScanOutcome(scan, _receipt(tube, now, replayed=replayed)))
        except Refusal as refusal:
            outcomes.append(ScanOutcome(scan, None, refusal))
    if fresh:
        _write(session, list(fresh.values()), site_id=site_id, by=by, now=now)
    return outcomes


def _parsed(session: Session, scan: str) -> str | Refusal:
    try:
        return barcodes.parse(scan)
    except Misread as misread:
        return likeliest(session, misread)
    except Refusal as refusal:
        return refusal


def _lock(session: Session, wanted: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = session.execute(
        text("""
SELECT t.id, t.barcode, t.kind, t.state, t.assay_code, t.created_at, t.received_at,
       coalesce(c.pool_size, 1) AS pool_size,
       EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id) AS ordered
FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id
WHERE t.barcode = ANY(:wanted) ORDER BY t.id FOR UPDATE OF t
"""),
        {"wanted": list(wanted)},
    )
    return {row.barcode: row for row in rows}


def _known(tubes: Mapping[str, Row[Any]], barcode: str) -> Row[Any]:
    if barcode not in tubes:
        raise UnknownBarcode(came=barcodes.shown(barcode), where="barcode")
    return tubes[barcode]


def _awaits_pool(tube: Row[Any]) -> bool:
    return bool(tube.kind == TubeKind.INDIVIDUAL and tube.pool_size > 1 and not tube.ordered)


def _receipt(tube: Row[Any], now: datetime, *, replayed: bool) -> Received:
    return Received(
        tube_id=tube.id,
        barcode=tube.barcode,
        kind=TubeKind(tube.kind),
        next_step=NextStep.POOL if _awaits_pool(tube) else NextStep.RUN,
        received_at=tube.received_at or now,
        replayed=replayed,
    )


def _write(
    session: Session, tubes: Sequence[Row[Any]], *, site_id: UUID, by: str, now: datetime
) -> None:
    first_tests = [t.id for t in tubes if not _awaits_pool(t) and not t.ordered]
    session.execute(
        text("""
WITH came AS (
    UPDATE tube SET state = 'received', received_at = :now, received_by = :by
    WHERE id = ANY(:tubes) RETURNING id, barcode, assay_code
), wanted AS (
    INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state,
                            created_at)
    SELECT g.id, :site, came.id, assay_code, 1, :priority, 'primary', 'queued', :now
    FROM unnest(cast(:orders AS uuid[]), cast(:first_tests AS uuid[])) g(id, tube)
    JOIN came ON came.id = g.tube
)
INSERT INTO audit_event (id, site_id, at, actor, verb, subject, detail)
SELECT mint_uuid7(:now), :site, :now, :by, 'receive', barcode, '{}' FROM came
"""),
        {
            "tubes": [t.id for t in tubes],
            "orders": [uuid7() for _ in first_tests],  # in scan order, as the plate is filled
            "first_tests": first_tests,
            "site": site_id,
            "priority": USUAL_PRIORITY,
            "by": by,
            "now": now,
        },
    )
