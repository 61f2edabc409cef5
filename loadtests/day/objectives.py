"""The service-level objectives of the day and the verdict on each."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from loadtests.day.faults import SETTLING_S, Fault, Happened, lease_s
from loadtests.day.meter import Book, Judged


@dataclass(frozen=True, slots=True)
class Objective:
    """The 99th percentile of these exchanges is to be at most ``limit_ms``."""

    title: str
    exchange: str
    limit_ms: float


OBJECTIVES: Final = (
    Objective("one registration", "POST /specimens", 250),
    Objective("a batch of up to 100 rows", "POST /specimens/batch", 1500),
    Objective("one scan at reception", "POST /receptions (one scan)", 250),
    Objective("a rack of up to 50 scans", "POST /receptions", 1000),
    Objective("a pool of ten", "POST /pools", 500),
    Objective("the board of F0s, page", "GET /handoff", 1000),
)
WEBHOOK_LIMIT_MS: Final = 2000.0
WEBHOOK_TITLE: Final = "result captured → webhook answered"


@dataclass(frozen=True, slots=True)
class Measured:
    """One objective's verdict; ``met`` is None where nothing is judged, and False where what is to
    be judged was not measured: nobody may say that it was fast. ``over`` were above the limit."""

    title: str
    limit_ms: float
    number: int
    p50_ms: float | None
    p99_ms: float | None
    worst_ms: float | None
    note: str = ""
    over: int = 0

    @property
    def judged(self) -> bool:
        return self.limit_ms < math.inf

    @property
    def met(self) -> bool | None:
        if not self.judged:
            return None
        return self.p99_ms is not None and self.p99_ms <= self.limit_ms

    def as_json(self) -> dict[str, Any]:
        limit = self.limit_ms if self.judged else None
        return {**asdict(self), "limit_ms": limit, "met": self.met}


def verdicts(book: Book) -> list[Measured]:
    """Of everything asked over HTTP; answers of the LIMS that came, whatever fault was on."""
    return [measured(o.title, o.limit_ms, book.took_ms(o.exchange)) for o in OBJECTIVES]


def measured(title: str, limit_ms: float, took_ms: Sequence[float], note: str = "") -> Measured:
    """Percentiles by interpolation of the samples themselves, none thrown away."""
    if not took_ms:
        return Measured(title, limit_ms, 0, None, None, None, note)
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive") if len(took_ms) > 1 else []
    p50, p99 = (cuts[49], cuts[98]) if cuts else (took_ms[0], took_ms[0])
    rounded = (round(p50, 1), round(p99, 1), round(max(took_ms), 1))
    over = sum(one > limit_ms for one in took_ms)
    return Measured(title, limit_ms, len(took_ms), *rounded, note, over)


def failures(book: Book, judged: Judged) -> Mapping[str, int]:
    """Exchanges that did not go as planned, by request and kind."""
    counted: dict[str, int] = {}
    for one in book.exchanges:
        if one.judged is judged:
            key = f"{one.name}: {one.said}"
            counted[key] = counted.get(key, 0) + 1
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook notice: from the gateway's capture (or the desk's post) to the answer."""

    began: datetime
    owed: datetime
    delivered: datetime

    @property
    def took_ms(self) -> float:
        return (self.delivered - self.began).total_seconds() * 1000

    @property
    def waited_ms(self) -> float:
        """From the capture to the laboratory's transaction: the gateway's queue and the way."""
        return (self.owed - self.began).total_seconds() * 1000


# A notice is owed at the very `now` at which the message was stored: that ties them together.
_TOLD = text("""
SELECT coalesce(m.captured_at, n.created_at) AS began, n.created_at, n.delivered_at
FROM notice n JOIN subscription s ON s.id = n.subscription_id AND s.channel = 'webhook'
LEFT JOIN LATERAL (SELECT min(captured_at) AS captured_at FROM raw_message
                   WHERE stored_at = n.created_at) m ON true
WHERE n.delivered_at IS NOT NULL ORDER BY n.created_at
""")


def webhook_verdicts(session: Session, happened: Sequence[Happened]) -> list[Measured]:
    """The objective on what no fault touched; beside it, without a limit, each fault's share."""
    told = [Told(row.began, row.created_at, row.delivered_at) for row in session.execute(_TOLD)]
    shares: dict[Fault, list[float]] = {}
    quiet: list[Told] = []
    for one in told:
        touching = next((h.fault for h in happened if _touches(h, one)), None)
        if touching is None:
            quiet.append(one)
        else:
            shares.setdefault(touching, []).append(one.took_ms)
    left_out = sum(map(len, shares.values()))
    note = f"{left_out} of {len(told)} notices were on their way during a fault: listed below it"
    took_ms = [one.took_ms for one in quiet]
    lines = [measured(WEBHOOK_TITLE, WEBHOOK_LIMIT_MS, took_ms, note if left_out else "")]
    waited_ms = [one.waited_ms for one in quiet]
    lines.append(measured("… of it: until the laboratory had it", math.inf, waited_ms, "a part"))
    for fault, took in shares.items():
        lines.append(
            measured(f"… while: {fault.value}", math.inf, took, "not judged; shown for honesty")
        )
    return lines


def _touches(happened: Happened, told: Told) -> bool:
    """Whether the notice was on its way while the fault held things up."""
    match happened.fault:
        case Fault.RECEIVER:
            until = happened.ended or datetime.max.replace(tzinfo=happened.began.tzinfo)
        case Fault.DELIVERER:
            until = happened.began + timedelta(seconds=lease_s())
        case Fault.WEB_WORKER | Fault.GATEWAY:
            until = happened.began + timedelta(seconds=SETTLING_S)
    return told.began <= until and told.delivered >= happened.began
