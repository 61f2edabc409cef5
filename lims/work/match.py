"""Find, for every measurement of a message, the well, tube and order it belongs to.

Nothing is guessed: what does not fit the layout exactly is kept as unmatched,
with the reason, and can be attached by a person later (S13). The same well
with another value is a correction that waits for a reviewer (S14).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Capture, Measurement, Role
from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.antigen import is_antigen
from lims.domain.barcodes import normalise
from lims.domain.interpretation import assay_named
from lims.domain.lifecycle import RunState, Standing
from lims.domain.registration import digest
from lims.work.cartridges import Cartridges, find_cartridges
from lims.work.late_wells import waiting_again
from lims.work.matched import (
    SAID_BEFORE,
    Matched,
    heard_call,
    heard_readings,
    stored_call,
    stored_readings,
)
from lims.work.own_word import kept_back, may_judge
from lims.work.rapid_reader import ReaderStrips


@dataclass(frozen=True, slots=True)
class _Place:
    """A well of the layout, and everything that was said of it before.

    ``again``: the waiting test of a well that was silent when its run was judged.
    """

    role: str
    order_id: UUID | None
    tube_id: UUID | None
    barcode: str | None
    said_before: frozenset[str]
    again: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Plate:
    id: UUID
    assay: str
    state: RunState
    places: dict[str, _Place]

    def hear(self, well: str, content: str) -> None:
        """Remember what this message says of a well: it may say it twice."""
        place = self.places[well]
        self.places[well] = replace(place, said_before=place.said_before | {content})


def match(
    session: Session,
    capture: Capture,
    message_id: UUID,
    instrument_id: UUID,
    *,
    site_id: UUID,
    set_up: str,
    now: datetime,
) -> tuple[Matched, ...]:
    """Match and store every measurement of a message; locks the runs it speaks of. ``set_up``: the
    driver that the laboratory set the analyser up with."""
    plates = _plates(session, {m.run for m in capture.measurements if m.run})
    if capture.complete:
        _expect_late(session, capture, plates)
    cartridges = find_cartridges(
        session,
        [m for m in capture.measurements if m.run is None and not is_antigen(m.assay)],
        instrument_id,
    )
    readers = ReaderStrips(session, capture, instrument_id, site_id=site_id, now=now)
    found: list[Matched] = []
    rows: list[dict[str, Any]] = []
    for measurement in capture.measurements:
        one = kept_back(
            _place(measurement, capture, plates, cartridges, readers, set_up=set_up),
            told=capture.driver,
            set_up=set_up,
        )
        found.append(one)
        rows.append(_row(measurement, one, message_id, instrument_id, site_id=site_id))
    if rows:
        session.execute(_INSERT, {"rows": rows_as_json(rows), "now": now})
    readers.keep()
    return tuple(found)


def release_held(session: Session, runs: Iterable[UUID]) -> tuple[Matched, ...]:
    """Held results of runs whose message is now whole: they count from here on (S12)."""
    rows = session.execute(
        text(
            "UPDATE measurement m SET standing = CASE WHEN m.role = 'specimen' THEN 'matched'"
            " ELSE 'control' END, why = NULL FROM run r"
            " WHERE m.run_id = ANY(:runs) AND m.standing = 'held' AND r.id = m.run_id"
            " RETURNING m.id, m.standing, m.role, m.targets, m.error, m.run_id, m.well,"
            " m.order_id, m.tube_id, m.call, m.called, m.closed_system, r.assay_code"
        ),
        {"runs": list(runs)},
    )
    return tuple(
        Matched(
            measurement_id=row.id,
            standing=Standing(row.standing),
            role=Role(row.role),
            readings=stored_readings(row.targets),
            error=row.error,
            own=stored_call(row.call, row.called, closed=row.closed_system),
            run_id=row.run_id,
            well=row.well,
            order_id=row.order_id,
            tube_id=row.tube_id,
            assay=row.assay_code,
        )
        for row in rows
    )


def content_of(measurement: Measurement) -> str:
    """The identity of what was measured, without when and where it was said."""
    return digest(
        [
            measurement.specimen,
            measurement.assay,
            [[t.target, t.ct_cycles, t.call] for t in measurement.targets],
            measurement.call,
            measurement.error,
        ]
    )


def _place(
    measurement: Measurement,
    capture: Capture,
    plates: Mapping[str, _Plate],
    cartridges: Cartridges,
    readers: ReaderStrips,
    *,
    set_up: str,
) -> Matched:
    base = Matched(
        measurement_id=uuid7(),
        standing=Standing.UNMATCHED,
        role=measurement.role,
        readings=heard_readings(measurement, capture.driver),
        error=measurement.error,
        own=heard_call(measurement, capture.driver, closed=may_judge(capture.driver, set_up)),
        well=measurement.well,
        assay=assay_named(measurement.assay),
    )
    antigen = is_antigen(measurement.assay)
    if measurement.run is None and not antigen:
        beside = cartridges.beside(base, measurement, content_of(measurement))
        if beside is not None:
            return beside
    if measurement.run is None and not capture.complete:
        # No run holds it: were it heard, the whole message would find it said and be dismissed.
        return _because(base, "incomplete message")
    if measurement.run is None and antigen:
        return readers.claim(base, measurement)
    if measurement.run is None:
        return cartridges.claim(base, measurement, content_of(measurement))
    plate = plates.get(measurement.run)
    if plate is None:
        return _because(base, f"plate {measurement.run} is not laid out here")
    return _in_plate(base, measurement, plate, complete=capture.complete)


def _in_plate(base: Matched, measurement: Measurement, plate: _Plate, *, complete: bool) -> Matched:
    place = plate.places.get(measurement.well or "")
    inside = replace(base, run_id=plate.id, assay=plate.assay)
    misfit = _misfit(measurement, plate, place)
    if place is None or misfit is not None:
        return _because(inside, misfit or "")
    inside = replace(inside, order_id=place.order_id, tube_id=place.tube_id)
    content = content_of(measurement)
    if content in place.said_before:
        return replace(inside, standing=Standing.DISMISSED, why=SAID_BEFORE)
    if place.said_before:
        plate.hear(measurement.well or "", content)
        return replace(inside, standing=Standing.CORRECTION, why="another value for this well")
    if not _still_heard(place, plate):
        return _because(inside, f"came after the run was judged {plate.state}")
    plate.hear(measurement.well or "", content)
    if not complete:
        return replace(inside, standing=Standing.HELD, why="incomplete message")
    standing = Standing.MATCHED if measurement.role is Role.SPECIMEN else Standing.CONTROL
    return replace(inside, standing=standing, order_id=place.again or place.order_id)


def _still_heard(place: _Place, plate: _Plate) -> bool:
    """Once a run is judged: a silent well whose test waits again, a control it is held for."""
    if plate.state in {RunState.PLANNED, RunState.MEASURING} or place.again is not None:
        return True
    return plate.state is RunState.HELD and place.role != Role.SPECIMEN


def _misfit(measurement: Measurement, plate: _Plate, place: _Place | None) -> str | None:
    """Why the measurement does not fit its place in the layout, or None when it does."""
    if place is None:
        return f"plate {measurement.run} has no well {measurement.well}"
    if place.role != measurement.role:
        return f"the layout has a {place.role} in {measurement.well}"
    if assay_named(measurement.assay) != plate.assay:
        return f"the plate is for {plate.assay}, came {measurement.assay}"
    if place.barcode is not None and normalise(measurement.specimen) != place.barcode:
        return f"the layout has {place.barcode} in {measurement.well}"
    return None


def _because(matched: Matched, why: str) -> Matched:
    return replace(matched, standing=Standing.UNMATCHED, why=why)


def _plates(session: Session, named: set[str]) -> Mapping[str, _Plate]:
    if not named:
        return {}
    runs = session.execute(
        text(
            "SELECT id, plate, assay_code, state FROM run WHERE plate = ANY(:plates)"
            " ORDER BY id FOR NO KEY UPDATE"
        ),
        {"plates": sorted(named)},
    ).all()
    places: dict[UUID, dict[str, _Place]] = {run.id: {} for run in runs}
    for row in session.execute(_PLACES, {"runs": list(places)}):
        places[row.run_id][row.position] = _Place(
            row.role, row.order_id, row.tube_id, row.barcode, frozenset(row.said)
        )
    return {
        run.plate: _Plate(run.id, run.assay_code, RunState(run.state), places[run.id])
        for run in runs
    }


def _expect_late(session: Session, capture: Capture, plates: Mapping[str, _Plate]) -> None:
    """Let the wells that were silent when their run was judged answer the test that waits now."""
    named = [
        (plate.id, measurement.well)
        for measurement in capture.measurements
        if measurement.well
        and (plate := plates.get(measurement.run or "")) is not None
        and plate.state in {RunState.VALID, RunState.HELD}
    ]
    if not named:
        return
    again = waiting_again(session, named)
    for plate in plates.values():
        for position, place in plate.places.items():
            if (plate.id, position) in again:
                plate.places[position] = replace(place, again=again[plate.id, position])


# A late value answered another order than the well's own; a correction of it is about that one.
_PLACES = text("""
SELECT w.run_id, w.position, w.role, w.tube_id, t.barcode,
       coalesce((SELECT m.order_id FROM measurement m
                 WHERE m.run_id = w.run_id AND m.well = w.position AND m.tube_id = w.tube_id
                   AND m.standing = 'matched' ORDER BY m.id DESC LIMIT 1), w.order_id) AS order_id,
       ARRAY(SELECT m.content FROM measurement m
             WHERE m.run_id = w.run_id AND m.well = w.position
               AND m.standing IN ('matched', 'control', 'held', 'correction')) AS said
