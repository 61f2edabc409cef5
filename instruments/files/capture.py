"""A file to a capture: what its driver reads in it, or why not."""

import traceback
from datetime import datetime

import structlog

from instruments.drivers.exports import FileDriver
from instruments.drivers.reading import Unreadable
from instruments.files.export import Export
from instruments.measurement import Capture, Measurement, Quarantine

_log = structlog.get_logger()


def file_capture(driver: FileDriver, export: Export, instrument: str, at: datetime) -> Capture:
    """Never raises: what cannot be read is quarantined whole, with its bytes. A file is always a
    complete message; one that was written in two goes is two messages."""
    measurements, quarantine = _measured(driver, export)
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


def _measured(
    driver: FileDriver, export: Export
) -> tuple[tuple[Measurement, ...], Quarantine | None]:
    try:
        return driver.measurements(export), None
    except Unreadable as why:
        return (), Quarantine(why.reason, why.detail)
    except Exception as error:  # a driver's fault must not stop the folder
        told = traceback.extract_tb(error.__traceback__)[-1]  # the place, never the values
        at = f"{type(error).__name__} at {told.name}:{told.lineno}"
        _log.error("driver fault", driver=driver.name, at=at)
        return (), Quarantine("driver-fault", at)
