"""What a day is asked for, each column as one string (`day_columns` reads them).

The texts are joined of this file's own words alone; what is asked for goes in as values.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lims.domain.lifecycle import (
    OrderState,
    RecollectionState,
    ResultStatus,
    TubeKind,
    TubeState,
)
from lims.domain.outcomes import FindingOutcome
from lims.work.views.day_columns import Columns, Kind, Words

_OUTCOME: Final = Words("nplsiDr", FindingOutcome)
_STATUS: Final = Words("PFCX", ResultStatus)
_KIND: Final = Words("ifl", TubeKind)
_TUBE_STATE: Final = Words("crjd", TubeState)
_ORDER_STATE: Final = Words("qprvc", OrderState)
_RECOLLECTION: Final = Words("odc", RecollectionState)


def _id(column: str) -> str:
    return f"string_agg(uuid_send({column}), '')"


def _at(column: str) -> str:
    return f"string_agg(timestamptz_send(coalesce({column}, '-infinity'::timestamptz)), '')"


def _word(column: str, words: Words) -> str:
    return f"string_agg({words.spelt(column)}, '')"


_NUMBERED_AREAS: Final = (
    "SELECT scheme, code, name, full_name, parent_code,"
    " row_number() OVER (ORDER BY scheme, code)::int AS n FROM area"
)
_OF_THE_DAY: Final = (
    "s.site_id = %(site)s AND s.material = 'swab'"
    " AND s.collected_at >= %(start)s AND s.collected_at < %(end)s"
)
SWABS: Final = (
    f"SELECT {_id('s.id')}, {_at('s.collected_at')}, string_agg(int4send(coalesce(a.n, 0)), '')"  # noqa: S608 - this file's own words
    " FROM specimen s JOIN person p ON p.id = s.person_id"
    f" LEFT JOIN ({_NUMBERED_AREAS}) a ON a.scheme = p.area_scheme AND a.code = p.area_code"
    f" WHERE {_OF_THE_DAY}"
)
SWAB_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "collected_at": Kind.MOMENT,
    "area": Kind.NUMBER,
}
FINDINGS: Final = (
    f"SELECT {_id('f.specimen_id')}, {_word('f.outcome', _OUTCOME)},"  # noqa: S608 - this file's own words
    f" {_word('f.status', _STATUS)}, {_at('f.created_at')}, {_at('f.released_at')}"
    " FROM finding f"
)
# Of a day just gone everything found since is nearly all about it, and the range is an index's;
# of a day long gone nearly nothing is, and each swab is asked for.
FOUND_SINCE: Final = " WHERE f.site_id = %(site)s AND f.current AND f.created_at >= %(start)s"
FOUND_OF: Final = f" JOIN specimen s ON s.id = f.specimen_id WHERE f.current AND {_OF_THE_DAY}"
JUST_GONE: Final = timedelta(days=3)
FINDING_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "outcome": _OUTCOME,
    "status": _STATUS,
    "found_at": Kind.MOMENT,
    "released_at": Kind.MOMENT,
}
TUBES: Final = (
    f"SELECT {_id('ts.specimen_id')}, {_id('t.id')}, {_word('t.kind', _KIND)},"
    f" {_word('t.state', _TUBE_STATE)}, {_at('t.received_at')}"
)
TUBE_KINDS: Final[Columns] = {
    "swab": Kind.ROW_ID,
    "tube": Kind.ROW_ID,
    "kind": _KIND,
    "state": _TUBE_STATE,
    "received_at": Kind.MOMENT,
}
# Asking each swab for its tubes costs twice what reading every tube of the time does; of a day long
# gone there would be more to read than to ask. A swab's pools are never older than its tube.
IN_TUBES: Final = " FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id WHERE "
CAME_SINCE: Final = (
    "t.site_id = %(site)s AND (t.received_at >= %(start)s - interval '1 hour'"
    " OR t.state = 'collected' AND t.created_at >= %(start)s - interval '1 hour')"
)
TUBES_OF: Final = (
    " FROM specimen s JOIN tube_specimen ts ON ts.specimen_id = s.id"
    f" JOIN tube t ON t.id = ts.tube_id WHERE {_OF_THE_DAY}"
)
ONE_DAY: Final = timedelta(days=1)
# A superset: nobody orders a test before the swab, but for a clock that is a day wrong. Joining
# the tubes' frame leaves the day's own.
TESTS: Final = (
    f"SELECT {_id('o.tube_id')}, {_word('o.state', _ORDER_STATE)}, {_at('o.created_at')},"  # noqa: S608 - this file's own words
    f" {_at('r.created_at')}, {_at('coalesce(r.measured_at, q.created_at)')},"
    " string_agg(boolsend(coalesce(q.held, false)), '')"
    " FROM test_order o LEFT JOIN well w ON w.order_id = o.id LEFT JOIN run r ON r.id = w.run_id"
    " LEFT JOIN result q ON q.order_id = o.id AND q.current"
    " WHERE o.site_id = %(site)s AND o.state <> 'cancelled'"
    " AND o.created_at >= %(start)s - interval '1 day'"
)
TEST_KINDS: Final[Columns] = {
    "tube": Kind.ROW_ID,
    "state": _ORDER_STATE,
    "ordered_at": Kind.MOMENT,
    "plated_at": Kind.MOMENT,
    "measured_at": Kind.MOMENT,
    "held": Kind.FLAG,
}
SWABBED_AGAIN: Final = (
    "SELECT specimen_id FROM recollection WHERE specimen_id = ANY(%(swabs)s) AND state = 'done'"
)
CASES: Final = """
    SELECT f.specimen_id, c.opened_at,
           (SELECT min(n.delivered_at) FROM notice n WHERE n.case_id = c.id) AS told_at,
           (SELECT min(k.claimed_at) FROM claim k WHERE k.case_id = c.id) AS claimed_at
    FROM f0_case c JOIN finding f ON f.id = c.finding_id JOIN specimen s ON s.id = f.specimen_id
    WHERE c.site_id = %(site)s AND c.opened_at >= %(start)s AND s.site_id = c.site_id
      AND s.collected_at >= %(start)s AND s.collected_at < %(end)s
