"""The drivers that read files, by name."""

from typing import Protocol

from instruments.drivers.cfx96 import Cfx96
from instruments.drivers.lightcycler480 import LightCycler480
from instruments.drivers.quantstudio import QuantStudio
from instruments.drivers.rdml import Rdml
from instruments.drivers.rotorgene import RotorGene
from instruments.files.export import Export
from instruments.measurement import Measurement


class FileDriver(Protocol):
    """As `drivers.Driver`, of a file instead of a message."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def measurements(self, export: Export) -> tuple[Measurement, ...]:
        """Raises `Unreadable`."""
        ...


_ALL: tuple[FileDriver, ...] = (QuantStudio(), Cfx96(), LightCycler480(), RotorGene(), Rdml())
FILE_DRIVERS: dict[str, FileDriver] = {driver.name: driver for driver in _ALL}
