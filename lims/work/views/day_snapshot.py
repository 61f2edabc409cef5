"""One consistent look at a day of the laboratory, as raw columns for `reports.situation`.

Two connections read at the same time, since one backend is one core; the second takes over the
first one's exported snapshot, so both see the very same moment (PostgreSQL 18 manual, 9.28.5).
Nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar
from uuid import UUID

import polars as pl
import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind, TubeState
from lims.work.views import day_queries as queries
from lims.work.views import stages
from lims.work.views.day_columns import Columns, as_uuid, read_columns, row_id
from lims.work.views.stages import Waiting
from reports.day_frames import AREAS, CASES, KITS, SWABBED_AGAIN, DayFrames

T = TypeVar("T")
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The frames, whose they are, and what waits at the whole site at that very moment."""

    frames: DayFrames
    site: str
    waiting: Sequence[Waiting]


class Readers:
    """Sessions that look at one moment. Each question goes to whichever is free, so that none
    stands idle while another has work left: ask the long ones first."""

    def __init__(self, sessions: Sequence[Session], threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._free: SimpleQueue[Session] = SimpleQueue()
        for session in sessions:
            self._free.put(session)

    def ask(self, question: Callable[[Session], T]) -> Future[T]:
        """What the question will answer, or raise."""
        return self._threads.submit(self._answer, question)

    def _answer(self, question: Callable[[Session], T]) -> T:
        session = self._free.get()
        try:
            return question(session)
        finally:
            self._free.put(session)


def take_snapshot(
    engine: Engine, *, site_id: UUID, start: datetime, end: datetime, now: datetime
) -> Snapshot:
    """Read the day from `start` (included) to `end` (not included), two aware moments.

    Holds two of the engine's connections until it is done.
    """
    values = {"site": site_id, "start": start, "end": end}
    since, just_gone = now - end < queries.ONE_DAY, now - end < queries.JUST_GONE
    fresh_tubes = queries.TUBES + queries.IN_TUBES + queries.CAME_SINCE
    of_tubes = fresh_tubes if since else queries.TUBES + queries.TUBES_OF
    of_findings = queries.FINDINGS + (queries.FOUND_SINCE if just_gone else queries.FOUND_OF)
    with _one_moment(engine) as readers:
        columns = partial(_columns, readers, values)
        rows = partial(_rows, readers, values)
        taken = columns(queries.SWABS, queries.SWAB_KINDS)
        held_in = columns(of_tubes, queries.TUBE_KINDS)
        found = columns(of_findings, queries.FINDING_KINDS)
        tests = columns(queries.TESTS, queries.TEST_KINDS)
        pools = columns(queries.POOLS, queries.POOL_KINDS)
        waiting = readers.ask(
            lambda one: stages.waiting(one, site_id=site_id, now=now, day_start=start)
        )
        cases = readers.ask(partial(_cases, values))
        areas = rows(queries.AREA_ROWS, AREAS)
        kits = rows(queries.KITS, KITS)
        name = rows("SELECT name FROM site WHERE id = %(site)s", {"name": pl.String})

        swabs = taken.result().lazy().join(found.result().lazy(), on="swab", how="left")
        known = swabs.collect(engine="streaming")
        tubes = held_in.result()
        if since:
            tubes = readers.ask(partial(_with_stragglers, known, tubes)).result()
        if just_gone:
            known = readers.ask(partial(_with_found_before, known, tubes, start)).result()
        frames = DayFrames(
            swabs=known,
            tubes=tubes,
            tests=tests.result(),
            swabbed_again=readers.ask(partial(_swabbed_again, known)).result(),
            cases=cases.result(),
            areas=areas.result(),
            pools=pools.result(),
            kits=kits.result(),
        )
        return Snapshot(frames, "".join(name.result()["name"]), waiting.result())


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Readers]:
    """Given back, the connections are rolled back, and what was SET LOCAL with them."""
    with Session(engine) as first, Session(engine) as second, ThreadPoolExecutor(2) as threads:
        _begin(_driver(first))
        exported = _driver(first).execute("SELECT pg_export_snapshot()").fetchone()
        _begin(_driver(second), None if exported is None else str(exported[0]))
        yield Readers((first, second), threads)


