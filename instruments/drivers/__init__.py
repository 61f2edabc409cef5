"""One analyser each: from a message's records to measurements, or a reason why not."""

from typing import Any

from instruments.drivers.alinity import AlinityM
from instruments.drivers.cobas import Cobas
from instruments.drivers.cobas4800 import Cobas4800
from instruments.drivers.fline import FLine
from instruments.drivers.genexpert import GeneXpert
from instruments.drivers.m2000 import M2000
from instruments.drivers.plate import SENDERS, Plate
from instruments.drivers.reading import Driver, Format, Unreadable
from instruments.drivers.sofia2 import Sofia2

__all__ = ["DRIVERS", "Driver", "Format", "Unreadable"]

_ALL: tuple[Driver[Any], ...] = (
    GeneXpert(),
    M2000(),
    Cobas(),
    Cobas4800(),
    AlinityM(),
    FLine(),
    Sofia2(),
    *map(Plate, SENDERS),
)
DRIVERS: dict[str, Driver[Any]] = {driver.name: driver for driver in _ALL}
