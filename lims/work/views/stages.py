"""What waits at each of the six stages, for how long, and how much of it is late.

One statement, because it stands on every page: each line of it is one partial index. What the
corrections say would make it too long to be remembered (lims/db/terse.py): one of its own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from lims.work.escalate import patience_of
from lims.work.views.review_addresses import OPEN_DOUBTS


class Stage(StrEnum):
    """The tube's way, in order."""

    COLLECT = "collect"
    RECEIVE = "receive"
    POOL = "pool"
    RUN = "run"
    REVIEW = "review"
    HANDOFF = "handoff"


class Item(StrEnum):
    """One kind of thing that waits for a person."""

    ON_THE_WAY = "on_the_way"
    SWAB_AGAIN = "swab_again"
    RECEIVED_TODAY = "received_today"
    TO_PIPETTE = "to_pipette"
    TO_POOL = "to_pool"
    TO_PLATE = "to_plate"
    RUNNING = "running"
    HELD_RUNS = "held_runs"
    HELD_RESULTS = "held_results"
    POSITIVE = "positive"
    HELD_NEGATIVE = "held_negative"
    INCONCLUSIVE = "inconclusive"
    DISCORDANT = "discordant"
    UNMATCHED = "unmatched"
    CORRECTIONS = "corrections"
    IDENTITY = "identity"
    ADDRESSES = "addresses"
    CORRECTED = "corrected"
    UNCLAIMED = "unclaimed"
    DEAD_NOTICES = "dead_notices"


STAGE_OF: Final[Mapping[Item, Stage]] = {
    Item.ON_THE_WAY: Stage.COLLECT,
    Item.SWAB_AGAIN: Stage.COLLECT,
    Item.RECEIVED_TODAY: Stage.RECEIVE,
    Item.TO_PIPETTE: Stage.POOL,
    Item.TO_POOL: Stage.POOL,
    Item.TO_PLATE: Stage.RUN,
    Item.RUNNING: Stage.RUN,
    Item.HELD_RUNS: Stage.REVIEW,
    Item.HELD_RESULTS: Stage.REVIEW,
    Item.POSITIVE: Stage.REVIEW,
    Item.HELD_NEGATIVE: Stage.REVIEW,
    Item.INCONCLUSIVE: Stage.REVIEW,
    Item.DISCORDANT: Stage.REVIEW,
    Item.UNMATCHED: Stage.REVIEW,
    Item.CORRECTIONS: Stage.REVIEW,
    Item.IDENTITY: Stage.REVIEW,
    Item.ADDRESSES: Stage.REVIEW,
    Item.CORRECTED: Stage.HANDOFF,
    Item.UNCLAIMED: Stage.HANDOFF,
    Item.DEAD_NOTICES: Stage.HANDOFF,
}

# The stage's own figure: what the tube waits for there. The rest is said on the home page.
COUNTED: Final = frozenset(Item) - {Item.SWAB_AGAIN, Item.RUNNING, Item.DEAD_NOTICES}

# Late after so long. Our defaults: Ho Chi Minh City's three hours from measurement to entry leave
# a reviewer one (domain.md). An unclaimed case is late when the laboratory's policy says so.
LIMITS: Final[Mapping[Item, timedelta]] = {
    Item.ON_THE_WAY: timedelta(hours=4),
    Item.SWAB_AGAIN: timedelta(hours=24),
    Item.TO_PIPETTE: timedelta(hours=1),
    Item.TO_POOL: timedelta(hours=2),
    Item.TO_PLATE: timedelta(hours=3),
    Item.RUNNING: timedelta(hours=4),
    Item.HELD_RUNS: timedelta(hours=1),
    Item.HELD_RESULTS: timedelta(hours=1),
    Item.POSITIVE: timedelta(hours=1),
    Item.HELD_NEGATIVE: timedelta(hours=3),
    Item.INCONCLUSIVE: timedelta(hours=1),
    Item.DISCORDANT: timedelta(hours=1),
    Item.UNMATCHED: timedelta(hours=1),
    Item.CORRECTIONS: timedelta(hours=1),
    Item.IDENTITY: timedelta(hours=24),
    Item.ADDRESSES: timedelta(hours=1),
    Item.CORRECTED: timedelta(hours=1),
    Item.DEAD_NOTICES: timedelta(minutes=15),
}

