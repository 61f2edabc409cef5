"""How a document writes numbers, times and lengths of time, in Vietnamese and English.

Vietnamese 1.204 and 24,8 %, 21/11 08:12; English 1,204 and 24.8%, 21 Nov 08:12. Always the wall
clock of the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from reports import written


class Tongue(StrEnum):
    """The language of a document."""

    VI = "vi"
    EN = "en"


D3_LOCALE: Final[Mapping[Tongue, Mapping[str, Any]]] = {
    Tongue.VI: {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]},
    Tongue.EN: {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", " ₫"]},
}


@dataclass(frozen=True, slots=True)
class Saying:
    """One language at one site."""

    tongue: Tongue
    timezone: str

    def pick(self, vi: str, en: str) -> str:
        return vi if self.tongue is Tongue.VI else en

    def number(self, value: float, digits: int = 0) -> str:
        """1204 → 1.204 or 1,204."""
        return written.number(value, self.tongue, digits)

    def share(self, value: float | None, digits: int = 1) -> str:
        """0.0248 → 2,5 % or 2.5%; small shares keep two significant figures; none is a dash."""
        if value is None:
            return "–"
        if 0 < value < 0.01:
            digits = 2
        return written.number(value * 100, self.tongue, digits) + self.pick(" %", "%")

    def lasting(self, minutes: float) -> str:
        """14 phút, 1 giờ 05, 3 ngày 4 giờ; 14 min, 1 h 05, 3 d 4 h; seconds under two minutes."""
        if minutes < 2:
            return f"{round(minutes * 60)}" + self.pick(" giây", " s")
        whole = round(minutes)
        hours, rest = divmod(whole, 60)
        if hours >= 48:
            days, left = divmod(hours, 24)
            return self.pick(f"{days} ngày {left} giờ", f"{days} d {left} h")
        if hours:
            return self.pick(f"{hours} giờ {rest:02d}", f"{hours} h {rest:02d}")
        return self.pick(f"{whole} phút", f"{whole} min")

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.timezone))

    def moment(self, at: datetime | None) -> str:
        """21/11 08:12 or 21 Nov 08:12."""
        if at is None:
            return "–"
        here = self.local(at)
        clock = here.strftime("%H:%M")
        if self.tongue is Tongue.VI:
            return f"{here:%d/%m} {clock}"
        return f"{here.day} {written.MONTHS[here.month - 1]} {clock}"

    def full_moment(self, at: datetime) -> str:
        """With the year, for what stands on paper."""
        here = self.local(at)
        return f"{self.day(here.date())} {here:%H:%M}"

    def day(self, day: date) -> str:
        """21/11/2026 or 21 Nov 2026."""
        return written.day(day, self.tongue)
