"""Receive a rack against its list: open it, scan what is in it, close it with what was missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.commands import command_of
from lims.domain.gs1 import looks_like_kit
from lims.domain.rack_list import RackRead
from lims.domain.rack_verdict import NOT_TAKEN, RackVerdict
from lims.domain.refusals import (
    DifferentBody,
    IllegalMove,
    InvalidBody,
    NotFound,
    RackClosed,
    Refusal,
    UnknownBarcode,
)
from lims.domain.registration import digest
from lims.tables import Rack
from lims.work.audit import record
from lims.work.once import one_at_a_time
from lims.work.receive import Received
from lims.work.receive_rack import receive_rack

MOST_LISTED = 2_000


@dataclass(frozen=True, slots=True)
class Consignment:
    """The tubes that one desk registered for one campaign in a span of time and that are out."""

    by: str
    campaign_id: UUID | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RackRequest:
    """A rack as it is handed over. Its list: what a desk registered, barcodes, or both or none."""

    rack_id: UUID
    sender: str
    consignment: Consignment | None = None
    barcodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RackScan:
    """One scan. ``receipt`` where the tube is received, now or before; ``again``: scanned twice."""

    barcode: str
    verdict: RackVerdict
    receipt: Received | None
    again: bool


@dataclass(frozen=True, slots=True)
class RackScanned:
    """Every scan in its order, and those that are no barcode of a tube."""

    scans: tuple[RackScan, ...]
    unreadable: tuple[tuple[RackRead, Refusal], ...]


def open_rack(
    session: Session, request: RackRequest, *, site_id: UUID, by: str, now: datetime
) -> tuple[Rack, bool]:
    """Open a rack with the list of what should be in it; whether it is a replay.

    The list is fixed here: a tube registered later for the same desk is not suddenly missing.
    Raises DifferentBody, InvalidBody (no sender, a scanned code for one, too long a list).
    """
    sender = _sender(request.sender)
    said = digest(request)
    one_at_a_time(session, request.rack_id)
    earlier = session.get(Rack, request.rack_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"another list under {request.rack_id}", where="rack_id")
        return earlier, True
    listed = _listed(session, request, site_id)
    rack = Rack(
        id=request.rack_id,
        site_id=site_id,
        sender=sender,
        created_at=now,
        created_by=by,
        body_digest=said,
    )
    session.add(rack)
    session.flush()
    session.execute(
        text(
            "INSERT INTO rack_tube (rack_id, barcode, tube_id, listed, missing)"
            " SELECT :rack, g.barcode, t.id, true, false"
            " FROM unnest(cast(:barcodes AS text[])) g(barcode)"
            " LEFT JOIN tube t ON t.barcode = g.barcode AND t.site_id = :site"
        ),
        {"rack": rack.id, "barcodes": listed, "site": site_id},
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="open_rack",
        subject=str(rack.id),
        now=now,
        sender=sender,
        listed=len(listed),
    )
    session.flush()
    return rack, False


def scan_rack(
    session: Session,
    rack_id: UUID,
    reads: Sequence[RackRead],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> RackScanned:
    """Receive what was scanned out of the rack, and say of each whether its list names it.

    A tube that no list names is received all the same, for it is here; it is shown as surplus.
    Scanning again changes nothing, but that a tube registered in between is now received.
    Raises NotFound (no such rack), RackClosed.
    """
    rack = _open(session, rack_id, site_id)
    outcomes = receive_rack(session, [read.text for read in reads], site_id=site_id, by=by, now=now)
    unreadable: list[tuple[RackRead, Refusal]] = []
    answers: dict[str, tuple[RackRead, Received | None, Refusal | None]] = {}
    for read, outcome in zip(reads, outcomes, strict=True):
        refusal = outcome.refusal
        if refusal is not None and not isinstance(refusal, UnknownBarcode | IllegalMove):
            unreadable.append((read, refusal))
        else:
            answers.setdefault(barcodes.normalise(read.text), (read, outcome.receipt, refusal))
    known = _known(session, rack, list(answers))
    scans = [
        _judged(barcode, receipt, refusal, known[barcode])
        for barcode, (_, receipt, refusal) in answers.items()
    ]
    positions = {barcode: read.position for barcode, (read, _, _) in answers.items()}
    _write(session, rack, scans, positions, by=by, now=now)
    return RackScanned(tuple(scans), tuple(unreadable))


def close_rack(session: Session, rack_id: UUID, *, site_id: UUID, by: str, now: datetime) -> Rack:
    """Close the rack; what its list names and did not come stands as missing. Again: the same.

    The missing tubes stay on the way, with their age. Raises NotFound.
    """
    rack = _locked(session, rack_id, site_id)
    if rack.closed_at is not None:
        return rack
    missing = session.scalars(_MISSING, {"rack": rack.id}).all()
    rack.closed_at, rack.closed_by = now, by
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="close_rack",
        subject=str(rack.id),
        now=now,
        missing=sorted(missing),
    )
    session.flush()
    return rack


_MISSING = text("""
UPDATE rack_tube r SET missing = true
WHERE r.rack_id = :rack AND r.verdict IS NULL
  AND NOT EXISTS (SELECT FROM tube t WHERE t.id = r.tube_id AND t.state <> 'collected')
RETURNING r.barcode
""")

_CONSIGNED = text("""
SELECT barcode FROM tube
WHERE site_id = :site AND state = 'collected' AND created_at >= :since AND created_at < :until
  AND created_by = :by AND campaign_id IS NOT DISTINCT FROM cast(:campaign AS uuid)
