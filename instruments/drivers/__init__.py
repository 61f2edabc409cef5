"""One analyser each: from a message's records to measurements, or a reason why not."""

from instruments.drivers.genexpert import GeneXpert
from instruments.drivers.m2000 import M2000
from instruments.drivers.plate import SENDERS, Plate
from instruments.drivers.reading import Driver, Unreadable

__all__ = ["DRIVERS", "Driver", "Unreadable"]

_ALL: tuple[Driver, ...] = (GeneXpert(), M2000(), *map(Plate, SENDERS))
DRIVERS: dict[str, Driver] = {driver.name: driver for driver in _ALL}
