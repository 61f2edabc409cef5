"""One analyser each: from a message's records to measurements, or a reason why not."""

from instruments.drivers.genexpert import GeneXpert
from instruments.drivers.plate import SENDERS, Plate
from instruments.drivers.reading import Driver, Unreadable

__all__ = ["DRIVERS", "Driver", "Unreadable"]

DRIVERS: dict[str, Driver] = {driver.name: driver for driver in (GeneXpert(), *map(Plate, SENDERS))}
