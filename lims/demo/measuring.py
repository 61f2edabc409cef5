"""What the analysers are told they measured: the truth in each tube, seen through physics.py.

The same tube measured for the nth time always shows the same, whenever that is, so that a
simulator that was killed is told again what it had measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from lims.demo import physics
from lims.demo.ledger import Ledger
from lims.demo.physics import CARTRIDGE_KIT, PLATE_KIT, Error, Reading
from lims.demo.truth import LOWEST_CT, Commune

INFECTED_STRANGERS: Final = 0.25  # whoever tries the pages out would like to find somebody


@dataclass
class Samples:
    """Every tube of the day as an analyser sees it; each measurement is drawn once and noted."""

    commune: Commune
    ledger: Ledger
    _ct: dict[int, float | None] = field(init=False)
    _strangers: dict[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ct = {v.number: v.ct_cycles for v in self.commune.villagers}

    def read(self, barcode: str, kit: physics.Chemistry) -> Reading:
        """Measure a tube once more."""
        attempt = self.ledger.next_attempt(barcode)
        rng = Random(f"tube {self.commune.seed} {barcode} {attempt}")
        inside = [self._ct[v] for v in self.ledger.contents[barcode]]
        reading = physics.read_tube(rng, barcode, inside, kit)
        self.ledger.note(reading.deviation)
        return reading

    def stranger(self, specimen: UUID) -> int:
        """The number of somebody of whom the story knows nothing, infected or not by chance."""
        rng = Random(f"stranger {self.commune.seed} {specimen}")
        number = -1 - self._strangers.setdefault(specimen, len(self._strangers))
        infected = rng.random() < INFECTED_STRANGERS
        self._ct[number] = rng.uniform(LOWEST_CT, 30.0) if infected else None
        return number

    def plate(self, layout: Mapping[str, Any]) -> dict[str, Any]:
        """The message of a plate cycler for a layout that the LIMS answered."""
        plate = layout["plate"]
        attempt = self.ledger.next_attempt(plate)
        rng = Random(f"controls {self.commune.seed} {plate} {attempt}")
        blank, known, failure = physics.read_controls(rng, plate)
        self.ledger.note(failure)
        controls = {
            "negative_control": blank,
            "positive_control": known,
            "extraction_control": blank,
        }
        wells = []
        for well in layout["wells"]:
            specimen = well["role"] == "specimen"
            targets = (
                self.read(well["barcode"], PLATE_KIT).targets
                if specimen
                else controls[well["role"]]
            )
            wells.append(
                {
                    "well": well["position"],
                    "specimen": well["barcode"] or "",
                    "role": well["role"],
                    "targets": targets,
                }
            )
        return {"plate": plate, "wells": wells}

    def cartridge(self, barcode: str) -> tuple[dict[str, Any], bool]:
        """The message of a cartridge reader, and whether it answers (else it is run again)."""
        reading = self.read(barcode, CARTRIDGE_KIT)
        genes = [reading.targets[gene] for gene in CARTRIDGE_KIT.genes]
        if reading.targets[CARTRIDGE_KIT.control] is None:
            call = "INVALID"
        else:
            call = "POSITIVE" if any(ct is not None for ct in genes) else "NEGATIVE"
        error = reading.deviation.error if reading.deviation else None
        answers = error not in {Error.INVALID, Error.DOUBTFUL}
        return {"specimen": barcode, "call": call, "targets": dict(reading.targets)}, answers
