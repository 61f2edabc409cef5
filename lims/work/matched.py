"""One measurement with the well, tube and order it was found to belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from instruments.measurement import Measurement, Role
from lims.domain.called import NO_CALL, Called, OwnCall, called
from lims.domain.interpretation import TargetReading, rule_in_force
from lims.domain.lifecycle import Standing
from lims.domain.well_reading import word_without_ct

SAID_BEFORE: Final = "the same was said before"


@dataclass(frozen=True, slots=True)
class Matched:
    """One measurement with what it was found to belong to."""

    measurement_id: UUID
    standing: Standing
    role: Role
    readings: tuple[TargetReading, ...]
    error: str | None
    own: OwnCall = NO_CALL
    run_id: UUID | None = None
    well: str | None = None
    order_id: UUID | None = None
    tube_id: UUID | None = None
    assay: str | None = None
    why: str | None = None
    strip_id: UUID | None = None


def heard_readings(measurement: Measurement, driver: str) -> tuple[TargetReading, ...]:
    """The targets of a measurement, their words understood as this driver's machine means them."""
    return tuple(
        TargetReading(t.target, t.ct_cycles, t.call, called(t.call, driver))
        for t in measurement.targets
    )


def heard_call(measurement: Measurement, driver: str, *, closed: bool) -> OwnCall:
    """The machine's word for the whole test; ``closed``: it may stand for a Ct."""
    return OwnCall(word=measurement.call, called=called(measurement.call, driver), closed=closed)


def stored_readings(targets: Iterable[Mapping[str, Any]]) -> tuple[TargetReading, ...]:
    """Readings from the JSON that ``measurement.targets`` keeps.

    What was stored before words were understood has none, and is read by its numbers.
    """
    return tuple(
        TargetReading(
            t["target"],
            t["ct_cycles"],
            t.get("call"),
            Called(t["called"]) if t.get("called") else None,
        )
        for t in targets
    )


def stored_call(word: str | None, means: str | None, *, closed: bool) -> OwnCall:
    """The machine's word for the whole test as its measurement keeps it."""
    return OwnCall(word=word, called=Called(means) if means else None, closed=closed)


ShownTarget = tuple[str, float | None, str | None]
"""A target's name, its Ct in cycles, and the machine's word for it as sent."""


def shown_target(target: Mapping[str, Any]) -> ShownTarget:
    """One of ``measurement.targets`` as a page shows it: the word where no Ct came."""
    return target["target"], target["ct_cycles"], target.get("call")


def other_word(call: str | None, targets: Iterable[Mapping[str, Any]]) -> str | None:
    """The word for the whole test, where it does not merely repeat that of a target."""
    return None if call in {target.get("call") for target in targets} else call


class Stored(Protocol):
    """The columns of a measurement that say what the machine said; all None where there is none."""

    @property
    def targets(self) -> Iterable[Mapping[str, Any]] | None: ...
    @property
    def call(self) -> str | None: ...
    @property
    def called(self) -> str | None: ...
    @property
    def closed_system(self) -> bool | None: ...


def shown_word(row: Stored, assay: str, outcome: str) -> str | None:
    """The machine's word that a page shows where a Ct would stand and none came, for a result that
    is this now."""
    if not row.targets and not row.call:
        return None
    own = stored_call(row.call, row.called, closed=bool(row.closed_system))
    readings = stored_readings(row.targets or ())
    return word_without_ct(rule_in_force(assay), readings, own, outcome=outcome)
