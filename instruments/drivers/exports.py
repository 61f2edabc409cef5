"""The drivers that read files, by name."""

from typing import Any

from instruments.drivers import DRIVERS
from instruments.drivers.cfx96 import Cfx96
from instruments.drivers.lightcycler480 import LightCycler480
from instruments.drivers.quantstudio import QuantStudio
from instruments.drivers.rdml import Rdml
from instruments.drivers.reading import Driver
from instruments.drivers.rotorgene import RotorGene
from instruments.files.export import Export

FileDriver = Driver[Export]

_ALL: tuple[FileDriver, ...] = (QuantStudio(), Cfx96(), LightCycler480(), RotorGene(), Rdml())
FILE_DRIVERS: dict[str, FileDriver] = {driver.name: driver for driver in _ALL}
ALL_DRIVERS: dict[str, Driver[Any]] = {**DRIVERS, **FILE_DRIVERS}