# A swab is stable for 5 days at 2-8 °C (WHO, Laboratory biosafety guidance for COVID-19, 2021);
# an older one nobody pooled is a re-swab, not a pool waiting, and must not slow every page.
_SWAB_KEEPS: Final = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of one kind wait, since when the oldest does, and how many longer than `limit`."""

    item: Item
    count: int
    oldest_at: datetime | None
    late: int
    limit: timedelta | None


@dataclass(frozen=True, slots=True)
class StageCount:
    """One stage of the navigation."""

    stage: Stage
    count: int
    oldest_at: datetime | None
    late: int


@dataclass(frozen=True, slots=True)
class Today:
    """The day so far, since the site's midnight."""

    swabbed: int
    received: int
    told: int
    cases: int


def waiting(
    session: Session, *, site_id: UUID, now: datetime, day_start: datetime
) -> tuple[Waiting, ...]:
    """Every kind of thing that waits at the site, zero included.

    ``day_start`` is the site's midnight, since which arrivals count as today's.
    """
    values = {"site": site_id, "day_start": day_start, "keeps": now - _SWAB_KEEPS}
    return (
        *_waiting(session, _WAITING, values, site_id=site_id, now=now),
        *_waiting(session, _CORRECTED_ALL, {"site": site_id}, site_id=site_id, now=now),
    )


def of_team(
    session: Session, *, site_id: UUID, team_id: UUID, now: datetime
) -> Mapping[Item, Waiting]:
    """What waits for this team: unclaimed cases that it was told of, corrections to acknowledge."""
    values = {"site": site_id, "team": team_id}
    found = _waiting(session, _BY_TEAM, values, site_id=site_id, now=now)
    return {waiting.item: waiting for waiting in found}


def _waiting(
    session: Session,
    asked: TextClause,
    values: Mapping[str, Any],
    *,
    site_id: UUID,
    now: datetime,
) -> Iterator[Waiting]:
    limits = {**LIMITS, Item.UNCLAIMED: patience_of(session, site_id).roster}
    late = {f"{item}_by": now - limit for item, limit in limits.items()}
    for row in session.execute(asked, {**values, **late}):
        item = Item(row.item)
        yield Waiting(item, row.many, row.oldest_at, row.late, limits.get(item))


def by_stage(items: Iterable[Waiting], stages: Collection[Stage]) -> tuple[StageCount, ...]:
    """The stages asked for, in the tube's order, each with the sum of what waits there."""
    counted = [item for item in items if item.item in COUNTED]
    return tuple(
        StageCount(
            stage,
            sum(item.count for item in here),
            min((item.oldest_at for item in here if item.oldest_at), default=None),
            sum(item.late for item in here),
        )
        for stage in Stage
        if stage in stages
        for here in [[item for item in counted if STAGE_OF[item.item] is stage]]
    )


def today(session: Session, *, site_id: UUID, day_start: datetime) -> Today:
    """What was done since midnight."""
    row = session.execute(_TODAY, {"site": site_id, "day_start": day_start}).one()
    return Today(row.swabbed, row.received, row.told, row.cases)


def _line(item: Item, at: str, source: str) -> str:
    """One kind: its count, its oldest moment, and how many are older than its limit."""
    limited = item in LIMITS or item is Item.UNCLAIMED
    late = f"count(*) FILTER (WHERE {at} < :{item}_by)" if limited else "0"
    return f"SELECT '{item}', count(*), min({at}), {late} FROM {source}"  # noqa: S608 - built from this file's own words


def _lines(*lines: str) -> str:
    """Named once: psycopg takes a statement of more than 4,096 characters apart at every use."""
    return f"SELECT * FROM ({' UNION ALL '.join(lines)}) AS line (item, many, oldest_at, late)"  # noqa: S608 - the same


# One look at the findings for their four lines; the many preliminary ones are left out early.
_PENDING = (
    "WITH pending AS MATERIALIZED (SELECT outcome, created_at FROM finding"
    " WHERE site_id = :site AND current AND status = 'P'"
    " AND outcome IN ('positive', 'negative', 'inconclusive', 'discordant')) "
)
_FINDING = "pending WHERE outcome = '{outcome}'"
_MEASUREMENT = "measurement WHERE site_id = :site AND standing = '{standing}'"
# A strip's own swab is queued for PCR before its tube is in the house.
_TO_PLATE = (
    "test_order WHERE site_id = :site AND state = 'queued' AND EXISTS"
    " (SELECT FROM tube t WHERE t.id = tube_id AND t.state = 'received')"
)
_RUN = "run WHERE site_id = :site AND state {state}"

