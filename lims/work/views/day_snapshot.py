"""One consistent look at a day of the laboratory, as raw columns for `reports.situation`.

Two connections read at the same time, since one backend is one core; the second takes over the
first one's exported snapshot, so both see the very same moment (PostgreSQL 18 manual, 9.28.5).
Nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl
import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.domain.lifecycle import OrderState, ResultStatus, TubeKind, TubeState
from lims.domain.outcomes import FindingOutcome
from lims.work.views import stages
from lims.work.views.day_columns import Columns, Kind, Words, as_uuid, read_columns, row_id
from lims.work.views.stages import Waiting
from reports.day_frames import AREAS, CASES, KITS, POOLS, SWABBED_AGAIN, DayFrames

_OUTCOME: Final = Words("nplsiDr", FindingOutcome)
_STATUS: Final = Words("PFCX", ResultStatus)
_KIND: Final = Words("ifl", TubeKind)
_TUBE_STATE: Final = Words("crjd", TubeState)
_ORDER_STATE: Final = Words("qprvc", OrderState)


def _at(column: str) -> str:
    return f"array_agg(coalesce({column}, '-infinity'::timestamptz))"


def _word(column: str, words: Words) -> str:
    return f"array_agg({words.spelt(column)})"


_NUMBERED_AREAS: Final = (
    "SELECT scheme, code, name, full_name, parent_code,"
    " row_number() OVER (ORDER BY scheme, code)::int AS n FROM area"
)
_OF_THE_DAY: Final = (
    "s.site_id = %(site)s AND s.material = 'swab'"
    " AND s.collected_at >= %(start)s AND s.collected_at < %(end)s"
)
_SWABS: Final = (
    f"SELECT array_agg(s.id), {_at('s.collected_at')}, array_agg(coalesce(a.n, 0))"  # noqa: S608 - this file's own words
    " FROM specimen s JOIN person p ON p.id = s.person_id"
    f" LEFT JOIN ({_NUMBERED_AREAS}) a ON a.scheme = p.area_scheme AND a.code = p.area_code"
    f" WHERE {_OF_THE_DAY}"
)
_SWAB_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "collected_at": Kind.MOMENT,
    "area": Kind.NUMBER,
}
_FINDINGS: Final = (
    f"SELECT array_agg(f.specimen_id), {_word('f.outcome', _OUTCOME)},"  # noqa: S608 - this file's own words
    f" {_word('f.status', _STATUS)}, {_at('f.created_at')}, {_at('f.released_at')}"
    " FROM finding f"
)
# Of a day just gone everything found since is nearly all about it, and the range is an index's;
# of a day long gone nearly nothing is, and each swab is asked for.
_FOUND_SINCE: Final = " WHERE f.site_id = %(site)s AND f.current AND f.created_at >= %(start)s"
_FOUND_OF: Final = f" JOIN specimen s ON s.id = f.specimen_id WHERE f.current AND {_OF_THE_DAY}"
_JUST_GONE: Final = timedelta(days=3)
_FINDING_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "outcome": _OUTCOME,
    "status": _STATUS,
    "found_at": Kind.MOMENT,
    "released_at": Kind.MOMENT,
}
_TUBES: Final = (
    f"SELECT array_agg(ts.specimen_id), array_agg(t.id), {_word('t.kind', _KIND)},"
    f" {_word('t.state', _TUBE_STATE)}, {_at('t.received_at')}"
)
_TUBE_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "tube": Kind.ROW_ID,
    "kind": _KIND,
    "state": _TUBE_STATE,
    "received_at": Kind.MOMENT,
}
# Asking each swab for its tubes costs twice what reading every tube of the time does; of a day long
# gone there would be more to read than to ask. A swab's pools are never older than its tube.
_IN_TUBES: Final = " FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id WHERE "
_CAME_SINCE: Final = (
    "t.site_id = %(site)s AND (t.received_at >= %(start)s - interval '1 hour'"
    " OR t.state = 'collected' AND t.created_at >= %(start)s - interval '1 hour')"
)
_TUBES_OF: Final = (
    " FROM specimen s JOIN tube_specimen ts ON ts.specimen_id = s.id"
    f" JOIN tube t ON t.id = ts.tube_id WHERE {_OF_THE_DAY}"
)
_ONE_DAY: Final = timedelta(days=1)
# A superset: nobody orders a test before the swab, but for a clock that is a day wrong. Joining
# the tubes' frame leaves the day's own.
_TESTS: Final = (
    f"SELECT array_agg(o.tube_id), {_word('o.state', _ORDER_STATE)}, {_at('o.created_at')},"  # noqa: S608 - this file's own words
    f" {_at('r.created_at')}, {_at('coalesce(r.measured_at, q.created_at)')},"
    " array_agg(coalesce(q.held, false))"
    " FROM test_order o LEFT JOIN well w ON w.order_id = o.id LEFT JOIN run r ON r.id = w.run_id"
    " LEFT JOIN result q ON q.order_id = o.id AND q.current"
    " WHERE o.site_id = %(site)s AND o.state <> 'cancelled'"
    " AND o.created_at >= %(start)s - interval '1 day'"
)
_TEST_KINDS: Final[Columns] = {
    "tube": Kind.ROW_ID,
    "state": _ORDER_STATE,
    "ordered_at": Kind.MOMENT,
    "plated_at": Kind.MOMENT,
    "measured_at": Kind.MOMENT,
    "held": Kind.FLAG,
}
_SWABBED_AGAIN: Final = (
    "SELECT specimen_id FROM recollection WHERE specimen_id = ANY(%(swabs)s) AND state = 'done'"
)
_CASES: Final = """
    SELECT f.specimen_id, c.opened_at,
           (SELECT min(n.delivered_at) FROM notice n WHERE n.case_id = c.id) AS told_at,
           (SELECT min(k.claimed_at) FROM claim k WHERE k.case_id = c.id) AS claimed_at
    FROM f0_case c JOIN finding f ON f.id = c.finding_id JOIN specimen s ON s.id = f.specimen_id
    WHERE c.site_id = %(site)s AND c.opened_at >= %(start)s AND s.site_id = c.site_id
      AND s.collected_at >= %(start)s AND s.collected_at < %(end)s
