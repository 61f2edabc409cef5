"""What of a Vietnamese address two doors share: the lane (ngõ, hẻm, kiệt) or the building.

Addresses go from fine to coarse: "Số 3, ngách 12, ngõ 165 Cầu Giấy, P. Dịch Vọng". The lane is the
outermost one that is named; where none is, a hamlet, group or quarter. In the south the lane is
said by strokes: 165/12/3 Cầu Giấy lies in lane 165. A street alone is no neighbourhood: it may be
ten kilometres long. Keys are compared within one commune only.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Spot:
    """`key` to compare by, `name` as it was written."""

    key: str
    name: str


_LANE: Final = re.compile(r"\b(ngo|hem|kiet)\.? ?(?=\d)")
_HAMLET: Final = re.compile(r"\b(thon|xom|ap|to dan pho|tdp|khu pho|kp|buon|ban|to)\.? (?=\w)")
_BUILDING: Final = re.compile(
    r"\b(chung cu|toa nha|toa|block|ky tuc xa|ktx|cao oc|nha tro|khu tro|tap the)\b"
)
_STROKES: Final = re.compile(r"^(?:so nha |so )?(\d+[a-z]?)(?:/\d+[a-z]?)+ +(\D.*)$")
_COARSER: Final = re.compile(
    r"^(phuong|xa|thi tran|quan|huyen|thi xa|thanh pho|tinh|tp|p|q|x|h)\b\.?"
)
_HOUSE: Final = re.compile(r"^(?:nha so |so nha |so |nha )?(\d+[a-z]?(?:/\d+[a-z]?)*)(?=\W|$)")
_NUMBER: Final = re.compile(r"\d+")


@lru_cache(maxsize=20_000)
def lane_of(address: str | None) -> Spot | None:
    """The lane or hamlet of a door, as far as the address says one."""
    parts = _parts(address)
    for place, (key, name) in enumerate(parts):
        found = list(_LANE.finditer(key))
        if found:
            start = found[-1].start()
            rest = parts[place + 1 :]
            said = [key[start:], *(one for one, _ in rest if not _LANE.match(one))]
            if any(_LANE.match(one) for one, _ in rest):
                continue  # an outer lane follows
            lane = re.sub(_LANE, "ngo ", " ".join(said[:2]), count=1)
            return Spot(lane, ", ".join([name[start:], *(w for _, w in rest[:1])]))
        if strokes := _STROKES.match(key):
            number, street = strokes.groups()
            return Spot(f"ngo {number} {street}", f"{number}/… {name[strokes.start(2) :]}")
    return _from(_HAMLET, parts)


@lru_cache(maxsize=20_000)
def building_of(address: str | None) -> Spot | None:
    """The block of flats, dormitory or lodging house of a door."""
    return _from(_BUILDING, _parts(address))


@lru_cache(maxsize=20_000)
def house_of(address: str | None) -> Spot | None:
    """The house by its number and all that follows up to the ward, however it is punctuated; none
    where the address begins with a lane, a hamlet or a building, or says nothing but a number."""
    parts = _parts(address)
    if not parts or (found := _HOUSE.match(parts[0][0])) is None:
        return None
    rest = " ".join([parts[0][0][found.end() :], *(key for key, _ in parts[1:])]).split()
    if not rest:
        return None
    return Spot(" ".join([found.group(1), *rest]), ", ".join(name for _, name in parts))


def by_door(address: str | None) -> tuple[int, str]:
    """To sort doors as one walks: by the house number, which is the first one said."""
    found = _NUMBER.search(address or "")
    return (int(found.group()) if found else 1_000_000, address or "")


def _from(words: re.Pattern[str], parts: list[tuple[str, str]]) -> Spot | None:
    for key, name in parts:
        if found := words.search(key):
            return Spot(key[found.start() :], name[found.start() :])
    return None


def _parts(address: str | None) -> list[tuple[str, str]]:
    """The parts between commas, folded and as written, up to the ward: letter for letter alike."""
    made = []
    for part in (address or "").split(","):
        name = " ".join(unicodedata.normalize("NFC", part).split())
        key = "".join(map(_folded, name))
        if _COARSER.match(key):
            break
        if key:
            made.append((key, name))
    return made


def _folded(letter: str) -> str:
    bare = unicodedata.normalize("NFD", letter)[0].lower()
    return "d" if bare == "đ" else bare
