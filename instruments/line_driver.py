"""Which driver reads a line: one of ours by its name, or what a laboratory's profile describes; and
whether our own barcodes are checked on the way (`drivers.own_ids`)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from instruments.drivers import Driver
from instruments.drivers.exports import ALL_DRIVERS
from instruments.drivers.own_ids import OwnIds
from instruments.drivers.profile_driver import TableProfile, driver_from
from instruments.drivers.profile_toml import BadProfile
from instruments.drivers.reading import Format
from instruments.files.folder import TAKEN_NAMES

_SITE: Final = re.compile(r"[0-9A-Z]{2}")


class NoSuchDriver(ValueError):
    """What was said names no driver. `faults` are for a person, one a line."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class LineDriver:
    """`names`: which files of a folder are taken. `profile`: the file that describes the driver.
    `sites`: whose barcodes it checks."""

    driver: Driver[Any]
    names: tuple[str, ...] = TAKEN_NAMES
    profile: Path | None = None
    sites: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.driver.name

    @property
    def reads_files(self) -> bool:
        return self.driver.format is Format.FILE

    def told(self) -> dict[str, Any]:
        """As it is kept beside what was read: plain JSON values."""
        profile = str(self.profile) if self.profile else None
        return {"driver": self.name, "profile": profile, "sites": [*self.sites]}


def line_driver(name: str | None, profile: Path | None, sites: Collection[str] = ()) -> LineDriver:
    """Of exactly one of a driver's name and a profile's file; with `sites`, the first characters of
    our barcodes, their check character is verified. Raises NoSuchDriver with every fault."""
    wrong = [site for site in sites if not _SITE.fullmatch(site)]
    faults = [f"sites: expected two of 0-9 and A-Z, came {site!r}" for site in wrong]
    try:
        found = _found(name, profile)
    except NoSuchDriver as refused:
        raise NoSuchDriver([*refused.faults, *faults]) from refused
    if faults:
        raise NoSuchDriver(faults)
    if not sites:
        return found
    return replace(found, driver=OwnIds(found.driver, sites), sites=tuple(sites))


def _found(name: str | None, profile: Path | None) -> LineDriver:
    if name is not None and profile is None:
        return _named(name)
    if profile is not None and name is None:
        return _described(profile)
    raise NoSuchDriver(["driver: expected either driver or profile"])


def _named(name: str) -> LineDriver:
    if name not in ALL_DRIVERS:
        known = ", ".join(sorted(ALL_DRIVERS))
        raise NoSuchDriver([f"driver: expected one of {known}; came {name!r}"])
    return LineDriver(ALL_DRIVERS[name])


def _described(path: Path) -> LineDriver:
    try:
        driver = driver_from(path)
    except BadProfile as bad:
        raise NoSuchDriver(f"profile {path.name}: {fault}" for fault in bad.faults) from bad
    except OSError as error:
        raise NoSuchDriver([f"profile: {path}: {error.strerror}"]) from error
    names = driver.profile.table.names if isinstance(driver, TableProfile) else TAKEN_NAMES
    return LineDriver(driver, names, path.resolve())


def told_driver(
    told: Mapping[str, Any],
    driver: str | None = None,
    profile: Path | None = None,
    sites: Collection[str] = (),
) -> LineDriver:
    """Of what `LineDriver.told` said, unless another is named now. Raises NoSuchDriver."""
    if driver is None and profile is None:
        driver, profile = told.get("driver"), told.get("profile") and Path(told["profile"])
        if profile:
            driver = None
        elif driver is None:
            raise NoSuchDriver(["expected --driver or --profile: which analyser was it?"])
    return line_driver(driver, profile, sites or told.get("sites", ()))
