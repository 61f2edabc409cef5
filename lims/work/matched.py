"""One measurement with the well, tube and order it was found to belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from instruments.measurement import Role
from lims.domain.interpretation import TargetReading
from lims.domain.lifecycle import Standing


@dataclass(frozen=True, slots=True)
class Matched:
    """One measurement with what it was found to belong to."""

    measurement_id: UUID
    standing: Standing
    role: Role
    readings: tuple[TargetReading, ...]
    error: str | None
    run_id: UUID | None = None
    well: str | None = None
    order_id: UUID | None = None
    tube_id: UUID | None = None
    assay: str | None = None
    why: str | None = None
    strip_id: UUID | None = None


def stored_readings(targets: Iterable[Mapping[str, Any]]) -> tuple[TargetReading, ...]:
    """Readings from the JSON that ``measurement.targets`` keeps."""
    return tuple(TargetReading(t["target"], t["ct_cycles"]) for t in targets)