"""
AREA_ROWS: Final = (
    "SELECT a.n AS area, a.scheme, a.code, a.full_name AS name, coalesce(p.name, '') AS province"  # noqa: S608 - this file's own words
    f" FROM ({_NUMBERED_AREAS}) a"
    " LEFT JOIN area p ON p.scheme = a.scheme AND p.code = a.parent_code"
)
# Every pool of the site that is open now, of whatever day: found by what is left to do (partial
# indexes), not by looking through all pools.
POOLS: Final = f"""
    WITH waiting AS (
        SELECT tube_id AS id FROM test_order
              WHERE site_id = %(site)s AND state IN ('queued', 'plated')
        UNION SELECT id FROM tube WHERE site_id = %(site)s AND state = 'collected'
        UNION SELECT tube_id FROM result WHERE site_id = %(site)s AND current AND held
        UNION SELECT ts.tube_id FROM finding f
              JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
              WHERE f.site_id = %(site)s AND f.current AND f.status = 'P')
    SELECT string_agg(t.barcode, ' '), {_word("t.kind", _KIND)}, {_word("t.state", _TUBE_STATE)},
           {_at("t.created_at")}, {_word("o.state", _ORDER_STATE)},
           {_word("f.outcome", _OUTCOME)}, {_word("f.status", _STATUS)},
           {_word("c.state", _RECOLLECTION)}
    FROM waiting w JOIN tube t ON t.id = w.id AND t.kind <> 'individual' AND t.state <> 'rejected'
    JOIN tube_specimen ts ON ts.tube_id = t.id
    LEFT JOIN test_order o ON o.tube_id = t.id AND o.state IN ('queued', 'plated')
    LEFT JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current
    LEFT JOIN recollection c ON c.specimen_id = ts.specimen_id
"""  # noqa: S608 - this file's own words
POOL_KINDS: Final[Columns] = {
    "barcode": Kind.NAME,
    "kind": _KIND,
    "state": _TUBE_STATE,
    "since": Kind.MOMENT,
    "order_state": _ORDER_STATE,
    "outcome": _OUTCOME,
    "status": _STATUS,
    "recollection": _RECOLLECTION,
}
KITS: Final = """
    SELECT k.name AS kit, l.lot, q.outcome, f.outcome AS pcr
    FROM specimen s JOIN rapid_test q ON q.specimen_id = s.id
    JOIN kit_lot l ON l.id = q.kit_lot_id JOIN kit k ON k.id = l.kit_id
    LEFT JOIN finding f ON f.specimen_id = q.pcr_specimen_id AND f.current
    WHERE s.site_id = %(site)s AND s.collected_at >= %(start)s AND s.collected_at < %(end)s
"""
