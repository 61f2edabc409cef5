"""A design as people write it, and back.

    D2      11                    one pool of 11, then everybody alone
    D3      25: 5×5               pools of 5 inside it, five of them; or 40: 7,7,7,7,6,6
    D4      36: 9(3×3)×4          four pools of 9, each parted into three of 3
    A2      25×25                 rows and columns
    A2M     6×6                   the same, after one pool of all 36
    cohort  3 of 24: 6×4; 2 of 1  several, for people in ascending order of risk

``x`` and ``*`` do for ``×``; the total before the colon may be left out where parts are given.
The literature's D3(25:5:1), A2(25:1) and A2M(36:6:1) are read too, without the letters.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Design,
    Group,
    Hierarchical,
    SquareArray,
)
from lims.domain.refusals import NotADesign

_TOKEN: Final = re.compile(r"\s*(?:(?P<number>\d{1,4})|(?P<sign>[():,×]))", re.ASCII)
_SQUARE: Final = re.compile(
    r"(?:(?P<total>\d{1,5})\s*:\s*)?(?P<side>\d{1,3})\s*(?:×\s*(?P<same>\d{1,3})|²)?",
    re.ASCII,
)
_BY_STAGE: Final = re.compile(r"\d{1,4}(?:\s*:\s*\d{1,4})*\s*:\s*1", re.ASCII)
_SEVERAL: Final = re.compile(r"\s*(?:(?P<times>\d{1,4})\s+of\s+)?(?P<design>.+)", re.ASCII)
_MOST_LETTERS: Final = 20_000
_MOST_PEOPLE: Final = 10_000
_MOST_STAGES: Final = 4


def written(design: Design | Cohort) -> str:
    """In one line."""
    match design:
        case SquareArray():
            return f"{design.side}×{design.side}"
        case Hierarchical():
            parts = design.master.parts
            inside = f": {_parts(parts)}" if parts else ""
            return f"{design.people}{inside}"
        case Cohort():
            runs = [(one, len(list(same))) for one, same in groupby(map(written, design.designs))]
            return "; ".join(f"{times} of {one}" if times > 1 else one for one, times in runs)


def _parts(parts: Sequence[Group]) -> str:
    runs = [(part, len(list(same))) for part, same in groupby(parts)]
    if all(not part.parts for part in parts) and len(runs) > 1:
        return ",".join(str(part.people) for part in parts)
    return ",".join(_part(part) + (f"×{times}" if times > 1 else "") for part, times in runs)


def _part(part: Group) -> str:
    return f"{part.people}({_parts(part.parts)})" if part.parts else str(part.people)


def read(text: str, algorithm: Algorithm) -> Design | Cohort:
    """What was written, for this algorithm. Raises NotADesign."""
    came = text.strip()
    pieces = [piece for piece in re.sub(r"[xX*]", "×", came).split(";") if piece.strip()]
    if not pieces or len(came) > _MOST_LETTERS:
        raise NotADesign(came=came[:40])
    designs = [design for piece in pieces for design in _several(piece, algorithm)]
    if len(designs) == 1:
        return designs[0]
    return Cohort(tuple(designs))


def _several(text: str, algorithm: Algorithm) -> list[Design]:
    found = _SEVERAL.fullmatch(text)
    times = int((found and found["times"]) or 1)
    body = found["design"].strip() if found else ""
    design = _one(body, algorithm)
    if not 1 <= times * design.people <= _MOST_PEOPLE:
        raise NotADesign(came=text.strip()[:40])
    return [design] * times


def _one(text: str, algorithm: Algorithm) -> Design:
    if text == "1":
        return Hierarchical(Group(1))
    if not algorithm.hierarchical:
        return _square(text, master=algorithm is Algorithm.A2M)
    by_stage = _BY_STAGE.fullmatch(text)
    master = (
        _alike([int(size) for size in text.split(":")]) if by_stage else _Reading(text).master()
    )
    design = Hierarchical(master)
    if design.stages > algorithm.stages:
        raise NotADesign(
            came=text[:40],
            expected="no more stages than the algorithm has",
            todo="choose the algorithm with as many stages, or part the pool fewer times",
        )
    return design


def _alike(sizes: Sequence[int]) -> Group:
    """Of pools that are alike at each stage: 25, 5, 1. Raises NotADesign."""
    people, *inner = sizes
    if len(inner) <= 1:
        return Group(people)
    if people <= inner[0] or people % inner[0]:
        raise NotADesign(came=":".join(map(str, sizes))[:40])
    return Group(people, (_alike(inner),) * (people // inner[0]))


def _square(text: str, *, master: bool) -> SquareArray:
    found = _SQUARE.fullmatch(re.sub(r"\s*:\s*1$", "", text))
    side = int(found["side"]) if found else 0
    same, total = (int((found and found[name]) or 0) for name in ("same", "total"))
    if side < 2 or same not in {0, side} or total not in {0, side * side}:
        raise NotADesign(
            came=text[:40],
            expected="a square: as many rows as columns, 2 or more",
            todo="write it as 12×12",
        )
    return SquareArray(side, master)


class _Reading:
    """A tree of groups, token by token: ``[total:] part,part,…``, part = ``n[(parts)][×times]``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut(text))
        self._at = 0

    def master(self) -> Group:
        if len(self._tokens) == 1:
            return self._group(self._number(), ())
        total = None
        if self._tokens[1:2] == [":"]:
            total = self._number()
            self._at += 1
        parts = self._parts()
        people = sum(part.people for part in parts)
        if self._at != len(self._tokens) or total not in (None, people):
            raise self._refused()
        return self._group(people, parts)

    def _parts(self, depth: int = 1) -> tuple[Group, ...]:
        if depth > _MOST_STAGES:
            raise self._refused()
        parts: list[Group] = []
        while True:
            people = self._number()
            inside = self._parts(depth + 1) if self._comes("(") else ()
            if inside and not self._comes(")"):
                raise self._refused()
            times = self._number() if self._comes("×") else 1
            if times * people > _MOST_PEOPLE:
                raise self._refused()
            parts += [self._group(people, inside)] * times
            if not self._comes(","):
                return tuple(parts)

    def _group(self, people: int, parts: tuple[Group, ...]) -> Group:
        fits = not parts or (len(parts) > 1 and sum(part.people for part in parts) == people)
        if people < 1 or not fits:
            raise self._refused()
        return Group(people, parts)

    def _comes(self, sign: str) -> bool:
        """Takes the sign if it is the next."""
        if self._next() != sign:
            return False
        self._at += 1
        return True

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _number(self) -> int:
        token = self._next()
        if not token.isdecimal():
            raise self._refused()
        self._at += 1
        return int(token)

    def _cut(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise self._refused()
            yield found[0].strip()
            at = found.end()

    def _refused(self) -> NotADesign:
        return NotADesign(came=self._text[:40])
