"""Match results of cartridge analysers, which know no plate: by barcode and a test that waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Measurement, Role
from lims.domain.barcodes import normalise
from lims.domain.interpretation import assay_named
from lims.domain.lifecycle import Standing
from lims.domain.well_reading import called_absent
from lims.work.evidence import lock_components
from lims.work.matched import SAID_BEFORE, Matched


@dataclass(frozen=True, slots=True)
class _Waiting:
    tube_id: UUID
    assay: str
    order_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Earlier:
    content: str
    measured_text: str | None
    order_id: UUID | None


_Told = tuple[UUID | None, str, str | None]  # of a tube: what, by the instrument's own time


class Cartridges:
    """The tubes that a message's cartridges may be about. Each open test is claimed once."""

    def __init__(
        self,
        tubes: Mapping[str, Sequence[_Waiting]],
        earlier: dict[UUID, list[_Earlier]],
        asked: frozenset[str] = frozenset(),
        beside: frozenset[_Told] = frozenset(),
    ) -> None:
        self._tubes = tubes
        self._earlier = earlier
        self._asked = asked
        self._beside = beside
        self._claimed: set[UUID] = set()

    def beside(self, base: Matched, measurement: Measurement, content: str) -> Matched | None:
        """What a cartridge of several analytes measured beside the one that we test for. It is kept
        with its tube, and needs a person only where the analyte may be there; None for all else.

        An assay that stands alone under a name no rule knows is not this: it may be the one that
        was wanted.
        """
        key = _key(measurement)
        if base.role is not Role.SPECIMEN or base.assay is not None or key not in self._asked:
            return None
        known = self._tubes.get(key)
        tube_id = known[0].tube_id if known else None
        if measurement.measured_at and (tube_id, content, measurement.measured_at) in self._beside:
            return replace(base, tube_id=tube_id, standing=Standing.DISMISSED, why=SAID_BEFORE)
        absent = called_absent(base.readings, base.own)
        return replace(
            base,
            tube_id=tube_id,
            standing=Standing.DISMISSED if absent else Standing.UNMATCHED,
            why=f"nobody asked for {measurement.assay.rpartition('^')[2]}",
        )

    def claim(self, base: Matched, measurement: Measurement, content: str) -> Matched:
        """Give the measurement its tube and order, or the reason why it has none."""
        if base.role is not Role.SPECIMEN:
            return replace(base, standing=Standing.CONTROL)
        if base.assay is None:
            return replace(base, why=f"no rule reads assay {measurement.assay}")
        known = self._tubes.get(_key(measurement), ())
        if not known:
            return replace(base, why=f"no tube {', '.join(measurement.specimens)} here")
        tube_id = known[0].tube_id
        before = self._said_before(base, tube_id, measurement, content)
        if before is not None:
            return before
        for waiting in known:
            order = waiting.order_id
            if waiting.assay == base.assay and order is not None and order not in self._claimed:
                self._claimed.add(order)
                self._hear(tube_id, _Earlier(content, measurement.measured_at, order))
                return replace(base, standing=Standing.MATCHED, tube_id=tube_id, order_id=order)
        return replace(base, tube_id=tube_id, why="no test is waiting on this tube")

    def _hear(self, tube_id: UUID, said: _Earlier) -> None:
        """Remember what this message says of a tube: it may say it twice."""
        self._earlier.setdefault(tube_id, []).append(said)

    def _said_before(
        self, base: Matched, tube_id: UUID, measurement: Measurement, content: str
    ) -> Matched | None:
        """The same test as an earlier one: told apart by the instrument's own time of it."""
        for earlier in self._earlier.get(tube_id, ()):
            if measurement.measured_at is None or earlier.measured_text != measurement.measured_at:
                continue
            same = earlier.content == content
            return replace(
                base,
                standing=Standing.DISMISSED if same else Standing.CORRECTION,
                why=SAID_BEFORE if same else "another value for this test",
                tube_id=tube_id,
                order_id=earlier.order_id,
            )
        return None


def find_cartridges(
    session: Session, measurements: Sequence[Measurement], instrument_id: UUID
) -> Cartridges:
    """Look up every tube the cartridges name, and lock it with its pools.

    Several ids on one cartridge are a pool made by hand: it is the laboratory
    pool of exactly these sources, or it is unmatched.
    """
    if not measurements:
        return Cartridges({}, {})
    keys = _tubes_named(session, measurements)
    ids = sorted(set(keys.values()))
    lock_components(session, ids)  # two messages never answer one waiting test
    asked = frozenset(_key(m) for m in measurements if assay_named(m.assay) is not None)
    tubes: dict[str, list[_Waiting]] = {}
    waiting: dict[UUID, list[_Waiting]] = {}
    for row in session.execute(_WAITING, {"tubes": ids}):
        waiting.setdefault(row.id, []).append(_Waiting(row.id, row.assay_code, row.order_id))
    for key, tube in keys.items():
        tubes[key] = waiting[tube]
    earlier: dict[UUID, list[_Earlier]] = {}
    beside: set[_Told] = set()
    for row in session.execute(_EARLIER, {"tubes": ids, "instrument": instrument_id}):
        if row.order_id is None:
            beside.add((row.tube_id, row.content, row.measured_text))
            continue
        earlier.setdefault(row.tube_id, []).append(
            _Earlier(row.content, row.measured_text, row.order_id)
        )
    return Cartridges(tubes, earlier, asked, frozenset(beside))


def _tubes_named(session: Session, measurements: Sequence[Measurement]) -> Mapping[str, UUID]:
    singles = [_key(m) for m in measurements if len(m.specimens) == 1]
    found: dict[str, UUID] = {
        row.barcode: row.id for row in session.execute(_TUBES, {"barcodes": singles})
    }
    for measurement in measurements:
        if len(measurement.specimens) > 1:
            sources = sorted(normalise(s) for s in measurement.specimens)
            pool = session.execute(_POOL, {"sources": sources}).scalar()
            if pool is not None:
                found[_key(measurement)] = pool
    return found


def _key(measurement: Measurement) -> str:
    return ",".join(sorted(normalise(s) for s in measurement.specimens))


_TUBES = text("SELECT barcode, id FROM tube WHERE barcode = ANY(:barcodes)")

_WAITING = text("""
SELECT t.id, t.assay_code, o.id AS order_id
FROM tube t LEFT JOIN test_order o ON o.tube_id = t.id AND o.state = 'queued'
WHERE t.id = ANY(:tubes)
ORDER BY t.id, o.round
""")

_POOL = text("""
SELECT p.id FROM tube p
WHERE p.kind = 'lab_pool' AND cast(:sources AS text[]) = (
    SELECT array_agg(t.barcode ORDER BY t.barcode COLLATE "C")
    FROM tube_source s JOIN tube t ON t.id = s.source_id WHERE s.pool_id = p.id
) AND p.id IN (
    SELECT s.pool_id FROM tube_source s JOIN tube t ON t.id = s.source_id
    WHERE t.barcode = ANY(:sources)
)
""")

_EARLIER = text("""
SELECT m.tube_id, m.content, m.measured_text, m.order_id
FROM measurement m JOIN raw_message r ON r.id = m.message_id
WHERE m.tube_id = ANY(:tubes) AND m.instrument_id = :instrument
  AND (m.standing IN ('matched', 'correction')
       OR m.order_id IS NULL AND m.standing IN ('unmatched', 'dismissed') AND r.state = 'accepted')
""")
