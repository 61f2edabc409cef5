"""Results that a machine might give, for somebody who rehearses: one tube, or a whole plate as the
LIMS laid it out. Seeded: the same seed tells the same story."""

import csv
import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from instruments.analyser_messages import Well
from instruments.measurement import Role
from instruments.simulated.machines import Kit, Machine
from instruments.simulated.said import Said

ONE_IN: Final = 20  # tubes of a plate are positive where nobody says which
FAILED: Final = "5007 Simulated failure"  # `code text`, as machines print an error
NO_CONTROL: Final = "5017 Internal control failed"


class Outcome(StrEnum):
    """`invalid`: the internal control failed; `error`: the machine could not measure."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Place:
    """A well of a layout. `specimen` is empty for a control."""

    well: str
    specimen: str
    role: Role


@dataclass(frozen=True, slots=True)
class Layout:
    plate: str
    places: tuple[Place, ...]


class NoLayout(ValueError):
    """The file is no layout. Says what was expected, and where."""


def one_tube(
    machine: Machine, specimen: str, outcome: Outcome, *, plate: str, well: str, seed: int
) -> Said:
    """`plate` and `well` are of machines that have plates."""
    rng = random.Random(f"{seed} {specimen}")  # noqa: S311 - a story, no secret
    told = _well(rng, machine.kit, Place(well, specimen, Role.SPECIMEN), outcome)
    return Said(specimen, plate, (told,))


def whole_plate(
    machine: Machine,
    layout: Layout,
    *,
    outcome: Outcome | None,
    positive: Collection[str],
    seed: int,
) -> Said:
    """Controls come out as they should. Tubes are `outcome`; else those of `positive` are positive
    and the rest negative; where neither is said, one in twenty is positive."""
    rng = random.Random(f"{seed} {layout.plate}")  # noqa: S311 - a story, no secret
    wells = []
    for place in layout.places:
        drawn = rng.random() < 1 / ONE_IN
        is_positive = place.specimen in positive if positive else drawn
        told = outcome or (Outcome.POSITIVE if is_positive else Outcome.NEGATIVE)
        if place.role is not Role.SPECIMEN:
            good = place.role is Role.POSITIVE_CONTROL
            told = Outcome.POSITIVE if good else Outcome.NEGATIVE
        wells.append(_well(rng, machine.kit, place, told))
    return Said(layout.plate, layout.plate, tuple(wells))


def read_layout(file: Path) -> Layout:
    """The CSV that the LIMS gives of a plate (`plate,well,barcode,…,control`), or the JSON of its
    layout. Raises NoLayout, OSError."""
    text = file.read_text("utf-8-sig")
    try:
        plate, places = _of_json(text) if text.lstrip()[:1] == "{" else _of_csv(text)
    except (KeyError, TypeError, ValueError) as error:
        told = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise NoLayout(f"{file.name} is no layout of a plate: {told}") from error
    if not places:
        raise NoLayout(f"{file.name} has no well with a tube or a control")
    return Layout(plate, tuple(places))


def _of_json(text: str) -> tuple[str, list[Place]]:
    """Of `GET /api/v1/runs/<id>`. Raises KeyError, TypeError, ValueError."""
    told: dict[str, Any] = json.loads(text)
    places = [
        Place(each["position"], each["barcode"] or "", Role(each["role"]))
        for each in told["wells"]
        if each["barcode"] or each["role"] != "specimen"
    ]
    return str(told["plate"]), places


def _of_csv(text: str) -> tuple[str, list[Place]]:
    """Raises KeyError, ValueError."""
    rows = list(csv.DictReader(text.splitlines()))
    plates = {row["plate"] for row in rows}
    if len(plates) != 1:
        raise ValueError(f"expected the wells of one plate, came {len(plates)} plates")
    places = []
    for row in rows:
        role = Role(row["control"] or "specimen")
        barcode = row["barcode"].removeprefix("'") if role is Role.SPECIMEN else ""
        if barcode or role is not Role.SPECIMEN:
            places.append(Place(row["well"], barcode, role))
    return plates.pop().removeprefix("'"), places


def _well(rng: random.Random, kit: Kit, place: Place, outcome: Outcome) -> Well:
    return Well(
        well=place.well,
        specimen=place.specimen,
        role=place.role,
        targets=_targets(rng, kit, outcome),
        error=_error(kit, outcome),
        call=_word(kit, outcome),
    )


def _targets(rng: random.Random, kit: Kit, outcome: Outcome) -> dict[str, float | None]:
    ct = round(rng.uniform(18, 32), 2)
    near = {gene: round(ct + rng.uniform(-0.8, 0.8), 2) for gene in kit.genes}
    found = outcome is Outcome.POSITIVE and kit.cycles
    told: dict[str, float | None] = {gene: near[gene] if found else None for gene in kit.genes}
    control = round(rng.uniform(26, 29), 2)
    if kit.control:
        measured = outcome in (Outcome.POSITIVE, Outcome.NEGATIVE)
        told[kit.control] = control if measured else None
    return told


def _error(kit: Kit, outcome: Outcome) -> str | None:
    if outcome is Outcome.ERROR:
        return FAILED
    return NO_CONTROL if outcome is Outcome.INVALID and kit.judges else None


def _word(kit: Kit, outcome: Outcome) -> str | None:
    return dict(zip(Outcome, kit.words, strict=True))[outcome] if kit.words else None
