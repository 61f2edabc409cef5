"""A driver asked what it reads in a message: measurements, or why there are none.

What the LIMS could not take is quarantined here and not there: a message that it refuses as
malformed would lie in the gateway's dead letters, where nobody in the laboratory looks.
"""

import traceback
from collections.abc import Iterator
from typing import Any, Final

import structlog

from instruments.drivers import Driver, Unreadable
from instruments.measurement import Measurement, Quarantine

LONGEST_TEXT: Final = 200  # characters of an id, a name or a call, as `POST /api/v1/messages` takes
LONGEST_DETAIL: Final = 500
MOST_MEASUREMENTS: Final = 5000
MOST_SPECIMENS: Final = 100
MOST_TARGETS: Final = 100
MOST_FLAGS: Final = 50

_log = structlog.get_logger()


def driven(
    driver: Driver[Any], message: object
) -> tuple[tuple[Measurement, ...], Quarantine | None]:
    """Never raises."""
    try:
        measured = driver.measurements(message)
    except Unreadable as why:
        return (), quarantined(why.reason, why.detail)
    except Exception as error:  # a driver's fault must not stop the line
        place = traceback.extract_tb(error.__traceback__)[-1]  # the place, never the values
        at = f"{type(error).__name__} at {place.name}:{place.lineno}"
        _log.error("driver fault", driver=driver.name, at=at)
        return (), Quarantine("driver-fault", at)
    if why_not := _untellable(measured):
        return (), quarantined("untellable", why_not)
    return measured, None


def quarantined(reason: str, detail: str) -> Quarantine:
    """`detail` may quote what came: without NUL, and not all of it."""
    return Quarantine(reason, detail.replace("\0", "␀")[:LONGEST_DETAIL])


def _untellable(measured: tuple[Measurement, ...]) -> str | None:
    """What in these the LIMS cannot take, for a person."""
    if len(measured) > MOST_MEASUREMENTS:
        return f"{len(measured)} measurements in one message, at most {MOST_MEASUREMENTS}"
    if len({m.path for m in measured}) < len(measured):
        return "two measurements were read in one place"
    for m in measured:
        texts = [*_texts(m)]
        if "\0" in "".join(texts):
            return f"{m.path}: a NUL stands in a text: noise of the line, or no text"
        if max(map(len, texts)) > LONGEST_TEXT:
            return f"{m.path}: a text of {max(map(len, texts))} characters, at most {LONGEST_TEXT}"
        if (
            len(m.specimens) > MOST_SPECIMENS
            or len(m.targets) > MOST_TARGETS
            or len(m.flags) > MOST_FLAGS
        ):
            return f"{m.path}: more specimens, targets or flags than a measurement has"
    return None


def _texts(m: Measurement) -> Iterator[str]:
    yield from (m.path, m.assay, *m.specimens, *m.flags)
    yield from (text for text in (m.run, m.well, m.call, m.measured_at, m.error) if text)
    for target in m.targets:
        yield target.target
        if target.call:
            yield target.call
