"""Conclude what the evidence says of some tubes, and write the difference to what is stored."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.pooling.evidence import Conclusion, WantedOrder
from lims.work.alerts import answer_by_reswab, keep_alerts
from lims.work.cases import follow_findings
from lims.work.evidence import Known, lock_components, read_known
from lims.work.findings import keep_findings
from lims.work.owe_findings import owe_findings
from lims.work.resolution import choose_for
from lims.work.sub_pools import keep_sub_pools


def settle(
    session: Session,
    tubes: Sequence[UUID],
    *,
    site_id: UUID,
    now: datetime,
    signed: str | None = None,
) -> Conclusion | None:
    """Lock the components of these tubes, conclude, and write what is new.

    ``signed`` is the reviewer whose act it follows from: what then waits only
    for a reviewer's word has it.

    Writes how a pool is resolved when that is open, findings, orders, sub-pools to
    prepare, recollections, cases, alerts, and what teams and other systems are owed,
    in the caller's transaction. Doing it again writes nothing.
    """
    if not tubes:
        return None
    session.flush()
    known = read_known(session, lock_components(session, tubes))
    conclusion = known.conclude()
    if conclusion.unchosen:
        known = choose_for(session, known, conclusion.unchosen, site_id=site_id, now=now)
        conclusion = known.conclude()
    changes = keep_findings(session, known, conclusion, site_id=site_id, now=now, signed=signed)
    _keep_orders(session, conclusion, site_id=site_id, now=now)
    keep_sub_pools(session, known, conclusion, site_id=site_id, now=now)
    _keep_recollections(session, known, conclusion, site_id=site_id, now=now)
    follow_findings(session, changes, site_id=site_id, now=now)
    owe_findings(session, [c.specimen_id for c in changes], site_id=site_id, now=now)
    keep_alerts(session, known, conclusion, site_id=site_id, now=now)
    answer_by_reswab(session, [c.specimen_id for c in changes], site_id=site_id, now=now)
    return conclusion


def _keep_orders(session: Session, conclusion: Conclusion, *, site_id: UUID, now: datetime) -> None:
    if conclusion.unwanted:
        session.execute(
            text(
                "UPDATE test_order SET state = 'cancelled', closed_at = :now,"
                " because = 'nothing asks for it any more'"
                " WHERE id = ANY(:ids) AND state = 'queued'"
            ),
            {"ids": list(conclusion.unwanted), "now": now},
        )
    if conclusion.wanted:
        session.execute(
            text(
                "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why,"
                " because, state, created_at)"
                " SELECT g.id, :site_id, t.id, t.assay_code, g.round, g.priority, g.why, g.because,"
                " 'queued', :now"
                " FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g("
                " id uuid, tube_id uuid, round int, priority int, why text, because text)"
                " JOIN tube t ON t.id = g.tube_id ORDER BY g.id ON CONFLICT DO NOTHING"
            ),
            {
                "rows": rows_as_json([_order_row(order) for order in conclusion.wanted]),
                "site_id": site_id,
                "now": now,
            },
        )


def _order_row(order: WantedOrder) -> dict[str, object]:
    return {
        "id": uuid7(),
        "tube_id": order.tube_id,
        "round": order.round,
        "priority": order.priority,
        "why": order.why,
        "because": order.because,
    }


def _keep_recollections(
    session: Session, known: Known, conclusion: Conclusion, *, site_id: UUID, now: datetime
) -> None:
    session.execute(
        text(
            "UPDATE recollection SET state = 'cancelled', ended_at = :now"
            " WHERE state = 'open' AND specimen_id = ANY(:all) AND specimen_id <> ALL(:wanted)"
        ),
        {
            "now": now,
            "all": list(known.specimens),
            "wanted": list(conclusion.recollections),
        },
    )
    if not conclusion.recollections:
        return
    specimens = sorted(conclusion.recollections)
    session.execute(
        text(
            "INSERT INTO recollection (id, site_id, specimen_id, person_id, why, state, created_at)"
            " SELECT mint_uuid7(:now), :site_id, s.id, s.person_id, g.why, 'open', :now"
            " FROM unnest(cast(:ids AS uuid[]), cast(:whys AS text[])) g(id, why)"
            " JOIN specimen s ON s.id = g.id ON CONFLICT (specimen_id) DO UPDATE"
            " SET state = 'open', ended_at = NULL, why = excluded.why"
            " WHERE recollection.state = 'cancelled'"
        ),
        {
            "now": now,
            "site_id": site_id,
            "ids": specimens,
            "whys": [conclusion.recollections[s] for s in specimens],
        },
    )
