"""The situation of a day, counted and drawn in a process of its own.

A day of a million tubes takes seconds of computing; in the web process every request would wait.
What draws is loaded and started in a thread while the database reads: a second of a million tubes'
eleven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine

from lims.db.engine import connect
from lims.work.apart import apart
from lims.work.situation import day_situation
from reports.saying import Saying, Tongue
from reports.situation import Form, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which day, and how it is to be said. Without a form: the figures and their charts."""

    site_id: UUID
    timezone: str
    day: date
    now: datetime
    tongue: Tongue
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The figures, each chart as SVG by its name, and the file if one was asked for.

    `narrow` are those that a telephone is to show instead.
    """

    situation: Situation
    charts: Mapping[str, str] = field(default_factory=dict)
    narrow: Mapping[str, str] = field(default_factory=dict)
    file: bytes = b""


def situation_apart(engine: Engine, asked: Asked) -> Answered:
    """The answer of a child on connections of its own. Raises ChildBroke."""
    return apart(situation_at, _address(engine), asked)


def situation_at(address: str, asked: Asked) -> Answered:
    """The same, here and now."""
    engine = connect(address, pool_size=3, application_name="lims report")
    try:
        return situation_drawn(engine, asked)
    finally:
        engine.dispose()


def situation_drawn(engine: Engine, asked: Asked) -> Answered:
    """Count and draw in this process."""
    with ThreadPoolExecutor(1) as beside:
        draw = beside.submit(_drawer, asked.form)
        counted = day_situation(
            engine, site_id=asked.site_id, timezone=asked.timezone, day=asked.day, now=asked.now
        )
    return draw.result()(counted, Saying(asked.tongue, asked.timezone))


def _drawer(form: Form | None) -> Callable[[Situation, Saying], Answered]:
    """How to draw it, loaded and ready."""
    from reports.charts import make_ready, narrow_charts, situation_charts
    from reports.situation_forms import situation_in

    def charts(counted: Situation, saying: Saying) -> Answered:
        wide, narrow = situation_charts(counted, saying), narrow_charts(counted, saying)
        return Answered(counted, wide, narrow)

    if form in (None, Form.PDF):
        make_ready()
    if form is None:
        return charts
    return lambda counted, saying: Answered(counted, file=situation_in(form, counted, saying))


def _address(engine: Engine) -> str:
    """Where the engine's connections go, password included."""
    borrowed = engine.raw_connection()
    try:
        connection = borrowed.driver_connection
        if not isinstance(connection, psycopg.Connection):
            raise TypeError(f"expected a psycopg connection, came {type(connection).__name__}")
        told = connection.info.get_parameters()
        password = connection.info.password
    finally:
        borrowed.close()
    kept = {name: told[name] for name in told if name not in ("options", "application_name")}
    return make_conninfo(**kept, **({"password": password} if password else {}))