_UNCLAIMED = (
    "f0_case WHERE site_id = :site AND state IN ('presumptive', 'confirmed')"
    " AND NOT EXISTS (SELECT FROM claim WHERE case_id = f0_case.id AND ended_at IS NULL)"
)
# Of a case that still waits for a team the board says so first; whoever claims it reads on.
_CORRECTED = (
    "(SELECT n.case_id, min(n.created_at) AS created_at"
    " FROM notice n JOIN f0_case c ON c.id = n.case_id{told}"
    " WHERE n.site_id = :site AND n.kind = 'case.corrected' AND n.acknowledged_at IS NULL"
    " AND (c.state IN ('withdrawn', 'not_confirmed') OR c.state <> 'closed' AND EXISTS ("
    "SELECT FROM claim WHERE case_id = c.id AND ended_at IS NULL)) GROUP BY n.case_id) unread"
)
_CORRECTED_ALL = text(_lines(_line(Item.CORRECTED, "created_at", _CORRECTED.format(told=""))))
_TOLD = " JOIN subscription b ON b.id = n.subscription_id AND b.team_id = :team"
_BY_TEAM = text(
    _lines(
        _line(Item.CORRECTED, "created_at", _CORRECTED.format(told=_TOLD)),
        _line(
            Item.UNCLAIMED,
            "opened_at",
            _UNCLAIMED + " AND EXISTS (SELECT FROM notice"
            " JOIN subscription ON subscription.id = notice.subscription_id"
            " WHERE notice.case_id = f0_case.id AND subscription.team_id = :team)",
        ),
    )
)

_WAITING = text(
    _PENDING
    + _lines(
        _line(Item.ON_THE_WAY, "created_at", "tube WHERE site_id = :site AND state = 'collected'"),
        _line(
            Item.SWAB_AGAIN,
            "created_at",
            "recollection WHERE site_id = :site AND state = 'open'",
        ),
        _line(
            Item.RECEIVED_TODAY,
            "received_at",
            "tube WHERE site_id = :site AND received_at >= :day_start",
        ),
        _line(Item.TO_PIPETTE, "wanted_at", "sub_pool WHERE site_id = :site AND state = 'wanted'"),
        _line(
            Item.TO_POOL,
            "received_at",
            "tube WHERE site_id = :site AND awaits_pool AND received_at >= :keeps",
        ),
        _line(Item.TO_PLATE, "created_at", _TO_PLATE),
        _line(
            Item.RUNNING,
            "coalesce(measured_at, created_at)",
            _RUN.format(state="IN ('planned', 'measuring')"),
        ),
        _line(Item.HELD_RUNS, "coalesce(judged_at, created_at)", _RUN.format(state="= 'held'")),
        _line(Item.HELD_RESULTS, "created_at", "result WHERE site_id = :site AND current AND held"),
        _line(Item.POSITIVE, "created_at", _FINDING.format(outcome="positive")),
        _line(Item.HELD_NEGATIVE, "created_at", _FINDING.format(outcome="negative")),
        _line(Item.INCONCLUSIVE, "created_at", _FINDING.format(outcome="inconclusive")),
        _line(Item.DISCORDANT, "created_at", _FINDING.format(outcome="discordant")),
        _line(Item.UNMATCHED, "received_at", _MEASUREMENT.format(standing="unmatched")),
        _line(Item.CORRECTIONS, "received_at", _MEASUREMENT.format(standing="correction")),
        _line(
            Item.IDENTITY,
            "created_at",
            "card_doubt WHERE site_id = :site AND decided_at IS NULL",
        ),
        _line(Item.ADDRESSES, "created_at", f"({OPEN_DOUBTS}) unplaced"),
        _line(Item.UNCLAIMED, "opened_at", _UNCLAIMED),
        _line(Item.DEAD_NOTICES, "created_at", "notice WHERE site_id = :site AND state = 'dead'"),
    )
)

_TODAY = text(
    """
    SELECT
      (SELECT count(*) FROM specimen WHERE site_id = :site AND collected_at >= :day_start)
        AS swabbed,
      (SELECT count(*) FROM tube WHERE site_id = :site AND received_at >= :day_start) AS received,
      (SELECT count(*) FROM finding
        WHERE site_id = :site AND current AND created_at >= :day_start
          AND released_at IS NOT NULL) AS told,
      (SELECT count(*) FROM f0_case
        WHERE site_id = :site AND opened_at >= :day_start AND state <> 'withdrawn') AS cases
    """
)
