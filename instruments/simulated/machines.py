"""Every driver's machine: what it reports, and the messages or files that it makes of what it was
told. `MACHINES` has one for each driver; a test says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from instruments.analyser_exports import quantstudio_export
from instruments.analyser_messages import (
    Well,
    encoded,
    genexpert_message,
    m2000_message,
    plate_message,
)
from instruments.drivers.reading import Format
from instruments.misbehaviour import Order
from instruments.simulated.exports import (
    cfx_export,
    lightcycler_export,
    rdml_export,
    rotorgene_export,
)
from instruments.simulated.hl7_messages import (
    STRIP_TARGET,
    alinity_message,
    amplified,
    cobas4800_message,
    cobas_message,
    fline_message,
)
from instruments.simulated.poct1 import Observed
from instruments.simulated.poct1_messages import ANALYTE, sofia_message
from instruments.simulated.said import Said

_FULL_COLUMNS: Final = 12  # of a plate of 96


@dataclass(frozen=True, slots=True)
class Block:
    """An HL7 message to send."""

    name: str
    message: bytes


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to write."""

    name: str
    file_name: str
    content: bytes


Task = Order | Block | Observed | ExportFile
Says = Callable[[Said, str, datetime], Sequence[Task]]
"""What was said, the serial number, the end of the run. Raises ValueError, as a sentence, for what
the machine has no place for."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What the machine's assay reports. `control`: its internal control, where it has one. `words`:
    its own for positive, negative, invalid and error, where it sends one for the whole test.
    `judges`: it calls each result itself, so a test whose control failed is told as an error and
    never as numbers. A strip has no `cycles`."""

    genes: tuple[str, ...]
    control: str | None = None
    words: tuple[str, str, str, str] | None = None
    judges: bool = False
    cycles: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    """`plates`: it measures plates, and has to be told which, and where a tube stands.
    `hangs_up`: after a message and its answer."""

    format: Format
    kit: Kit
    says: Says
    plates: bool = False
    hangs_up: bool = False


def _plate(told: Said, serial: str, ended_at: datetime) -> list[Order]:
    _refuse_without_plate(told)
    printed = plate_message(told.plate, told.wells, serial=serial, ended_at=ended_at)
    return [Order(told.name, tuple(encoded(printed)), packed=False)]


def _genexpert(told: Said, serial: str, ended_at: datetime) -> list[Order]:
    orders = []
    for well in told.specimens:
        printed = genexpert_message(
            well.specimen.split(","),
            well.targets,
            call=well.call or ("POSITIVE" if amplified(well.targets) else "NEGATIVE"),
            serial=serial,
            ended_at=ended_at,
            error=well.error,
        )
        orders.append(Order(well.specimen, tuple(encoded(printed)), packed=True))
    return orders


def _m2000(told: Said, serial: str, ended_at: datetime) -> list[Order]:
    _refuse_without_plate(told)
    orders = []
    for well in told.specimens:
        if len(well.targets) > 1:
            raise ValueError(f"an m2000 reports one target a tube, not {len(well.targets)}")
        printed = m2000_message(
            well.specimen,
            plate=told.plate,
            well=well.well,
            ct_cycles=next(iter(well.targets.values()), None),
            serial=serial,
            ended_at=ended_at,
            error=well.error,
        )
        orders.append(Order(well.specimen, tuple(encoded(printed)), packed=False))
    return orders


def _told_singly(told: Said) -> tuple[Well, ...]:
    """The controls of a plate that the LIMS laid out are no tubes of a machine that has no plates;
    one that was said by itself is sent."""
    return told.wells if len(told.wells) == 1 else told.specimens


def _each(
    message: Callable[..., bytes], told: Said, serial: str, ended_at: datetime
) -> list[Block]:
    """A tube, a message."""
    return [
        Block(well.specimen, message(well, serial=serial, ended_at=ended_at, number=number))
        for number, well in enumerate(_told_singly(told), start=1)
    ]


def _sofia2(told: Said, serial: str, ended_at: datetime) -> list[Observed]:
    return [
        Observed(well.specimen, sofia_message(well, ended_at=ended_at, number=number), serial)
        for number, well in enumerate(_told_singly(told), start=1)
    ]


