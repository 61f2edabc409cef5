"""Lay out a 96-well run from the work queue: priority first, then age; controls fixed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RunState
from lims.domain.plates import STANDARD_CONTROLS_96, ControlRole, sample_wells
from lims.domain.refusals import DifferentBody, InvalidBody, NotFound, UnknownBarcode, WellTaken
from lims.domain.registration import digest
from lims.tables import Run
from lims.work.audit import record
from lims.work.once import one_at_a_time
from lims.work.run_layout import Layout, read_layout

ROLE_WORDS = {
    ControlRole.NEGATIVE: "negative_control",
    ControlRole.POSITIVE: "positive_control",
    ControlRole.EXTRACTION: "extraction_control",
}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A plate to fill. With ``wells`` empty, from the queue; else exactly those tubes.

    ``wells`` are (position, barcode) pairs; ``most`` caps how many samples the
    queue may give (at most 94).
    """

    run_id: UUID
    plate: str
    assay: str = "sars-cov-2"
    most: int = 94
    wells: tuple[tuple[str, str], ...] = ()


def lay_out(
    session: Session, request: RunRequest, *, site_id: UUID, by: str, now: datetime
) -> tuple[Layout, bool]:
    """Reserve wells for queued tests; returns the layout and whether it is a replay.

    Two technicians filling plates at once never take the same test (SKIP
    LOCKED). Raises DifferentBody, WellTaken (two tubes for one well, one tube
    in two, or a control's well), UnknownBarcode (no queued test), NotFound (nothing queued).
    """
    said = digest(request)
    one_at_a_time(session, request.run_id)
    earlier = session.get(Run, request.run_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"another layout under {request.run_id}", where="run_id")
        return read_layout(session, earlier.id), True
    _refuse_plate_taken(session, request.plate)
    places = (
        _from_scans(session, request) if request.wells else _from_queue(session, request, site_id)
    )
    if not places:
        raise NotFound(
            expected="tests waiting in the queue",
            came="an empty queue",
            where=f"queue of {request.assay}",
            todo="receive tubes or make pools first",
        )
    session.add(
        Run(
            id=request.run_id,
            site_id=site_id,
            plate=request.plate,
            assay_code=request.assay,
            state=RunState.PLANNED,
            created_at=now,
            created_by=by,
            body_digest=said,
        )
    )
    session.flush()
    _fill(session, request.run_id, places)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="lay_out",
        subject=request.plate,
        now=now,
        samples=len(places),
    )
    return read_layout(session, request.run_id), False


def _refuse_plate_taken(session: Session, plate: str) -> None:
    used = session.execute(text("SELECT 1 FROM run WHERE plate = :plate"), {"plate": plate})
    if used.first():
        raise WellTaken(
            expected="a plate that has not been laid out", came=f"plate {plate}", where="plate"
        )


def _from_queue(
    session: Session, request: RunRequest, site_id: UUID
) -> list[tuple[str, UUID, UUID]]:
    free = sample_wells(STANDARD_CONTROLS_96)
    if not 1 <= request.most <= len(free):
        raise InvalidBody(
            errors=[{"pointer": "#/most", "detail": "as many tests as the plate has wells"}],
            where="most",
            came=f"{request.most}, at most {len(free)}",
        )
    rows = session.execute(
        text(
            "SELECT o.id, o.tube_id FROM test_order o JOIN tube t ON t.id = o.tube_id"
            " WHERE o.state = 'queued' AND o.site_id = :site AND o.assay_code = :assay"
            " AND t.state = 'received'"
            " ORDER BY o.priority DESC, o.created_at, o.id LIMIT :most"
            " FOR UPDATE OF o SKIP LOCKED"
        ),
        {"site": site_id, "assay": request.assay, "most": request.most},
    ).all()
    return [(well, row.id, row.tube_id) for well, row in zip(free, rows, strict=False)]


def _from_scans(session: Session, request: RunRequest) -> list[tuple[str, UUID, UUID]]:
    positions = [well for well, _ in request.wells]
    tubes = [barcode for _, barcode in request.wells]
    for well in positions:
        if positions.count(well) > 1:
            raise WellTaken(came=f"two tubes for {well}", where="wells")
        if STANDARD_CONTROLS_96.role(well) is not None:
            raise WellTaken(came=f"{well} is a control's well", where="wells")
    for barcode in tubes:
        if tubes.count(barcode) > 1:
            raise WellTaken(
                expected="a tube in one well", came=f"{barcode} in two wells", where="wells"
            )
    rows = session.execute(
        text(
            "SELECT t.barcode, o.id, o.tube_id FROM tube t JOIN test_order o ON o.tube_id = t.id"
            " AND o.state = 'queued' AND o.assay_code = :assay"
            " WHERE t.barcode = ANY(:barcodes) AND t.state = 'received' FOR UPDATE OF o"
        ),
        {"barcodes": tubes, "assay": request.assay},
    )
    waiting = {row.barcode: row for row in rows}
    for well, barcode in request.wells:
        if barcode not in waiting:
            raise UnknownBarcode(
                expected="a tube with a test waiting in the queue",
                came=f"{barcode} for {well}",
                where="wells",
                todo="receive it, or look at its page to see what it waits for",
            )
    return [(well, waiting[b].id, waiting[b].tube_id) for well, b in request.wells]


def _fill(session: Session, run_id: UUID, places: list[tuple[str, UUID, UUID]]) -> None:
    orders = [order for _, order, _ in places]
    session.execute(
        text(
            "INSERT INTO well (run_id, position, role, order_id, tube_id)"
            " SELECT :run, g.well, 'specimen', g.order_id, g.tube_id FROM"
            " unnest(cast(:wells AS text[]), cast(:orders AS uuid[]), cast(:tubes AS uuid[]))"
            " g(well, order_id, tube_id)"
        ),
        {
            "run": run_id,
            "wells": [well for well, _, _ in places],
            "orders": orders,
            "tubes": [tube for _, _, tube in places],
        },
    )
    for well, role in STANDARD_CONTROLS_96.controls:
        session.execute(
            text("INSERT INTO well (run_id, position, role) VALUES (:run, :well, :role)"),
            {"run": run_id, "well": well, "role": ROLE_WORDS[role]},
        )
    session.execute(
        text("UPDATE test_order SET state = 'plated' WHERE id = ANY(:orders)"), {"orders": orders}
    )
