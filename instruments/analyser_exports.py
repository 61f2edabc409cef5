"""What a simulated QuantStudio exports of a plate: the text file of `drivers/quantstudio.py`."""

from collections.abc import Sequence
from datetime import datetime
from itertools import cycle

from instruments.analyser_messages import Well
from instruments.drivers.plate import CONTROLS
from instruments.measurement import Role

_NAMES = {role: name for name, role in CONTROLS.items()}
_SETUP = ("Well", "Well Position", "Sample Name", "Target Name", "Task")
_RESULTS = (*_SETUP[:2], "Omit", *_SETUP[2:], "Reporter", "Quencher", "CT", "Ct Threshold")
_REPORTERS = ("FAM", "VIC", "CY5", "ROX", "NED", "TAMRA")
_COLUMNS = 12


def quantstudio_export(
    plate: str, wells: Sequence[Well], *, serial: str, ended_at: datetime
) -> bytes:
    """Of a plate of 96. `ended_at` is printed as the instrument's clock shows it, without a zone. A
    control goes by its kind's name; a well with an error is one that was left out."""
    header = {
        "Block Type": "96-Well Block (0.2mL)",
        "Chemistry": "TAQMAN",
        "Experiment Barcode": plate,
        "Experiment Run End Time": f"{ended_at:%Y-%m-%d %I:%M:%S %p} ICT",
        "Experiment Type": "Standard Curve",
        "Instrument Serial Number": serial,
        "Instrument Type": "QuantStudio(TM) 5 System",
    }
    ordered = sorted(wells, key=lambda well: _number(well.well))
    lines = [f"* {key} = {value}" for key, value in header.items()]
    lines += ["", "[Sample Setup]", "\t".join(_SETUP)]
    lines += ["\t".join(cells) for well in ordered for cells in _setup(well)]
    lines += ["", "[Results]", "\t".join(_RESULTS)]
    lines += ["\t".join(cells) for well in ordered for cells in _results(well)]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


def _setup(well: Well) -> list[list[str]]:
    name = _NAMES.get(well.role, well.specimen)
    task = "NTC" if well.role is Role.NEGATIVE_CONTROL else "UNKNOWN"
    place = [str(_number(well.well)), _position(well.well), name]
    return [[*place, target, task] for target in well.targets]


def _results(well: Well) -> list[list[str]]:
    rows = []
    for (*place, name, target, task), ct, reporter in zip(
        _setup(well), well.targets.values(), cycle(_REPORTERS), strict=False
    ):
        said = "Undetermined" if ct is None else f"{ct:.3f}"
        omit = "true" if well.error else "false"
        shown = "" if well.error else said
        rows.append([*place, omit, name, target, task, reporter, "NFQ-MGB", shown, "0.200"])
    return rows


def _number(well: str) -> int:
    """Along the rows, from 1."""
    return (ord(well[0]) - ord("A")) * _COLUMNS + int(well[1:])


def _position(well: str) -> str:
    return f"{well[0]}{int(well[1:])}"
