"""One analyser each: from a message's records to measurements, or a reason why not."""

from typing import Any

from instruments.drivers.genexpert import GeneXpert
from instruments.drivers.plate import SENDERS, Plate
from instruments.drivers.reading import Driver, Format, Unreadable

__all__ = ["DRIVERS", "Driver", "Format", "Unreadable"]

_ALL: tuple[Driver[Any], ...] = (GeneXpert(), *map(Plate, SENDERS))
DRIVERS: dict[str, Driver[Any]] = {driver.name: driver for driver in _ALL}
