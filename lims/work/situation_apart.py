"""The situation of a day, counted and drawn in a process of its own.

A day of a million tubes takes seconds of computing, and drawing takes an interpreter's lock; in the
web process every request would wait for it. The child gets the database's address over its
standard input (a password does not stand in a list of processes) and answers on standard output,
both pickled: they are one program, nobody else writes there.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from threading import BoundedSemaphore
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine

from lims.work.situation import day_situation
from reports.charts import situation_charts
from reports.saying import Saying, Tongue
from reports.situation import Situation
from reports.situation_forms import Form, situation_in

AT_ONCE: Final = 1  # a process's own; a second question waits until the first is answered
_LONGEST_S: Final = 120.0
_one_at_a_time = BoundedSemaphore(AT_ONCE)


class CountBroke(Exception):
    """The child ended early; what it said went to the log."""


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
    """The answer of a child. Raises CountBroke."""
    given = pickle.dumps((_address(engine), asked))
    with _one_at_a_time:
        child = subprocess.run(
            [sys.executable, "-m", "lims.work.situation_child"],
            input=given,
            stdout=subprocess.PIPE,
            timeout=_LONGEST_S,
            check=False,
        )
    if child.returncode != 0:
        raise CountBroke(f"the count of {asked.day} ended with {child.returncode}")
    answer = pickle.loads(child.stdout)  # noqa: S301 - from our own child, see above
    if not isinstance(answer, Answered):
        raise CountBroke(f"the count answered with {type(answer).__name__}")
    return answer


def answer(engine: Engine, asked: Asked) -> Answered:
    """Count and draw, here."""
    counted = day_situation(
        engine, site_id=asked.site_id, timezone=asked.timezone, day=asked.day, now=asked.now
    )
    saying = Saying(asked.tongue, asked.timezone)
    if asked.form is not None:
        return Answered(counted, {}, situation_in(asked.form, counted, saying))
    return Answered(counted, situation_charts(counted, saying), b"")


def _address(engine: Engine) -> str:
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
