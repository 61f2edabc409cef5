"""Find a province or commune by name, with or without accents, or by code."""

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.identity import name_key

_CODE: Final = re.compile(r"\s*([0-9]{2}|[0-9]{5})\b")


@dataclass(frozen=True, slots=True)
class AreaFound:
    """A unit as shown in a list: "00166 · Phường Cầu Giấy, Hà Nội"."""

    scheme: str
    code: str
    level: str
    full_name: str
    province: str | None

    @property
    def shown(self) -> str:
        place = f", {self.province}" if self.province else ""
        return f"{self.code} · {self.full_name}{place}"


def find_areas(session: Session, scheme: str, asked: str, *, most: int = 12) -> list[AreaFound]:
    """The units a person may mean, the likeliest first: exact names, then beginnings, then parts.

    A text that begins with a code (2 or 5 digits) means that unit alone. A province may follow a
    comma: "Cầu Giấy, Hà Nội".
    """
    code = _CODE.match(asked)
    if code:
        return [
            _found(row) for row in session.execute(_BY_CODE, {"scheme": scheme, "code": code[1]})
        ]
    name, _comma, province = asked.partition(",")
    key = _without_kind(name_key(name))
    if len(key) < 2:
        return []
    rows = session.execute(
        _BY_NAME,
        {"scheme": scheme, "key": key, "province": name_key(province).strip(), "most": most},
    )
    return [_found(row) for row in rows]


def the_one_meant(found: list[AreaFound], asked: str) -> AreaFound | None:
    """The only one found, else the only one whose full or short name is what was typed.

    "Phường Tân An, Cần Thơ" is one unit though "Phường Tân An Hội" begins alike.
    """
    if len(found) == 1:
        return found[0]
    key = name_key(asked.partition(",")[0]).strip()
    for named in (
        [one for one in found if name_key(one.full_name) == key],
        [one for one in found if _without_kind(name_key(one.full_name)) == _without_kind(key)],
    ):
        if len(named) == 1:
            return named[0]
    return None


def _without_kind(key: str) -> str:
    """People type "phường Cầu Giấy"; the key is of the short name."""
    for kind in ("thanh pho ", "tinh ", "phuong ", "xa ", "dac khu "):
        if key.startswith(kind):
            return key.removeprefix(kind)
    return key


def _found(row: Row[Any]) -> AreaFound:
    return AreaFound(row.scheme, row.code, row.level, row.full_name, row.province)


_COLUMNS = """
    SELECT area.scheme, area.code, area.level, area.full_name, parent.name AS province
      FROM area LEFT JOIN area AS parent
        ON parent.scheme = area.scheme AND parent.code = area.parent_code
     WHERE area.scheme = :scheme
"""
_BY_CODE = text(_COLUMNS + " AND area.code = :code")
_BY_NAME = text(
    _COLUMNS
    + """
       AND strpos(area.name_key, :key) > 0
       AND (:province = '' OR strpos(parent.name_key, :province) > 0)
     ORDER BY area.name_key <> :key, strpos(area.name_key, :key) <> 1, area.level, area.name_key,
              area.code
     LIMIT :most
    """
)
