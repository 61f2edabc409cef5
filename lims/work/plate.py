"""Lay out a run from the work queue: priority first, then age; controls by a template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import RunState
from lims.domain.plates import ControlTemplate, PlateSize, parse_well, sample_wells
from lims.domain.refusals import DifferentBody, InvalidBody, QueueEmpty, UnknownBarcode, WellTaken
from lims.domain.registration import digest
from lims.tables import Run
from lims.work.audit import record
from lims.work.control_templates import ROLE_WORDS, NamedTemplate, chosen_template
from lims.work.once import one_at_a_time
from lims.work.run_layout import Layout, read_layout

Place = tuple[str, UUID, UUID]
"""A well, the order that it answers, and the order's tube."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A plate to fill. With ``wells`` empty, from the queue; else exactly those tubes.

    ``wells`` are (position, barcode) pairs; ``most`` caps how many samples the
    queue may give (None: as many as the plate takes), 0 opens a plate to be filled by scanning.
    ``template_id`` None: the assay's usual one for this format.
    """

    run_id: UUID
    plate: str
    assay: str = "sars-cov-2"
    most: int | None = None
    wells: tuple[tuple[str, str], ...] = ()
    format: PlateSize = PlateSize.WELLS_96
    template_id: UUID | None = None


def lay_out(
    session: Session, request: RunRequest, *, site_id: UUID, by: str, now: datetime
) -> tuple[Layout, bool]:
    """Reserve wells for queued tests; returns the layout and whether it is a replay.

    Two technicians filling plates at once never take the same test (SKIP
    LOCKED). Raises DifferentBody, WellTaken (two tubes for one well, one tube
    in two, or a control's well), UnknownBarcode (no queued test), NotAWell,
    QueueEmpty, NotFound (no such template).
    """
    said = digest(request)
    one_at_a_time(session, request.run_id)
    earlier = session.get(Run, request.run_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"another layout under {request.run_id}", where="run_id")
        return read_layout(session, earlier.id), True
    _refuse_plate_taken(session, request.plate)
    named = chosen_template(
        session, request.template_id, site_id=site_id, assay=request.assay, size=request.format
    )
    places = _places(session, request, named.template, site_id)
    _open(session, request, named, said, site_id=site_id, by=by, now=now)
    fill(session, request.run_id, request.format, places)
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


def from_queue(session: Session, free: Sequence[str], *, site_id: UUID, assay: str) -> list[Place]:
    """The most urgent queued tests for these wells, the oldest first among equals.

    Locked with their tubes, as everybody does who concludes about a tube: a
    test that is being answered at this moment (a cartridge, a measurement
    attached by hand) is passed over, and whoever comes later finds it plated.
    """
    rows = session.execute(QUEUE, {"site": site_id, "assay": assay, "most": len(free)}).all()
    return [(well, row.id, row.tube_id) for well, row in zip(free, rows, strict=False)]


def from_scans(session: Session, wanted: Sequence[tuple[str, str]], *, assay: str) -> list[Place]:
    """The queued tests of these (well, barcode) pairs. Raises UnknownBarcode.

    Tubes are locked in the order of their ids, as everywhere, so that two plates filled with
    the same tubes wait for one another instead of deadlocking.
    """
    values = {"barcodes": [barcode for _, barcode in wanted], "assay": assay}
    session.execute(_LOCK_TUBES, values)
    waiting = {row.barcode: row for row in session.execute(_QUEUED_HERE, values)}
    for well, barcode in wanted:
        if barcode not in waiting:
            raise UnknownBarcode(
                expected="a tube with a test waiting in the queue",
                came=f"{barcode} for {well}",
                where="wells",
                todo="receive it, or look at its page to see what it waits for",
            )
    return [(well, waiting[b].id, waiting[b].tube_id) for well, b in wanted]


def fill(session: Session, run_id: UUID, size: PlateSize, places: Sequence[Place]) -> None:
    """Put the tubes of these queued tests into the wells."""
    if not places:
        return
    orders = [order for _, order, _ in places]
    session.execute(
        text(
            "INSERT INTO well (run_id, position, format, role, order_id, tube_id)"
            " SELECT :run, g.well, :format, 'specimen', g.order_id, g.tube_id FROM"
            " unnest(cast(:wells AS text[]), cast(:orders AS uuid[]), cast(:tubes AS uuid[]))"
            " g(well, order_id, tube_id)"
        ),
        {
            "run": run_id,
            "format": int(size),
            "wells": [well for well, _, _ in places],
            "orders": orders,
            "tubes": [tube for _, _, tube in places],
        },
    )
    session.execute(
        text("UPDATE test_order SET state = 'plated' WHERE id = ANY(:orders)"), {"orders": orders}
    )


QUEUE = text("""
SELECT o.id, o.tube_id FROM test_order o JOIN tube t ON t.id = o.tube_id
WHERE o.state = 'queued' AND o.site_id = :site AND o.assay_code = :assay AND t.state = 'received'
ORDER BY o.priority DESC, o.created_at, o.id LIMIT :most
FOR UPDATE OF o SKIP LOCKED FOR NO KEY UPDATE OF t SKIP LOCKED
""")

_LOCK_TUBES = text("""
SELECT id FROM tube WHERE barcode = ANY(:barcodes) ORDER BY id FOR NO KEY UPDATE
""")

_QUEUED_HERE = text("""
SELECT t.barcode, o.id, o.tube_id FROM tube t
JOIN test_order o ON o.tube_id = t.id AND o.state = 'queued' AND o.assay_code = :assay
WHERE t.barcode = ANY(:barcodes) AND t.state = 'received' ORDER BY o.id FOR UPDATE OF o
""")


def _refuse_plate_taken(session: Session, plate: str) -> None:
    used = session.execute(text("SELECT 1 FROM run WHERE plate = :plate"), {"plate": plate})
    if used.first():
        raise WellTaken(
            expected="a plate that has not been laid out", came=f"plate {plate}", where="plate"
        )


def _places(
    session: Session, request: RunRequest, template: ControlTemplate, site_id: UUID
) -> list[Place]:
    if request.wells:
        return from_scans(session, _scanned(request, template), assay=request.assay)
    free = sample_wells(template)
    most = len(free) if request.most is None else request.most
    if not 0 <= most <= len(free):
        raise InvalidBody(
            errors=[{"pointer": "#/most", "detail": "as many tests as the plate has wells"}],
            where="most",
            came=f"{most}, at most {len(free)}",
        )
    places = from_queue(session, free[:most], site_id=site_id, assay=request.assay)
    if most and not places:
        raise QueueEmpty(came="an empty queue", where=f"queue of {request.assay}")
    return places


def _scanned(request: RunRequest, template: ControlTemplate) -> list[tuple[str, str]]:
    wanted = [(parse_well(well, request.format), barcode) for well, barcode in request.wells]
    wells, tubes = [well for well, _ in wanted], [barcode for _, barcode in wanted]
    for well in wells:
        if wells.count(well) > 1:
            raise WellTaken(came=f"two tubes for {well}", where="wells")
        if template.role(well) is not None:
            raise WellTaken(came=f"{well} is a control's well", where="wells")
    for barcode in tubes:
        if tubes.count(barcode) > 1:
            raise WellTaken(
                expected="a tube in one well", came=f"{barcode} in two wells", where="wells"
            )
    return wanted


def _open(
    session: Session,
    request: RunRequest,
    named: NamedTemplate,
    said: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    session.add(
        Run(
            id=request.run_id,
            site_id=site_id,
            plate=request.plate,
            format=int(request.format),
            control_template_id=named.template_id,
            assay_code=request.assay,
            state=RunState.PLANNED,
            created_at=now,
            created_by=by,
            body_digest=said,
        )
    )
    session.flush()
    session.execute(
        text(
            "INSERT INTO well (run_id, position, format, role)"
            " SELECT :run, g.well, :format, g.role"
            " FROM unnest(cast(:wells AS text[]), cast(:roles AS text[])) g(well, role)"
        ),
        {
            "run": request.run_id,
            "format": int(request.format),
            "wells": [well for well, _ in named.template.controls],
            "roles": [ROLE_WORDS[role] for _, role in named.template.controls],
        },
    )
