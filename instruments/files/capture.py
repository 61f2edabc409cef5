"""A file to a capture: what its driver reads in it, or why not."""

from datetime import datetime

from instruments.driven import driven
from instruments.drivers.exports import FileDriver
from instruments.files.export import Export
from instruments.measurement import Capture


def file_capture(driver: FileDriver, export: Export, instrument: str, at: datetime) -> Capture:
    """Never raises: what cannot be read is quarantined whole, with its bytes. A file is always a
    complete message; one that was written in two goes is two messages."""
    measurements, quarantine = driven(driver, export)
    return Capture(
        digest=export.digest,
        instrument=instrument,
        driver=driver.name,
        driver_version=driver.version,
        captured_at=at.isoformat(timespec="microseconds"),
        complete=True,
        raw=export.content,
        measurements=measurements,
        quarantine=quarantine,
    )
