"""Our own tube barcodes, checked where they come off the line.

A frame's sum cannot see two bytes that changed places, so an id may come over wrong under a right
checksum. Our barcodes carry a check character (ISO/IEC 7064:2003, MOD 37,36): eleven characters
that begin with the site's two and do not agree with their last were not printed by us, and then
nothing of the message is trusted. Other laboratories' ids pass as they are, but for one that holds
a control character or a space: no label says such a thing, and one of ours that took up a byte of
the line's noise is no longer eleven characters.

The rule of the check character is written a second time here (it is also in the LIMS' domain):
what stands beside the analyser imports nothing of the LIMS. A test compares the two.
"""

import re
from collections.abc import Collection
from typing import Generic, Protocol, TypeVar

from instruments.drivers.reading import Format, Unreadable
from instruments.measurement import Measurement, Role

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_SHAPE = re.compile(r"[0-9A-Z]{11}")

M_contra = TypeVar("M_contra", contravariant=True)


class _Reads(Protocol[M_contra]):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def format(self) -> Format: ...

    def measurements(self, message: M_contra) -> tuple[Measurement, ...]: ...


def agrees(barcode: str) -> bool:
    """Whether the last of the eleven characters is the check character of the ten before it."""
    product = 36
    for character in barcode[:-1]:
        product = (product + _VALUE[character]) % 36 or 36
        product = product * 2 % 37
    return _ALPHABET[(37 - product) % 36] == barcode[-1]


class OwnIds(Generic[M_contra]):
    """A driver whose specimens' ids are checked, for the sites whose tubes come to it."""

    def __init__(self, driver: _Reads[M_contra], sites: Collection[str]) -> None:
        """`sites`: the two characters with which our barcodes begin."""
        self._driver = driver
        self._sites = tuple(sites)
        self.name = driver.name
        self.version = driver.version
        self.format = driver.format

    def measurements(self, message: M_contra) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: id-characters, check-character, and whatever the driver does."""
        measured = self._driver.measurements(message)
        for each in measured:
            if each.role is Role.SPECIMEN:
                self._refuse_misread(each)
        return measured

    def _refuse_misread(self, measured: Measurement) -> None:
        for specimen in measured.specimens:
            if not specimen.isprintable() or any(each.isspace() for each in specimen):
                raise Unreadable(
                    "id-characters",
                    f"{measured.path}: {specimen!r} holds a space or a control character",
                )
            ours = specimen.startswith(self._sites) and _SHAPE.fullmatch(specimen)
            if ours and not agrees(specimen):
                raise Unreadable(
                    "check-character", f"{measured.path}: {specimen} disagrees with its check"
                )