"""
_AREA_ROWS: Final = (
    "SELECT a.n AS area, a.scheme, a.code, a.full_name AS name, coalesce(p.name, '') AS province"  # noqa: S608 - this file's own words
    f" FROM ({_NUMBERED_AREAS}) a"
    " LEFT JOIN area p ON p.scheme = a.scheme AND p.code = a.parent_code"
)
# Every pool of the site that is open now, of whatever day: found by what is left to do (partial
# indexes), not by looking through all pools.
_POOLS: Final = """
    WITH waiting AS (
        SELECT tube_id AS id FROM test_order
              WHERE site_id = %(site)s AND state IN ('queued', 'plated')
        UNION SELECT id FROM tube WHERE site_id = %(site)s AND state = 'collected'
        UNION SELECT tube_id FROM result WHERE site_id = %(site)s AND current AND held
        UNION SELECT ts.tube_id FROM finding f
              JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
              WHERE f.site_id = %(site)s AND f.current AND f.status = 'P')
    SELECT t.barcode, t.kind, t.state, t.created_at AS since, o.state AS order_state,
           o.created_at AS order_since, f.outcome, f.status,
           c.state AS recollection
    FROM waiting w JOIN tube t ON t.id = w.id AND t.kind <> 'individual' AND t.state <> 'rejected'
    JOIN tube_specimen ts ON ts.tube_id = t.id
    LEFT JOIN test_order o ON o.tube_id = t.id AND o.state IN ('queued', 'plated')
    LEFT JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current
    LEFT JOIN recollection c ON c.specimen_id = ts.specimen_id
