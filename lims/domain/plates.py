"""Plate geometry: which wells a plate has, in filling order, and which hold controls.

Well names and numbering as ANSI/SLAS 4-2004 (R2012): rows are letters from the top, columns are
numbers from the left. Filling goes down the columns, as an eight-channel pipette does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from lims.domain.refusals import Malformed, NotAWell

_WELL = re.compile(r"([A-P])0?([1-9][0-9]?)")


class PlateSize(Enum):
    """A plate format by its number of wells; the value is (rows, columns)."""

    WELLS_96 = (8, 12)
    WELLS_384 = (16, 24)

    @property
    def rows(self) -> int:
        return self.value[0]

    @property
    def columns(self) -> int:
        return self.value[1]


class ControlRole(Enum):
    NEGATIVE = "negative"  # no-template control (NTC)
    POSITIVE = "positive"
    EXTRACTION = "extraction"


def well_name(row: int, column: int, size: PlateSize = PlateSize.WELLS_96) -> str:
    """`A01` for row 0, column 0 (counted from nought); raises NotAWell outside the plate."""
    if not (0 <= row < size.rows and 0 <= column < size.columns):
        raise NotAWell(came=f"row {row}, column {column}", where=_plate(size))
    return f"{'ABCDEFGHIJKLMNOP'[row]}{column + 1:02d}"


def parse_well(text: str, size: PlateSize = PlateSize.WELLS_96) -> str:
    """`A01` from `a1`, `A1`, `A01`; raises NotAWell."""
    match = _WELL.fullmatch(text.strip().upper())
    if match is None:
        raise NotAWell(came=text[:20], where=_plate(size))
    return well_name(ord(match[1]) - ord("A"), int(match[2]) - 1, size)


def wells(size: PlateSize = PlateSize.WELLS_96) -> tuple[str, ...]:
    """Every well in filling order: A01, B01 … H01, A02 …"""
    return tuple(
        well_name(row, column, size) for column in range(size.columns) for row in range(size.rows)
    )


WELLS_96 = wells(PlateSize.WELLS_96)
WELLS_384 = wells(PlateSize.WELLS_384)


@dataclass(frozen=True, slots=True)
class ControlTemplate:
    """Which wells of a plate hold controls; the others hold samples.

    Raises Malformed when a well is named twice, NotAWell when the plate has no such well.
    """

    controls: tuple[tuple[str, ControlRole], ...] = (
        ("H11", ControlRole.NEGATIVE),
        ("H12", ControlRole.POSITIVE),
    )
    size: PlateSize = PlateSize.WELLS_96

    def __post_init__(self) -> None:
        names = [parse_well(well, self.size) for well, _ in self.controls]
        if len(set(names)) != len(names):
            raise Malformed(
                expected="one control in a well", came=", ".join(names), where="control template"
            )
        parsed = zip(names, (role for _, role in self.controls), strict=True)
        object.__setattr__(self, "controls", tuple(parsed))

    def role(self, well: str) -> ControlRole | None:
        """The control in a well, None where it is for a sample."""
        return dict(self.controls).get(well)


STANDARD_CONTROLS_96 = ControlTemplate()


def sample_wells(template: ControlTemplate = STANDARD_CONTROLS_96) -> tuple[str, ...]:
    """The wells free for samples, in filling order (94 on a 96-well plate as delivered)."""
    taken = {well for well, _ in template.controls}
    return tuple(well for well in wells(template.size) if well not in taken)


def _plate(size: PlateSize) -> str:
    return f"a {size.rows * size.columns}-well plate"