def _begin(connection: psycopg.Connection[Any], snapshot: str | None = None) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot is not None:
        connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'".encode())
    connection.execute("SET LOCAL work_mem = '256MB'")
    connection.execute("SET LOCAL jit = off")  # as our own server says; another's may not
    # A worker would hand its strings over piece by piece: three times slower (measured).
    connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")


def _columns(readers: Readers, values: Values, query: str, kinds: Columns) -> Future[pl.DataFrame]:
    return readers.ask(lambda session: read_columns(_driver(session), query, values, kinds))


def _rows(
    readers: Readers, values: Values, query: str, schema: Mapping[str, Any]
) -> Future[pl.DataFrame]:
    def question(session: Session) -> pl.DataFrame:
        found = _driver(session).execute(query.encode(), values).fetchall()
        return pl.DataFrame(found, schema=dict(schema), orient="row")

    return readers.ask(question)


def _cases(values: Values, session: Session) -> pl.DataFrame:
    cases = _driver(session).execute(queries.CASES.encode(), values).fetchall()
    named = {
        "swab": [row_id(row[0]) for row in cases],
        "opened_at": [row[1] for row in cases],
        "told_at": [row[2] for row in cases],
        "claimed_at": [row[3] for row in cases],
    }
    return pl.DataFrame(named, schema=CASES)


def _with_stragglers(swabs: pl.DataFrame, tubes: pl.DataFrame, session: Session) -> pl.DataFrame:
    """Adds by name what came before its own day: written down the evening before, turned away at
    the door without being received, or dated by a clock that is wrong."""
    leaf = tubes.lazy().filter(pl.col("kind") != TubeKind.LAB_POOL)
    missing = swabs.lazy().select("swab").join(leaf, on="swab", how="anti")
    without = missing.collect(engine="streaming")
    if without.is_empty():
        return tubes
    named = {"swabs": [as_uuid(one) for one in without["swab"]]}
    query = f"{queries.TUBES}{queries.IN_TUBES}ts.specimen_id = ANY(%(swabs)s)"
    found = read_columns(_driver(session), query, named, queries.TUBE_KINDS)
    return pl.concat([tubes.join(without, on="swab", how="anti"), found])


def _with_found_before(
    swabs: pl.DataFrame, tubes: pl.DataFrame, start: datetime, session: Session
) -> pl.DataFrame:
    """Adds by name what was found before the swab's own day: nothing is found of a tube that has
    neither been received nor turned away, so only such as came that early are asked for."""
    turned_away = pl.col("received_at").is_null() & (pl.col("state") != TubeState.COLLECTED)
    early = tubes.lazy().filter((pl.col("received_at") < start.astimezone(UTC)) | turned_away)
    unknown = swabs.lazy().filter(pl.col("outcome").is_null())
    asked = unknown.join(early, on="swab", how="semi").select("swab").collect()["swab"]
    if asked.is_empty():
        return swabs
    query = f"{queries.FINDINGS} WHERE f.current AND f.specimen_id = ANY(%(swabs)s)"
    named = {"swabs": [as_uuid(one) for one in asked]}
    found = read_columns(_driver(session), query, named, queries.FINDING_KINDS)
    return swabs.update(found, on="swab")


def _swabbed_again(swabs: pl.DataFrame, session: Session) -> pl.DataFrame:
    """Asked by name: few swabs cannot tell, and no index has what is done by its day."""
    cannot_tell = pl.col("outcome").is_in(["recollect", "preliminary"])
    named = {"swabs": [as_uuid(one) for one in swabs.filter(cannot_tell)["swab"]]}
    done = _driver(session).execute(queries.SWABBED_AGAIN.encode(), named).fetchall()
    return pl.DataFrame({"swab": [row_id(row[0]) for row in done]}, schema=SWABBED_AGAIN)


def _driver(session: Session) -> psycopg.Connection[Any]:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"a snapshot needs psycopg, came {type(connection).__name__}")
    return connection
