"""Every province and commune of a scheme in memory: a list names thousands of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lims.domain.identity import name_key
from lims.domain.registration import AreaRef
from lims.sheets.faults import CellFault

_KINDS: Final = re.compile(
    r"^(?:thanh pho|tinh|phuong|xa|dac khu|thi tran|tp\b\.?|p\b\.?|x\b\.?|tt\b\.?)\s*"
)
_CODE: Final = re.compile(r"\s*([0-9]{2}|[0-9]{5})\b")
_MOST_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its code, its name without accents and with its kind, its province's name."""

    code: str
    full_key: str
    short_key: str
    province_key: str


class AreaBook:
    """Finds a unit by its code or its whole name; a province after a comma narrows it."""

    def __init__(self, scheme: str, units: Iterable[Unit]) -> None:
        self._scheme = scheme
        self._codes: set[str] = set()
        self._by_name: dict[str, list[Unit]] = {}
        self._found: dict[str, AreaRef | CellFault] = {}
        for unit in units:
            self._codes.add(unit.code)
            for key in {unit.full_key, unit.short_key}:
                self._by_name.setdefault(key, []).append(unit)

    def find(self, asked: str) -> AreaRef | CellFault:
        """The unit meant, or why there is none or more than one."""
        if asked not in self._found:
            if len(self._found) > _MOST_REMEMBERED:
                self._found.clear()
            self._found[asked] = self._look(asked)
        return self._found[asked]

    def _look(self, asked: str) -> AreaRef | CellFault:
        code = _CODE.match(asked)
        if code:
            known = code[1] in self._codes
            return AreaRef(self._scheme, code[1]) if known else CellFault.AREA_UNKNOWN
        name, *around = (name_key(part).strip() for part in re.split(r"[,;]| - ", asked))
        units = self._by_name.get(name) or self._by_name.get(_KINDS.sub("", name), [])
        if around and len(units) > 1:
            province = _KINDS.sub("", around[-1])
            units = [unit for unit in units if province and province in unit.province_key]
        if len(units) > 1:  # a province and a commune of one name: the commune says more of a door
            communes = [unit for unit in units if unit.province_key]
            units = communes if len(communes) == 1 else units
        if len(units) == 1:
            return AreaRef(self._scheme, units[0].code)
        return CellFault.AREA_SEVERAL if units else CellFault.AREA_UNKNOWN