def _cobas4800(told: Said, serial: str, ended_at: datetime) -> list[Block]:
    message = cobas4800_message(told.wells, serial=serial, ended_at=ended_at, number=1)
    return [Block(told.name, message)]


def _quantstudio(told: Said, serial: str, ended_at: datetime) -> list[ExportFile]:
    content = quantstudio_export(
        _refuse_without_plate(told), told.wells, serial=serial, ended_at=ended_at
    )
    return [ExportFile(told.name, f"{told.plate}.txt", content)]


def _cfx96(told: Said, _serial: str, ended_at: datetime) -> list[ExportFile]:
    content = cfx_export(_refuse_without_plate(told), told.wells, ended_at=ended_at)
    return [ExportFile(told.name, f"{told.plate} -  Quantification Cq Results.csv", content)]


def _lightcycler480(told: Said, _serial: str, _ended_at: datetime) -> list[ExportFile]:
    content = lightcycler_export(_refuse_without_plate(told), told.wells)
    return [ExportFile(told.name, f"{told.plate}.txt", content)]


def _rotorgene(told: Said, _serial: str, ended_at: datetime) -> list[ExportFile]:
    content = rotorgene_export(_refuse_without_plate(told), told.wells, ended_at=ended_at)
    return [ExportFile(told.name, f"{told.plate}.csv", content)]


def _rdml(told: Said, _serial: str, _ended_at: datetime) -> list[ExportFile]:
    plate = _refuse_without_plate(told)
    small = all(well.well[0] <= "H" and int(well.well[1:]) <= _FULL_COLUMNS for well in told.wells)
    content = rdml_export(plate, told.wells, columns=12 if small else 24)
    return [ExportFile(told.name, f"{plate}.rdml", content)]


def _refuse_without_plate(told: Said) -> str:
    if not told.plate:
        raise ValueError("this machine measures plates: say which (plate, or run)")
    if lost := [well.specimen or str(well.role) for well in told.wells if not _placed(well)]:
        raise ValueError(f"no well is said for {', '.join(lost[:5])}")
    return told.plate


def _placed(well: Well) -> bool:
    return well.well[:1].isalpha() and well.well[1:].isdigit()


_PLATE_KIT: Final = Kit(("ORF1ab", "N"), "IC")
_ASTM_PLATE: Final = Machine(Format.ASTM, _PLATE_KIT, _plate, plates=True)
MACHINES: Final[dict[str, Machine]] = {
    "genexpert": Machine(
        Format.ASTM,
        Kit(("E", "N2"), "SPC", ("POSITIVE", "NEGATIVE", "INVALID", "ERROR")),
        _genexpert,
    ),
    "m2000": Machine(Format.ASTM, Kit(("SARS2",), judges=True), _m2000, plates=True),
    "plate": _ASTM_PLATE,
    "plate96": _ASTM_PLATE,
    "cobas": Machine(
        Format.HL7, Kit(("ORF1ab", "E"), "IC", judges=True), partial(_each, cobas_message)
    ),
    "cobas4800": Machine(Format.HL7, Kit(("0BHIV1",), judges=True), _cobas4800),
    "alinity-m": Machine(
        Format.HL7, Kit(("SARS-CoV-2",), "IC", judges=True), partial(_each, alinity_message)
    ),
    "fline": Machine(
        Format.HL7,
        Kit((STRIP_TARGET,), words=("Positive", "Negative", "Invalid", "Invalid"), cycles=False),
        partial(_each, fline_message),
        hangs_up=True,
    ),
    "sofia2": Machine(
        Format.POCT1,
        Kit((ANALYTE,), words=("positive", "negative", "invalid", "invalid"), cycles=False),
        _sofia2,
    ),
    "quantstudio": Machine(Format.FILE, _PLATE_KIT, _quantstudio, plates=True),
    "cfx96": Machine(Format.FILE, _PLATE_KIT, _cfx96, plates=True),
    "lightcycler480": Machine(
        Format.FILE, Kit(("FAM (465-510)",), judges=True), _lightcycler480, plates=True
    ),
    "rotorgene": Machine(Format.FILE, _PLATE_KIT, _rotorgene, plates=True),
    "rdml": Machine(Format.FILE, _PLATE_KIT, _rdml, plates=True),
}
