"""The live feed of a tracing team: its notices as server-sent events, the moment they are owed.

An event's id is the place to go on from, not the notice's own id: a transaction that began earlier
and commits later brings notices with earlier ids, so the place lags behind by the oldest writer
that is still at work. Whoever comes back with Last-Event-ID misses nothing and may be told again
what the last second brought; each event carries its notice's id to know it by.

Source: WHATWG HTML, "Server-sent events". An open stream holds a thread or greenlet and nothing
else: no transaction, no connection.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

from flask import Flask
from sqlalchemy import Engine

from lims.db.laboratory import Laboratory
from lims.db.listening import Listener
from lims.domain.refusals import InvalidBody
from lims.work.told import Told, place_now, told_at_once

HEARTBEAT_S: Final = 15.0
_LONGEST_S: Final = 15 * 60.0
_AT_MOST_EVERY_S: Final = 0.2  # a burst rings often; one look shows all of it
_starting = threading.Lock()


class NoticeBell:
    """Rings when something was owed. One connection for all streams of a process."""

    def __init__(self, engine: Engine) -> None:
        self._rings = 0
        self._ringing = threading.Condition()
        self._listener = Listener(
            engine,
            ["notice_owed", "board"],
            heard=lambda _channel, _payload: self._ring(),
            connected=self._ring,
            name="notice-bell",
        )
        self._listener.start()

    @property
    def rings(self) -> int:
        return self._rings

    def wait_beyond(self, rings: int, timeout_s: float) -> bool:
        """Whether it rang again since it had rung so often."""
        with self._ringing:
            return self._ringing.wait_for(lambda: self._rings > rings, timeout_s)

    def close(self) -> None:
        self._listener.stop()

    def _ring(self) -> None:
        with self._ringing:
            self._rings += 1
            self._ringing.notify_all()


def bell_of(app: Flask, engine: Engine) -> NoticeBell:
    """This process's; started by the first who listens."""
    with _starting:
        bell = app.extensions.get("notice_bell")
        if not isinstance(bell, NoticeBell):
            bell = app.extensions["notice_bell"] = NoticeBell(engine)
        return bell


def close(app: Flask) -> None:
    """End the thread behind the feed; for tests and an orderly stop."""
    bell = app.extensions.pop("notice_bell", None)
    if isinstance(bell, NoticeBell):
        bell.close()


def place_of(lab: Laboratory, said: str | None) -> UUID:
    """Where to go on; from now on when nothing is said. Raises InvalidBody."""
    if said is None:
        with lab.sessions.begin() as session:
            return place_now(session)
    try:
        return UUID(said)
    except ValueError as error:
        detail = "the id of the last event, or a next_cursor of GET /notices"
        raise InvalidBody(
            errors=[{"pointer": "#/Last-Event-ID", "detail": detail}],
            where="Last-Event-ID",
            came="something else",
        ) from error


def events(
    lab: Laboratory,
    bell: NoticeBell,
    team_id: UUID | None,
    place: UUID,
    *,
    still_in: Callable[[], bool],
) -> Iterator[str]:
    """For a quarter of an hour, then the listener comes again; ends when it may not any more."""
    yield f"retry: 2000\nid: {place}\n\n"
    shown: set[UUID] = set()
    until = monotonic() + _LONGEST_S
    while monotonic() < until and still_in():
        rings = bell.rings
        with lab.sessions.begin() as session:
            told = told_at_once(session, team_id, place, shown)
        yield from (_event(one, min(one.notice_id, told.safe)) for one in told.notices)
        place = told.safe
        shown = {id for id in shown | {one.notice_id for one in told.notices} if id > place}
        if told.notices:
            bell.wait_beyond(bell.rings, _AT_MOST_EVERY_S)
        elif not bell.wait_beyond(rings, HEARTBEAT_S):
            yield f"id: {place}\n: still here\n\n"


def _event(told: Told, place: UUID) -> str:
    said = json.dumps(asdict(told), default=_as_json, ensure_ascii=False)
    return f"id: {place}\nevent: {told.kind}\ndata: {said}\n\n"


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
