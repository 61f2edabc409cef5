"""Live pages: server-sent events for the hand-off board and for the counts of the stages.

An open stream holds a thread or greenlet and nothing else: no transaction, no connection. It ends
after a quarter of an hour; the browser opens it again by itself, and whoever has been locked out
meanwhile is not let in.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, request

from lims.db.ids import milliseconds
from lims.db.laboratory import Laboratory
from lims.web.access import current, needs, signed_in_only
from lims.web.counting import counting
from lims.web.hub import Event, Hub, Subscriber, alert_event, case_event, reset_event
from lims.web.language import laboratory
from lims.web.shell import only_team, stages_of
from lims.web.stage_ticker import Counts, StageTicker, Watcher
from lims.work.access import Role, SignedIn
from lims.work.views import changes, stages
from lims.work.views.board import Scope

blueprint = Blueprint("feed", __name__)

HEARTBEAT_S: Final = 15.0
_LONGEST_S: Final = 15 * 60.0
# A change is stamped when its transaction begins and seen when it commits.
_COMMIT_TAKES: Final = timedelta(seconds=30)
_TOO_LONG_AGO: Final = timedelta(hours=1)
_MOST_MISSED: Final = 50
_starting = threading.Lock()


def scope_of(me: SignedIn) -> Scope:
    """Operators and admins oversee every team; anybody else sees what their team was told."""
    return Scope(everything=bool(me.roles & {Role.OPERATOR}), team_id=me.team_id)


@blueprint.get("/handoff/feed")
@needs(Role.TRACER, Role.OPERATOR)
def handoff() -> Response:
    """`case`, `alert` and `call` events with ids; `reset`: look at everything again."""
    scope, lab, hub = scope_of(current()), laboratory(), _hub()
    last = request.headers.get("Last-Event-ID") or request.args.get("since")
    subscriber = hub.join(scope)
    missed = _missed(lab, scope, last)
    return _stream(_events(subscriber, missed), lambda: hub.leave(subscriber))


@blueprint.get("/stages/feed")
@signed_in_only
def stage_counts() -> Response:
    """`stages` events: {"review": {"count": 3, "late": 1, "oldest_at": "…"}, …}, when changed."""
    me, ticker = current(), _ticker()
    mine = frozenset(stages_of(me))
    watcher = ticker.join(only_team(me))
    return _stream(_counts(watcher, mine), lambda: ticker.leave(watcher))


def close(app: Flask) -> None:
    """End the threads behind the feeds for good, so that no request that comes late starts them
    again; for tests and an orderly stop."""
    with app.app_context():
        _hub().close()
        _ticker().close()


def _events(subscriber: Subscriber, missed: list[Event]) -> Iterator[str]:
    yield "retry: 2000\n\n"
    yield from map(Event.wire, missed)
    until = monotonic() + _LONGEST_S
    while monotonic() < until:
        event = subscriber.take(HEARTBEAT_S)
        yield event.wire() if event else ": still here\n\n"


def _counts(watcher: Watcher, mine: frozenset[stages.Stage]) -> Iterator[str]:
    yield "retry: 5000\n\n"
    until = monotonic() + _LONGEST_S
    while monotonic() < until:
        counts = watcher.take(HEARTBEAT_S)
        if counts is None:
            yield ": still here\n\n"
            continue
        shown = {key: counts[key] for key in counts if key in mine}
        yield f"event: stages\ndata: {json.dumps(shown)}\n\n"


def _stream(events: Iterator[str], close: Callable[[], None]) -> Response:
    response = Response(events, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would gather events otherwise
    response.call_on_close(close)
    return response


def _missed(lab: Laboratory, scope: Scope, last: str | None) -> list[Event]:
    """What happened since the event the browser saw last, each case and alert once.

    An event's id is a UUIDv7, so it carries its moment; a browser that was away for long, or whose
    id we cannot read, is told to look at everything again.
    """
    if last is None:
        return []
    try:
        at = datetime.fromtimestamp(milliseconds(UUID(last)) / 1000, UTC)
    except ValueError:
        return [reset_event()]
    if lab.clock() - at > _TOO_LONG_AGO:
        return [reset_event()]
    since = at - _COMMIT_TAKES
    with lab.sessions.begin() as session:
        limit = _MOST_MISSED + 1
        cases = changes.cases_since(session, scope, since, site_id=lab.site_id, limit=limit)
        pools = changes.pools_since(session, scope, since, site_id=lab.site_id, limit=limit)
    if len(cases) + len(pools) > _MOST_MISSED:
        return [reset_event()]
    return [*map(case_event, cases), *map(alert_event, pools)]


def _hub() -> Hub:
    lab = laboratory()
    with _starting:
        hub: Hub = current_app.extensions.setdefault("feed_hub", Hub(lab))
        return hub


def _ticker() -> StageTicker:
    lab, counts = laboratory(), counting()

    def count(team_id: UUID | None) -> Counts:
        items = counts.waiting(team_id, lab.clock())
        every = stages.by_stage(items, frozenset(stages.Stage))
        return {stage.stage: _said(stage) for stage in every}

    with _starting:
        ticker: StageTicker = current_app.extensions.setdefault("feed_ticker", StageTicker(count))
        return ticker


def _said(stage: stages.StageCount) -> dict[str, object]:
    oldest = stage.oldest_at.isoformat() if stage.oldest_at else None
    return {"count": stage.count, "late": stage.late, "oldest_at": oldest}
