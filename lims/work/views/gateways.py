"""How every gateway's lines stand, and whether it still speaks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from lims.domain.gateways import DOWN_AFTER, LineStanding, LineState
from lims.domain.instrument_clock import ClockDoubt, skew

_SESSION: Final = timedelta(minutes=1)
_CLOCKS_DIFFER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Line(LineStanding):
    """One analyser's line. ``set_up``: the laboratory takes its messages. ``twice``: another
    gateway speaks for the same instrument. ``clock``: its clock was wrong when it last said what
    it shows."""

    set_up: bool
    twice: bool
    clock: ClockDoubt | None

    @property
    def byte_after_message(self) -> bool:
        """Something came since that was no whole message: noise, another protocol, or a session
        under way."""
        if self.last_byte_at is None:
            return False
        if self.last_message_at is None:
            return True
        return self.last_byte_at - self.last_message_at > _SESSION


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process beside the analysers. ``down``: it has not spoken for 45 s."""

    name: str
    version: str
    heard_at: datetime
    down: bool
    lines: tuple[Line, ...]

    @property
    def clock_ahead(self) -> bool:
        """It tells of moments that had not come when it spoke."""
        told = [at for line in self.lines for at in (line.since, line.last_byte_at) if at]
        return max(told, default=self.heard_at) - self.heard_at > _CLOCKS_DIFFER


_LINES = text("""
SELECT g.gateway, g.version, g.heard_at, g.instrument, g.driver, g.link, g.state, g.since,
       g.last_byte_at, g.last_message_at, g.journal_bytes, g.waiting, g.dead, g.quarantined,
       g.trouble, g.detail,
       i.id IS NOT NULL AS set_up, i.clock_ahead_s,
       count(*) FILTER (WHERE g.heard_at > :alive) OVER (PARTITION BY g.instrument) > 1 AS twice
FROM gateway_line g LEFT JOIN instrument i ON i.name = g.instrument AND i.active
WHERE g.site_id = :site ORDER BY g.gateway, g.instrument
""")


def gateways(session: Session, *, site_id: UUID, now: datetime) -> tuple[Gateway, ...]:
    """By name, each with its lines by name."""
    alive = now - DOWN_AFTER
    rows = session.execute(_LINES, {"site": site_id, "alive": alive})
    found = []
    for name, group in groupby(rows, key=lambda row: row.gateway):
        lines = list(group)
        heard_at = max(row.heard_at for row in lines)
        version = lines[0].version
        told = tuple(_line(row._mapping) for row in lines)
        found.append(Gateway(name, version, heard_at, heard_at <= alive, told))
    return tuple(found)


def _line(row: RowMapping) -> Line:
    said = dict(row)
    for name in ("gateway", "version", "heard_at"):
        del said[name]
    off_s = said.pop("clock_ahead_s")
    clock = None if off_s is None else skew(timedelta(seconds=off_s))
    return Line(**said | {"state": LineState(said["state"]), "clock": clock})
