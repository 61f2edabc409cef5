"""A run as its page shows it: the plate well by well, the verdict, what needs a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.called import OwnCall
from lims.domain.controls import ControlReading, fault
from lims.domain.interpretation import AssayRule, TargetReading, lowest_ct, rule_in_force
from lims.domain.lifecycle import RunState
from lims.domain.plates import PlateSize, wells
from lims.domain.refusals import UnknownRun
from lims.domain.well_reading import word_without_ct
from lims.work.matched import stored_call, stored_readings


class WellSign(StrEnum):
    """How one well is coloured."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
    WAITING = "waiting"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class PlateWell:
    """One position: what is in it, what was measured, what that means.

    ``called``: the machine's own word, where no cycle number came.
    """

    position: str
    role: str
    barcode: str | None
    kind: str | None
    people: int
    sign: WellSign
    ct_cycles: float | None
    called: str | None
    why: str | None
    held: bool
    measured: bool
    void: bool
    failed: bool
    order_why: str | None
    priority: int | None
    finding_status: str | None
    tubes: int
    queued: int
    to_swab: int


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run with its wells in plate order."""

    run_id: UUID
    plate: str
    size: PlateSize
    template: str
    assay: str
    state: RunState
    verdict_why: str | None
    instrument: str | None
    created_at: datetime
    created_by: str
    measured_at: datetime | None
    judged_at: datetime | None
    wells: tuple[PlateWell, ...]

    @property
    def samples(self) -> tuple[PlateWell, ...]:
        """Without the controls."""
        return tuple(well for well in self.wells if well.sign is not WellSign.CONTROL)

    @property
    def controls(self) -> tuple[PlateWell, ...]:
        """The controls alone."""
        return tuple(well for well in self.wells if well.sign is WellSign.CONTROL)

    @property
    def free(self) -> tuple[str, ...]:
        """The wells that hold nothing, in filling order."""
        taken = {well.position for well in self.wells}
        return tuple(well for well in wells(self.size) if well not in taken)

    @property
    def in_filling_order(self) -> tuple[PlateWell, ...]:
        """Down the columns, as pipetted."""
        return tuple(sorted(self.wells, key=lambda well: (well.position[1:], well.position)))

    @property
    def answered(self) -> int:
        """How many samples the analyser has spoken of."""
        return sum(well.measured for well in self.samples)

    @property
    def tells_ct(self) -> bool:
        """Whether a positive here has its Ct; a machine may send its own word alone."""
        positives = [well for well in self.samples if well.sign is WellSign.POSITIVE]
        return not positives or any(well.ct_cycles is not None for well in positives)

    def count(self, sign: str) -> int:
        """How many samples show this."""
        return sum(well.sign == sign for well in self.samples)

    @property
    def attention(self) -> tuple[PlateWell, ...]:
        """The wells somebody should look at, the earliest amplification first.

        A test that its run made void is queued again by itself and needs nobody.
        """
        seen = [w for w in self.samples if not w.void and (w.held or w.sign in _SEEN)]
        return tuple(sorted(seen, key=lambda w: (_SEEN.get(w.sign, 9), w.ct_cycles or 99)))


_SEEN: Final = {WellSign.POSITIVE: 0, WellSign.INCONCLUSIVE: 1, WellSign.INVALID: 2}

_RUN = text("""
SELECT r.id, r.plate, r.assay_code, r.state, r.verdict_why, r.created_at, r.created_by,
       r.measured_at, r.judged_at, i.name AS instrument, r.format,
       c.name || '/' || c.version AS template
FROM run r JOIN control_template c ON c.id = r.control_template_id
LEFT JOIN instrument i ON i.id = r.instrument_id
WHERE r.site_id = :site AND (r.plate = :plate OR cast(r.id AS text) = :plate)
""")

_WELLS = text("""
SELECT w.position, w.role, t.barcode, t.kind, t.id AS tube_id,
       (SELECT count(*) FROM tube_specimen n WHERE n.tube_id = t.id) AS people,
       (SELECT count(*) FROM tube_source s WHERE s.pool_id = t.id)
       + (SELECT count(*) FROM sub_pool p JOIN sub_pool_source s ON s.sub_pool_id = p.id
          WHERE p.tube_id = t.id) AS tubes,
       o.state AS order_state, o.why AS order_why, o.priority, o.because,
       res.outcome, res.ct_cycles, res.why, res.held,
       m.standing, m.targets, m.error, m.why AS measurement_why, m.call, m.called, m.closed_system,
       CASE WHEN t.kind = 'individual' THEN (
           SELECT f.status FROM tube_specimen n
           JOIN finding f ON f.specimen_id = n.specimen_id AND f.current
           WHERE n.tube_id = t.id LIMIT 1) END AS finding_status,
       CASE WHEN res.outcome <> 'not_detected' OR o.state = 'void' THEN (
           SELECT count(*) FROM test_order q WHERE q.state IN ('queued', 'plated')
             AND (q.tube_id = t.id OR q.tube_id IN (
                 SELECT source_id FROM tube_source WHERE pool_id = t.id)))
           ELSE 0 END AS queued,
       CASE WHEN res.outcome = 'detected' AND t.kind = 'field_pool' THEN (
           SELECT count(*) FROM tube_specimen n
           JOIN recollection rc ON rc.specimen_id = n.specimen_id
           WHERE n.tube_id = t.id) ELSE 0 END AS to_swab
