"""Plates that a visitor laid out on the pages after the day: the same machines measure them.

A plate on which nothing has changed for a while counts as pipetted and loaded. What the story put
into a tube is measured as it is; of somebody whom a visitor registered, chance decides once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from lims.demo.analysers import Analyser
from lims.demo.ledger import Ledger
from lims.demo.machines import Machine
from lims.demo.measuring import Samples
from lims.demo.telling import Broke

LOADED_AFTER_S: Final = 40.0  # without a change: time to scan the next tube on the page
LOOK_S: Final = 2.0
_MOST_WELLS_OF_AN_EXPORT: Final = 96

_PLANNED = text("""
SELECT r.id, r.plate, r.format,
       array_agg(w.position || w.tube_id::text ORDER BY w.position) AS inside
FROM run r JOIN well w ON w.run_id = r.id AND w.role = 'specimen'
WHERE r.state = 'planned' GROUP BY r.id
""")

_SPECIMENS = text("""
SELECT t.barcode, array_agg(ts.specimen_id ORDER BY ts.specimen_id) AS specimens
FROM well w JOIN tube t ON t.id = w.tube_id JOIN tube_specimen ts ON ts.tube_id = t.id
WHERE w.run_id = :run GROUP BY t.barcode
""")


@dataclass(frozen=True, slots=True)
class _Plate:
    run_id: UUID
    plate: str
    wells: int
    inside: tuple[str, ...]


@dataclass
class Visitors:
    """Call ``look`` as often as you like. ``layout_of`` asks the LIMS for a run's wells and may
    raise Broke; the ``machines`` are loaded in turn."""

    engine: Engine
    layout_of: Callable[[UUID], Mapping[str, Any]]
    samples: Samples
    ledger: Ledger
    machines: tuple[tuple[Machine, Analyser], ...]
    loaded_after_s: float = LOADED_AFTER_S
    measured: list[str] = field(default_factory=list)
    _seen: dict[str, tuple[tuple[str, ...], float]] = field(default_factory=dict)
    _due_s: float = 0.0

    def look(self, now_s: float) -> None:
        """Measure what was loaded. ``now_s`` is a monotonic clock. What cannot be read now, is
        looked at again."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        try:
            for plate in self._planned():
                if self._is_loaded(plate, now_s):
                    self._measure(plate)
        except (Broke, SQLAlchemyError):  # the web or the database is just coming back
            return

    def _is_loaded(self, plate: _Plate, now_s: float) -> bool:
        inside, since_s = self._seen.get(plate.plate, ((), now_s))
        if inside != plate.inside:
            self._seen[plate.plate] = (plate.inside, now_s)
            return False
        waited = now_s - since_s >= self.loaded_after_s
        return waited and plate.plate not in self.ledger.plates

    def _planned(self) -> list[_Plate]:
        with self.engine.connect() as connection:
            rows = connection.execute(_PLANNED).all()
        return [_Plate(row.id, row.plate, row.format, tuple(row.inside)) for row in rows]

    def _measure(self, plate: _Plate) -> None:
        layout = self.layout_of(plate.run_id)
        self._look_into_the_tubes(plate.run_id)
        able = [m for m in self.machines if plate.wells <= _most_wells(m[0])]
        _machine, analyser = able[len(self.measured) % len(able)]
        self.measured.append(plate.plate)
        self.ledger.plates[plate.plate] = len(plate.inside)
        analyser.measure(plate.plate, self.samples.plate(layout))

    def _look_into_the_tubes(self, run_id: UUID) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(_SPECIMENS, {"run": run_id}).all()
        for row in rows:
            if row.barcode not in self.ledger.contents:
                self.ledger.contents[row.barcode] = tuple(
                    self.ledger.swabs[specimen]
                    if specimen in self.ledger.swabs
                    else self.samples.stranger(specimen)
                    for specimen in row.specimens
                )


def _most_wells(machine: Machine) -> float:
    return _MOST_WELLS_OF_AN_EXPORT if machine.exports else float("inf")
