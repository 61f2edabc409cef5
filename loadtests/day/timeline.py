"""The day in slices, for the report's charts: what came, what was answered, how fast, in waves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from loadtests.day.clock import DayClock
from loadtests.day.faults import Happened
from loadtests.day.meter import Book, Judged
from loadtests.day.plan import Plan

SLICES: Final = 80
REGISTRATION: Final = "POST /specimens"


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the day's hours with a name."""

    name: str
    from_h: float
    to_h: float


@dataclass(frozen=True)
class Timeline:
    """Each series has one value a slice; ``None`` where nothing happened. Hours of the story."""

    until_h: float
    came: Sequence[float]
    registered: Sequence[float]
    results: Sequence[float]
    owed: Sequence[float]
    delivered: Sequence[float]
    p50_ms: Sequence[float | None]
    p99_ms: Sequence[float | None]
    faults: Sequence[Band]


# When each swab was registered and first told of, and each notice owed and delivered.
_MOMENTS = {
    "registered": "SELECT registered_at FROM specimen WHERE material = 'swab'",
    "results": "SELECT created_at FROM finding WHERE outcome IN ('negative', 'positive')",
    "owed": "SELECT created_at FROM notice",
    "delivered": "SELECT delivered_at FROM notice WHERE delivered_at IS NOT NULL",
}


def moments_in(session: Session) -> Mapping[str, Sequence[datetime]]:
    """From the database itself."""
    return {name: session.execute(text(q)).scalars().all() for name, q in _MOMENTS.items()}


def drawn(
    moments: Mapping[str, Sequence[datetime]],
    book: Book,
    plan: Plan,
    clock: DayClock,
    happened: Sequence[Happened],
    *,
    doors_open: datetime,
    until_h: float,
) -> Timeline:
    """Counts a slice, from moments by series and the meter's book; a missing series stays flat."""

    def hour(moment: datetime) -> float:
        return (moment - doors_open).total_seconds() * clock.compress / 3600

    counted = {
        name: _counts([hour(at) for at in moments.get(name, ())], until_h) for name in _MOMENTS
    }
    came = [v.at_h for v in plan.visits for _ in v.household.villagers]
    came += [b.at_h for b in plan.batches for _ in b.rows]
    fast: list[list[float]] = [[] for _ in range(SLICES)]
    for one in book.exchanges:
        if one.name == REGISTRATION and one.judged is Judged.GOOD:
            fast[_slice(one.at_s * clock.compress / 3600, until_h)].append(one.took_ms)
    return Timeline(
        until_h=until_h,
        came=_counts(came, until_h),
        p50_ms=[sorted(ms)[len(ms) // 2] if ms else None for ms in fast],
        p99_ms=[sorted(ms)[int(len(ms) * 0.99)] if ms else None for ms in fast],
        faults=[Band(f.fault.value, hour(f.began), hour(f.ended or f.began)) for f in happened],
        **counted,
    )


def _counts(hours: Sequence[float], until_h: float) -> list[float]:
    counts = [0.0] * SLICES
    for hour in hours:
        counts[_slice(hour, until_h)] += 1
    return counts


def _slice(hour: float, until_h: float) -> int:
    return min(SLICES - 1, max(0, int(hour / until_h * SLICES)))
