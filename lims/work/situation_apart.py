"""The situation of a day, counted and drawn in a process of its own.

A day of a million tubes takes seconds of computing; in the web process every request would wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine

from lims.db.engine import connect
from lims.work.apart import apart
from lims.work.situation import day_situation
from reports.charts import situation_charts
from reports.saying import Saying, Tongue
from reports.situation import Situation
from reports.situation_forms import Form, situation_in


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
    """The figures, each chart as SVG by its name, and the file if one was asked for."""

    situation: Situation
    charts: Mapping[str, str]
    file: bytes


def situation_apart(engine: Engine, asked: Asked) -> Answered:
    """The answer of a child on connections of its own. Raises ChildBroke."""
    return apart(situation_at, _address(engine), asked)


def situation_at(address: str, asked: Asked) -> Answered:
    """Count and draw, here."""
    engine = connect(address, pool_size=3, application_name="lims report")
    try:
        counted = day_situation(
            engine, site_id=asked.site_id, timezone=asked.timezone, day=asked.day, now=asked.now
        )
    finally:
        engine.dispose()
    saying = Saying(asked.tongue, asked.timezone)
    if asked.form is not None:
        return Answered(counted, {}, situation_in(asked.form, counted, saying))
    return Answered(counted, situation_charts(counted, saying), b"")


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
