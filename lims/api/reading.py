"""Endpoints that only read: where a tube stands, and whether the day adds up. No person's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app

from lims.api.door import Answer, Ask, Door
from lims.db.laboratory import Laboratory
from lims.domain import barcodes
from lims.domain.days import day_of
from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import NotFound
from lims.work.tokens import Scope
from lims.work.views.reconcile import reconcile
from lims.work.views.reconcile_parts import Difference
from lims.work.views.reconcile_swabs import Waiting
from lims.work.views.story_events import Event
from lims.work.views.tube_story import Relation, Sign, TubeStory, tube_story


@dataclass(frozen=True, slots=True)
class Swab:
    """One swab in the tube and what is known of it; whose it is stays behind."""

    specimen_id: UUID
    collected_at: datetime
    sign: Sign
    status: str | None
    ct_cycles: float | None


@dataclass(frozen=True, slots=True)
class TubeWay:
    """A tube, its swabs, its relations and everything that happened, oldest first."""

    tube_id: UUID
    barcode: str
    kind: TubeKind
    state: TubeState
    sign: Sign
    campaign: str | None
    reject_reason: str | None
    swabs: list[Swab]
    pool: Relation | None
    sources: list[Relation]
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Sum:
    """``whole`` must be the sum of ``terms``."""

    name: str
    whole: int
    terms: Mapping[str, int]
    holds: bool


@dataclass(frozen=True, slots=True)
class DayReconciled:
    """The swabs and cases of ``since`` up to ``until``; ``found`` by outcome, ``waiting`` by stage
    with its oldest. ``clean`` when every equation holds and ``differences`` is empty.
    """

    since: datetime
    until: datetime
    clean: bool
    registered: int
    received: int
    rejected: int
    outstanding: int
    found: Mapping[str, int]
    waiting: Mapping[str, Waiting]
    cases: int
    claimed: int
    notices_due: int
    notices_owed: int
    equations: list[Sum]
    differences: list[Difference]


def declare(door: Door) -> None:
    """Open the endpoints that only read."""
    door.opens("GET", "/tubes/<barcode>", scope=Scope.READ, answers=TubeWay)(tube)
    door.opens("GET", "/reconciliation", scope=Scope.READ, answers=DayReconciled)(reconciliation)
    door.opens("GET", "/reconciliation/<day>", scope=Scope.READ, answers=DayReconciled)(
        reconciliation_of
    )


def tube(ask: Ask[None], barcode: str) -> Answer:
    """Where a tube stands and everything that happened to it, without people's names."""
    story = tube_story(ask.session, barcodes.normalise(barcode), site_id=ask.holder.site_id)
    return Answer(_without_names(story))


def reconciliation(ask: Ask[None]) -> Answer:
    """Whether today adds up, on the laboratory's calendar."""
    return _reconciled(ask, ask.now.astimezone(_zone()).date())


def reconciliation_of(ask: Ask[None], day: str) -> Answer:
    """Whether a day (YYYY-MM-DD, on the laboratory's calendar) adds up."""
    try:
        asked = day_of(day)
    except ValueError:
        asked = None
    if asked is None or asked > ask.now.astimezone(_zone()).date():
        raise NotFound(expected="a day as YYYY-MM-DD that has begun", came=day, where="day")
    return _reconciled(ask, asked)


def _reconciled(ask: Ask[None], day: date) -> Answer:
    since = datetime.combine(day, time(), _zone())
    until = since + timedelta(days=1)
    with _laboratory().snapshot() as moment:
        closed = reconcile(moment, site_id=ask.holder.site_id, since=since, until=until)
    swabs, told = closed.swabs, closed.told
    return Answer(
        DayReconciled(
            since=since,
            until=until,
            clean=closed.clean,
            registered=swabs.registered,
            received=swabs.received,
            rejected=swabs.rejected,
            outstanding=swabs.outstanding,
            found=swabs.found,
            waiting=swabs.waiting,
            cases=told.cases,
            claimed=told.claimed,
            notices_due=told.due,
            notices_owed=told.owed,
            equations=[Sum(e.name, e.whole, e.terms, e.holds) for e in closed.equations],
            differences=list(closed.differences),
        )
    )


def _laboratory() -> Laboratory:
    laboratory: Laboratory = current_app.extensions["laboratory"]
    return laboratory


def _zone() -> ZoneInfo:
    return ZoneInfo(_laboratory().timezone)


def _without_names(story: TubeStory) -> TubeWay:
    return TubeWay(
        tube_id=story.tube_id,
        barcode=story.barcode,
        kind=story.kind,
        state=story.state,
        sign=story.sign,
        campaign=story.campaign,
        reject_reason=story.reject_reason,
        swabs=[
            Swab(one.specimen_id, one.collected_at, one.sign, one.status, one.ct_cycles)
            for one in story.holders
        ],
        pool=story.pool,
        sources=list(story.sources),
        events=list(story.events),
    )