"""
_KITS: Final = """
    SELECT k.name AS kit, l.lot, q.outcome, f.outcome AS pcr
    FROM specimen s JOIN rapid_test q ON q.specimen_id = s.id
    JOIN kit_lot l ON l.id = q.kit_lot_id JOIN kit k ON k.id = l.kit_id
    LEFT JOIN finding f ON f.specimen_id = q.pcr_specimen_id AND f.current
    WHERE s.site_id = %(site)s AND s.collected_at >= %(start)s AND s.collected_at < %(end)s
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The frames, whose they are, and what waits at the whole site at that very moment."""

    frames: DayFrames
    site: str
    waiting: Sequence[Waiting]


def take_snapshot(
    engine: Engine, *, site_id: UUID, start: datetime, end: datetime, now: datetime
) -> Snapshot:
    """Read the day from `start` (included) to `end` (not included), two aware moments.

    Holds two of the engine's connections until it is done.
    """
    values = {"site": site_id, "start": start, "end": end}
    with Session(engine) as session, _looking(engine) as second:
        first = _driver(session.connection().connection.driver_connection)
        _begin(first)
        exported = first.execute("SELECT pg_export_snapshot()").fetchone()
        _begin(second, None if exported is None else str(exported[0]))
        with ThreadPoolExecutor(1) as beside:
            since = now - end < _ONE_DAY
            tubes = beside.submit(_second_half, second, values, recent=since)
            just_gone = now - end < _JUST_GONE
            swabs = _swabs(first, values, recent=just_gone)
            name = first.execute("SELECT name FROM site WHERE id = %(site)s", values).fetchone()
            areas = _rows(first, _AREA_ROWS, values, AREAS)
            pools = _rows(first, _POOLS, values, POOLS)
            kits = _rows(first, _KITS, values, KITS)
            waiting = stages.waiting(session, site_id=site_id, now=now, day_start=start)
            held, tests, cases = tubes.result()
        if since:
            held = _with_stragglers(second, swabs, held)
        if just_gone:
            swabs = _with_found_before(second, swabs, held, start)
        again = _swabbed_again(second, swabs)
    frames = DayFrames(swabs, held, tests, again, cases, areas, pools, kits)
    return Snapshot(frames, str(name[0]) if name else "", waiting)


def _begin(connection: psycopg.Connection[Any], snapshot: str | None = None) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot is not None:
        connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'".encode())
    connection.execute("SET LOCAL work_mem = '256MB'")
    connection.execute("SET LOCAL jit = off")  # as our own server says; another's may not
    # A worker would hand its arrays over piece by piece: three times slower (measured).
    connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")


def _swabs(
    connection: psycopg.Connection[Any], values: Mapping[str, Any], *, recent: bool
) -> pl.DataFrame:
    swabs = read_columns(connection, _SWABS, values, _SWAB_KINDS)
    query = _FINDINGS + (_FOUND_SINCE if recent else _FOUND_OF)
    found = read_columns(connection, query, values, _FINDING_KINDS)
    return swabs.lazy().join(found.lazy(), on="swab", how="left").collect(engine="streaming")


def _second_half(
    connection: psycopg.Connection[Any], values: Mapping[str, Any], *, recent: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    query = _TUBES + (_IN_TUBES + _CAME_SINCE if recent else _TUBES_OF)
    tubes = read_columns(connection, query, values, _TUBE_KINDS)
    tests = read_columns(connection, _TESTS, values, _TEST_KINDS)
    cases = connection.execute(_CASES.encode(), values).fetchall()
    named = {
        "swab": [row_id(row[0]) for row in cases],
        "opened_at": [row[1] for row in cases],
        "told_at": [row[2] for row in cases],
        "claimed_at": [row[3] for row in cases],
    }
    return tubes, tests, pl.DataFrame(named, schema=CASES)


def _with_stragglers(
    connection: psycopg.Connection[Any], swabs: pl.DataFrame, tubes: pl.DataFrame
) -> pl.DataFrame:
    """Adds by name what came before its own day: written down the evening before, turned away at
    the door without being received, or dated by a clock that is wrong."""
    leaf = tubes.lazy().filter(pl.col("kind") != TubeKind.LAB_POOL)
    missing = swabs.lazy().select("swab").join(leaf, on="swab", how="anti")
    without = missing.collect(engine="streaming")
    if without.is_empty():
        return tubes
    named = {"swabs": [as_uuid(one) for one in without["swab"]]}
    query = f"{_TUBES}{_IN_TUBES}ts.specimen_id = ANY(%(swabs)s)"
    found = read_columns(connection, query, named, _TUBE_KINDS)
    return pl.concat([tubes.join(without, on="swab", how="anti"), found])


def _with_found_before(
    connection: psycopg.Connection[Any], swabs: pl.DataFrame, tubes: pl.DataFrame, start: datetime
) -> pl.DataFrame:
    """Adds by name what was found before the swab's own day: nothing is found of a tube that has
    neither been received nor turned away, so only such as came that early are asked for."""
    turned_away = pl.col("received_at").is_null() & (pl.col("state") != TubeState.COLLECTED)
    early = tubes.lazy().filter((pl.col("received_at") < start.astimezone(UTC)) | turned_away)
    unknown = swabs.lazy().filter(pl.col("outcome").is_null())
    asked = unknown.join(early, on="swab", how="semi").select("swab").collect()["swab"]
    if asked.is_empty():
        return swabs
    query = f"{_FINDINGS} WHERE f.current AND f.specimen_id = ANY(%(swabs)s)"
    values = {"swabs": [as_uuid(one) for one in asked]}
    return swabs.update(read_columns(connection, query, values, _FINDING_KINDS), on="swab")


def _swabbed_again(connection: psycopg.Connection[Any], swabs: pl.DataFrame) -> pl.DataFrame:
    """Asked by name: few swabs cannot tell, and no index has what is done by its day."""
    cannot_tell = pl.col("outcome").is_in(["recollect", "preliminary"])
    asked = [as_uuid(one) for one in swabs.filter(cannot_tell)["swab"]]
    done = connection.execute(_SWABBED_AGAIN.encode(), {"swabs": asked}).fetchall()
    return pl.DataFrame({"swab": [row_id(row[0]) for row in done]}, schema=SWABBED_AGAIN)


def _rows(
    connection: psycopg.Connection[Any],
    query: str,
    values: Mapping[str, Any],
    schema: Mapping[str, Any],
) -> pl.DataFrame:
    found = connection.execute(query.encode(), values).fetchall()
    return pl.DataFrame(found, schema=dict(schema), orient="row")


def _driver(connection: object) -> psycopg.Connection[Any]:
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"a snapshot needs psycopg, came {type(connection).__name__}")
    return connection


@contextmanager
def _looking(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the pool; given back, it is rolled back, and what was SET LOCAL with it."""
    borrowed = engine.raw_connection()
    try:
        yield _driver(borrowed.driver_connection)
    finally:
        borrowed.close()
