"""What the laboratory has written, read back for a story: findings, orders, cases, notices."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class SeenFinding:
    """The current finding of one specimen; ``evidence`` are the barcodes of tubes that say so."""

    outcome: str
    status: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class SeenOrder:
    """A test that was wanted on a tube."""

    barcode: str
    round: int
    why: str
    priority: int
    state: str
    because: str | None


@dataclass(frozen=True, slots=True)
class SeenCase:
    """A case as it stands."""

    person_id: UUID
    state: str
    basis: str
    sequence: int


@dataclass(frozen=True, slots=True)
class SeenNotice:
    """Something owed to one recipient."""

    kind: str
    subscription_id: UUID
    person_id: UUID | None
    pool: str | None
    facts: dict[str, object]


def findings(session: Session) -> dict[UUID, SeenFinding]:
    """By specimen."""
    rows = session.execute(
        text("""
SELECT f.specimen_id, f.outcome, f.status, array_remove(array_agg(t.barcode), NULL) AS tubes
FROM finding f
LEFT JOIN LATERAL unnest(f.evidence) e(id) ON true
LEFT JOIN result r ON r.id = e.id LEFT JOIN tube t ON t.id = r.tube_id
WHERE f.current GROUP BY f.id
""")
    )
    return {r.specimen_id: SeenFinding(r.outcome, r.status, frozenset(r.tubes)) for r in rows}


def orders(session: Session, *states: str) -> list[SeenOrder]:
    """In the order the queue gives them; all, or those in these states."""
    rows = session.execute(
        text("""
SELECT t.barcode, o.round, o.why, o.priority, o.state, o.because
FROM test_order o JOIN tube t ON t.id = o.tube_id
WHERE o.state = ANY(:states) OR cardinality(cast(:states AS text[])) = 0
ORDER BY o.priority DESC, o.created_at, t.barcode, o.round
"""),
        {"states": list(states)},
    )
    return [SeenOrder(*row) for row in rows]


def waiting(session: Session) -> set[str]:
    """The barcodes of tubes with a queued test."""
    return {order.barcode for order in orders(session, "queued")}


def cases(session: Session) -> list[SeenCase]:
    """Oldest first."""
    rows = session.execute(
        text("SELECT person_id, state, basis, sequence FROM f0_case ORDER BY opened_at, id")
    )
    return [SeenCase(*row) for row in rows]


def notices(session: Session, kind: str | None = None) -> list[SeenNotice]:
    """Oldest first; all, or those of one kind."""
    rows = session.execute(
        text("""
SELECT n.kind, n.subscription_id, c.person_id, t.barcode, n.facts
FROM notice n LEFT JOIN f0_case c ON c.id = n.case_id LEFT JOIN tube t ON t.id = n.pool_id
WHERE n.kind = :kind OR cast(:kind AS text) IS NULL ORDER BY n.created_at, n.id
"""),
        {"kind": kind},
    )
    return [SeenNotice(*row) for row in rows]


def recollections(session: Session, state: str = "open") -> dict[UUID, str]:
    """Why each specimen's person is swabbed again."""
    rows = session.execute(
        text("SELECT specimen_id, why FROM recollection WHERE state = :state"), {"state": state}
    )
    return {row.specimen_id: row.why for row in rows}


def alert_members(session: Session) -> dict[UUID, str]:
    """The state of each member of a positive pool, by specimen."""
    rows = session.execute(text("SELECT specimen_id, state FROM alert_member"))
    return {row.specimen_id: row.state for row in rows}


def audited(session: Session, verb: str) -> list[dict[str, object]]:
    """The details of what was recorded under this verb."""
    rows = session.execute(
        text("SELECT detail FROM audit_event WHERE verb = :verb ORDER BY at, id"), {"verb": verb}
    )
    return [row.detail for row in rows]


def everything(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """All rows that settling may write, to show that doing it again writes nothing."""
    tables = ("finding", "test_order", "recollection", "f0_case", "alert_member", "notice")
    return {
        table: [tuple(r) for r in session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
        for table in tables
    }
