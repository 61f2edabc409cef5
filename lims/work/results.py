"""Turn matched measurements into results, and close the orders they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.interpretation import rule_in_force
from lims.domain.lifecycle import RunState, Standing
from lims.domain.outcomes import Outcome
from lims.domain.well_reading import interpret
from lims.work.judge_run import Judged
from lims.work.matched import Matched

NOT_MEASURED = "not measured in its run"
"""Why a test is void whose well the analyser had not spoken of when its run was judged."""


@dataclass(frozen=True, slots=True)
class Written:
    """Which tubes have a new answer, and which were left without one."""

    negative_tubes: tuple[UUID, ...]
    other_tubes: tuple[UUID, ...]


def write_results(
    session: Session,
    matched: Sequence[Matched],
    judged: Mapping[UUID, Judged],
    *,
    site_id: UUID,
    now: datetime,
) -> Written:
    """Interpret every specimen that may be read, and void the tests that got no evidence.

    An invalid run yields nothing (S11). In a run held for its positive
    control, what was detected is kept for the reviewer and the rest is run again.
    """
    rows: list[dict[str, Any]] = []
    voided: list[dict[str, Any]] = []
    for one in matched:
        if one.standing is not Standing.MATCHED or one.role is not Role.SPECIMEN:
            continue
        if one.strip_id is not None:  # a rapid test, kept as a reading already
            continue
        run = judged.get(one.run_id) if one.run_id else None
        if run is not None and run.state is RunState.MEASURING:
            continue
        row = _row(one, site_id)
        if run is None or run.state is RunState.VALID:
            rows.append(row)
        elif run.state is RunState.HELD and row["outcome"] in _HELD:
            rows.append(row | {"held": True})
        else:
            voided.append({"order": one.order_id, "why": run.why})
    lost = _unmeasured(session, judged)
    _write(session, rows, [*voided, *lost], now)
    negative = {row["tube_id"] for row in rows if row["outcome"] == Outcome.NOT_DETECTED}
    others = {row["tube_id"] for row in rows if not row["held"]} - negative
    others |= _tubes_of(session, [v["order"] for v in [*voided, *lost]])
    return Written(tuple(sorted(negative)), tuple(sorted(others)))


_HELD = frozenset({Outcome.DETECTED, Outcome.INCONCLUSIVE})


def _row(one: Matched, site_id: UUID) -> dict[str, Any]:
    said = interpret(rule_in_force(one.assay or ""), one.readings, error=one.error, own=one.own)
    return {
        "id": uuid7(),
        "site_id": site_id,
        "order_id": one.order_id,
        "tube_id": one.tube_id,
        "run_id": one.run_id,
        "measurement_id": one.measurement_id,
        "outcome": str(said.outcome),
        "ct_cycles": said.ct_cycles,
        "rule": said.rule,
        "why": said.why,
        "held": False,
    }


def _unmeasured(session: Session, judged: Mapping[UUID, Judged]) -> list[dict[str, Any]]:
    """Wells of a freshly judged run that the analyser never spoke of."""
    fresh = [run.run_id for run in judged.values() if run.fresh]
    if not fresh:
        return []
    rows = session.execute(
        text(
            "SELECT w.order_id FROM well w WHERE w.run_id = ANY(:runs) AND w.role = 'specimen'"
            " AND NOT EXISTS (SELECT FROM measurement m WHERE m.run_id = w.run_id"
            " AND m.well = w.position AND m.standing = 'matched')"
        ),
        {"runs": fresh},
    )
    return [{"order": row.order_id, "why": NOT_MEASURED} for row in rows]


def _write(
    session: Session, rows: list[dict[str, Any]], voided: list[dict[str, Any]], now: datetime
) -> None:
    if rows:
        session.execute(_INSERT, {"rows": rows_as_json(rows), "now": now})
        session.execute(
            text(
                "UPDATE test_order SET state = 'resulted', closed_at = :now"
                " WHERE id = ANY(:ids) AND state IN ('queued', 'plated')"
            ),
            {"ids": [row["order_id"] for row in rows], "now": now},
        )
    if voided:
        session.execute(
            text(
                "UPDATE test_order o SET state = 'void', because = g.why, closed_at = :now"
                " FROM unnest(cast(:ids AS uuid[]), cast(:whys AS text[])) g(id, why)"
                " WHERE o.id = g.id AND o.state IN ('plated', 'resulted')"
            ),
            {
                "ids": [v["order"] for v in voided],
                "whys": [v["why"] for v in voided],
                "now": now,
            },
        )


def _tubes_of(session: Session, orders: Sequence[UUID]) -> set[UUID]:
    if not orders:
        return set()
    found = session.execute(
        text("SELECT tube_id FROM test_order WHERE id = ANY(:ids)"), {"ids": list(orders)}
    )
    return set(found.scalars())


_INSERT = text("""
INSERT INTO result (id, site_id, order_id, tube_id, run_id, measurement_id, outcome, ct_cycles,
                    rule, why, status, current, held, created_at)
SELECT id, site_id, order_id, tube_id, run_id, measurement_id, outcome, ct_cycles, rule, why, 'P',
       true, held, :now
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, site_id uuid, order_id uuid, tube_id uuid, run_id uuid, measurement_id uuid,
    outcome text, ct_cycles float8, rule text, why text, held boolean)
""")
