"""Plate geometry: which wells a plate has, in filling order, and which hold controls.

Well names and numbering as ANSI/SLAS 4-2004 (R2012): rows are letters from the top, columns are
numbers from the left. Filling goes down the columns, as an eight-channel pipette does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum

from lims.domain.refusals import Malformed, NotAWell

_WELL = re.compile(r"([A-P])0?([1-9][0-9]?)")


class PlateSize(IntEnum):
    """A plate format; the value is its number of wells."""

    WELLS_96 = 96
    WELLS_384 = 384

    @property
    def rows(self) -> int:
        return 8 if self is PlateSize.WELLS_96 else 16

    @property
    def columns(self) -> int:
        return 12 if self is PlateSize.WELLS_96 else 24

    @property
    def row_letters(self) -> str:
        """`ABCDEFGH`, or as far as `P`."""
        return "ABCDEFGHIJKLMNOP"[: self.rows]


class ControlRole(Enum):
    NEGATIVE = "negative"  # no-template control (NTC)
    POSITIVE = "positive"
    EXTRACTION = "extraction"


def well_name(row: int, column: int, size: PlateSize = PlateSize.WELLS_96) -> str:
    """`A01` for row 0, column 0 (counted from nought); raises NotAWell outside the plate."""
    if not (0 <= row < size.rows and 0 <= column < size.columns):
        raise NotAWell(came=f"row {row}, column {column}", where=_plate(size))
    return f"{size.row_letters[row]}{column + 1:02d}"


def parse_well(text: str, size: PlateSize = PlateSize.WELLS_96) -> str:
    """`A01` from `a1`, `A1`, `A01`; raises NotAWell."""
    match = _WELL.fullmatch(text.strip().upper())
    if match is None:
        raise NotAWell(came=text[:20], where=_plate(size))
    row, column = ord(match[1]) - ord("A"), int(match[2]) - 1
    if row >= size.rows or column >= size.columns:
        raise NotAWell(came=text[:20], where=_plate(size))
    return well_name(row, column, size)


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

    Raises Malformed when a well is named twice or a plate would have no verdict (it needs a
    control without template and a positive one, ``lims.domain.controls``) or no sample,
    NotAWell when the plate has no such well.
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
        roles = {role for _, role in self.controls}
        if ControlRole.POSITIVE not in roles or not roles - {ControlRole.POSITIVE}:
            raise Malformed(
                expected="a positive and a negative control, or no run on it could pass",
                came=", ".join(sorted(role.value for role in roles)) or "no control",
                where="control template",
            )
        if len(names) >= self.size:
            raise Malformed(
                expected="wells left for samples", came=f"{len(names)}", where="control template"
            )
        parsed = zip(names, (role for _, role in self.controls), strict=True)
        object.__setattr__(self, "controls", tuple(parsed))

    def role(self, well: str) -> ControlRole | None:
        """The control in a well, None where it is for a sample."""
        return dict(self.controls).get(well)


STANDARD_CONTROLS_96 = ControlTemplate()
# The last corner twice over: a 384-well plate is read in four quadrants of interleaved wells, and
# one splash there should not cost the run its only control of a kind.
STANDARD_CONTROLS_384 = ControlTemplate(
    controls=(
        ("O23", ControlRole.NEGATIVE),
        ("P23", ControlRole.NEGATIVE),
        ("O24", ControlRole.POSITIVE),
        ("P24", ControlRole.POSITIVE),
    ),
    size=PlateSize.WELLS_384,
)
STANDARD_CONTROLS = (STANDARD_CONTROLS_96, STANDARD_CONTROLS_384)


def sample_wells(template: ControlTemplate = STANDARD_CONTROLS_96) -> tuple[str, ...]:
    """The wells free for samples, in filling order (94 and 380 on the plates as delivered)."""
    taken = {well for well, _ in template.controls}
    return tuple(well for well in wells(template.size) if well not in taken)


def _plate(size: PlateSize) -> str:
    return f"a {int(size)}-well plate"