FROM well w
LEFT JOIN tube t ON t.id = w.tube_id
LEFT JOIN test_order o ON o.id = w.order_id
LEFT JOIN LATERAL (
    SELECT outcome, ct_cycles, why, held FROM result
    WHERE run_id = w.run_id AND tube_id = w.tube_id AND current ORDER BY id DESC LIMIT 1
) res ON true
LEFT JOIN LATERAL (
    SELECT standing, targets, error, why, call, called, closed_system FROM measurement
    WHERE run_id = w.run_id AND well = w.position AND standing IN ('matched', 'control', 'held')
    ORDER BY id DESC LIMIT 1
) m ON true
WHERE w.run_id = :run
ORDER BY left(w.position, 1), w.position
""")


def run_page(session: Session, plate: str, *, site_id: UUID) -> RunPage:
    """One run by its plate's barcode or its id. Raises UnknownRun."""
    run = session.execute(_RUN, {"site": site_id, "plate": plate}).one_or_none()
    if run is None:
        raise UnknownRun(came=plate[:40], where="runs", todo="check the plate's barcode")
    state = RunState(run.state)
    rows = session.execute(_WELLS, {"run": run.id})
    return RunPage(
        run_id=run.id,
        plate=run.plate,
        size=PlateSize(run.format),
        template=run.template,
        assay=run.assay_code,
        state=state,
        verdict_why=run.verdict_why,
        instrument=run.instrument,
        created_at=run.created_at,
        created_by=run.created_by,
        measured_at=run.measured_at,
        judged_at=run.judged_at,
        wells=tuple(_well(row, run.assay_code) for row in rows),
    )


def _well(row: Any, assay: str) -> PlateWell:
    control = row.role != "specimen"
    rule = rule_in_force(assay)
    readings, own = _said(row)
    ct = lowest_ct(rule, readings) if control else row.ct_cycles
    return PlateWell(
        position=row.position,
        role=row.role,
        barcode=row.barcode,
        kind=row.kind,
        people=row.people or 0,
        sign=WellSign.CONTROL if control else _sign(row),
        ct_cycles=ct,
        called=word_without_ct(rule, readings, own, outcome=None if control else row.outcome),
        why=row.why or row.measurement_why or (row.because if row.order_state == "void" else None),
        held=bool(row.held) or row.standing == "held",
        measured=row.targets is not None,
        void=row.order_state == "void" and row.outcome is None,
        failed=control and _failed(row, rule, readings, own),
        order_why=row.order_why,
        priority=row.priority,
        finding_status=row.finding_status,
        tubes=row.tubes or 0,
        queued=row.queued or 0,
        to_swab=row.to_swab or 0,
    )


def _sign(row: Any) -> WellSign:
    match row.outcome:
        case "detected":
            return WellSign.POSITIVE
        case "not_detected":
            return WellSign.NEGATIVE
        case "inconclusive":
            return WellSign.INCONCLUSIVE
        case "invalid":
            return WellSign.INVALID
        case _:
            return WellSign.INVALID if row.order_state == "void" else WellSign.WAITING


def _said(row: Any) -> tuple[tuple[TargetReading, ...], OwnCall]:
    """What the analyser said of the well, if it has spoken."""
    return (
        stored_readings(row.targets or ()),
        stored_call(row.call, row.called, closed=bool(row.closed_system)),
    )


def _failed(row: Any, rule: AssayRule, readings: tuple[TargetReading, ...], own: OwnCall) -> bool:
    """Whether a control that was measured lets its run down."""
    if row.targets is None:
        return False
    control = ControlReading(row.position, row.role, readings, row.error, own)
    return fault(rule, control) is not None