ORDER BY created_at, id LIMIT :most
""")

_KNOWN = text("""
SELECT g.barcode, t.id AS tube_id, r.listed, r.verdict,
       EXISTS (SELECT FROM rack_tube o JOIN rack k ON k.id = o.rack_id AND k.closed_at IS NULL
               WHERE o.tube_id = t.id AND o.listed AND o.rack_id <> :rack) AS other
FROM unnest(cast(:barcodes AS text[])) g(barcode)
LEFT JOIN tube t ON t.barcode = g.barcode AND t.site_id = :site
LEFT JOIN rack_tube r ON r.rack_id = :rack AND r.barcode = g.barcode
""")

_SCANNED = text("""
INSERT INTO rack_tube AS r (rack_id, barcode, tube_id, listed, position, verdict, scanned_at,
                            scanned_by, missing)
SELECT :rack, g.barcode, t.id, g.verdict = 'here', g.position, g.verdict, :now, :by, false
FROM unnest(cast(:barcodes AS text[]), cast(:positions AS text[]), cast(:verdicts AS text[]))
     g(barcode, position, verdict)
LEFT JOIN tube t ON t.barcode = g.barcode AND t.site_id = :site
ON CONFLICT (rack_id, barcode) DO UPDATE
SET tube_id = excluded.tube_id, position = coalesce(excluded.position, r.position),
    verdict = excluded.verdict, scanned_at = coalesce(r.scanned_at, excluded.scanned_at),
    scanned_by = coalesce(r.scanned_by, excluded.scanned_by)
""")


def _sender(said: str) -> str:
    """Who hands the rack over, tidied; a scanner types into whatever field the cursor is in."""
    sender = " ".join(said.split())
    if _is_scanned(sender):
        raise InvalidBody(
            errors=[
                {
                    "pointer": "#/sender",
                    "detail": "a code was scanned here: write who hands the rack over, open the"
                    " rack, and scan its tubes then",
                }
            ],
            where="sender",
        )
    if not 1 <= len(sender) <= 200:
        raise InvalidBody(
            errors=[{"pointer": "#/sender", "detail": "say who hands the rack over"}],
            where="sender",
            came="nothing",
        )
    return sender


def _is_scanned(text: str) -> bool:
    """A tube, a card of either kind or a kit's box; a written name has spaces or no digit."""
    tube = any(one.isdigit() for one in text) and barcodes.is_valid(barcodes.normalise(text))
    return (
        (tube and " " not in text)
        or "|" in text
        or command_of(text) is not None
        or looks_like_kit(text)
    )


def _listed(session: Session, request: RackRequest, site_id: UUID) -> list[str]:
    wanted = list(dict.fromkeys(barcodes.normalise(one) for one in request.barcodes))
    group = request.consignment
    if group is not None:
        found = session.scalars(
            _CONSIGNED,
            {
                "site": site_id,
                "since": group.since,
                "until": group.until,
                "by": group.by,
                "campaign": group.campaign_id,
                "most": MOST_LISTED + 1,
            },
        )
        wanted = list(dict.fromkeys([*wanted, *found]))
    if len(wanted) > MOST_LISTED:
        raise InvalidBody(
            errors=[{"pointer": "#/barcodes", "detail": "at most 2,000 tubes in a rack's list"}],
            where="barcodes",
            came=str(len(wanted)),
        )
    return wanted


def _known(session: Session, rack: Rack, wanted: list[str]) -> Mapping[str, Row[Any]]:
    values = {"rack": rack.id, "site": rack.site_id, "barcodes": wanted}
    return {row.barcode: row for row in session.execute(_KNOWN, values)}


def _judged(
    barcode: str, receipt: Received | None, refusal: Refusal | None, known: Row[Any]
) -> RackScan:
    before = RackVerdict(known.verdict) if known.verdict else None
    if before is not None and before not in NOT_TAKEN:
        return RackScan(barcode, before, receipt, again=True)
    if isinstance(refusal, UnknownBarcode):
        verdict = RackVerdict.UNREGISTERED
    elif receipt is None:
        verdict = RackVerdict.REJECTED
    elif known.listed:
        verdict = RackVerdict.HERE
    elif receipt.replayed:
        verdict = RackVerdict.RECEIVED_BEFORE
    else:
        verdict = RackVerdict.OTHER_RACK if known.other else RackVerdict.UNLISTED
    return RackScan(barcode, verdict, receipt, again=before is verdict)


def _write(
    session: Session,
    rack: Rack,
    scans: Sequence[RackScan],
    positions: Mapping[str, str | None],
    *,
    by: str,
    now: datetime,
) -> None:
    if not scans:
        return
    session.execute(
        _SCANNED,
        {
            "rack": rack.id,
            "site": rack.site_id,
            "barcodes": [scan.barcode for scan in scans],
            "positions": [positions[scan.barcode] for scan in scans],
            "verdicts": [str(scan.verdict) for scan in scans],
            "now": now,
            "by": by,
        },
    )


def _locked(session: Session, rack_id: UUID, site_id: UUID) -> Rack:
    rack = session.scalars(
        select(Rack)
        .where(Rack.id == rack_id, Rack.site_id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if rack is None:
        raise NotFound(came=str(rack_id), where="rack_id")
    return rack


def _open(session: Session, rack_id: UUID, site_id: UUID) -> Rack:
    rack = _locked(session, rack_id, site_id)
    if rack.closed_at is not None:
        raise RackClosed(came=rack.sender, where="rack")
    return rack