FROM well w
LEFT JOIN tube t ON t.id = w.tube_id
WHERE w.run_id = ANY(:runs)
""")

_INSERT = text("""
INSERT INTO measurement (id, site_id, message_id, instrument_id, path, specimen_text, role, run_id,
                         run_text, well, tube_id, order_id, strip_id, assay_text, call, called,
                         closed_system, error, targets, flags, content, standing, why,
                         measured_text, received_at)
SELECT id, site_id, message_id, instrument_id, path, specimen_text, role, run_id, run_text, well,
       tube_id, order_id, strip_id, assay_text, call, called, closed_system, error, targets,
       flags, content, standing, why, measured_text, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, site_id uuid, message_id uuid, instrument_id uuid, path text, specimen_text text,
    role text, run_id uuid, run_text text, well text, tube_id uuid, order_id uuid, strip_id uuid,
    assay_text text, call text, called text, closed_system boolean, error text, targets jsonb,
    flags text[], content text, standing text, why text, measured_text text)
""")


def _row(
    measurement: Measurement,
    one: Matched,
    message_id: UUID,
    instrument_id: UUID,
    *,
    site_id: UUID,
) -> dict[str, Any]:
    return {
        "id": one.measurement_id,
        "site_id": site_id,
        "message_id": message_id,
        "instrument_id": instrument_id,
        "path": measurement.path,
        "specimen_text": ",".join(measurement.specimens),
        "role": str(measurement.role),
        "run_id": one.run_id,
        "run_text": measurement.run,
        "well": measurement.well,
        "tube_id": one.tube_id,
        "order_id": one.order_id,
        "strip_id": one.strip_id,
        "assay_text": measurement.assay,
        "call": measurement.call,
        "called": one.own.called,
        "closed_system": one.own.closed,
        "error": measurement.error,
        "targets": [
            {"target": r.target, "ct_cycles": r.ct_cycles, "call": r.call, "called": r.called}
            for r in one.readings
        ],
        "flags": measurement.flags,
        "content": content_of(measurement),
        "standing": str(one.standing),
        "why": one.why,
        "measured_text": measurement.measured_at,
    }
