"""What a laboratory kept of what people declared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.exchange.laboratories import Lab


def people(lab: Lab) -> list[str]:
    with lab.laboratory.sessions.begin() as session:
        return list(session.execute(text("SELECT name FROM declared_person ORDER BY 1")).scalars())


def rows(lab: Lab, table: str) -> list[Any]:
    with lab.laboratory.sessions.begin() as session:
        return list(session.execute(text(f"SELECT * FROM {table} ORDER BY id")))


def faults(lab: Lab) -> list[tuple[str | None, list[tuple[str, str]]]]:
    """Of those that wait: the declaration, and each fault with where it stands."""
    return [
        (
            str(row.subject_id) if row.subject_id else None,
            [(one["at"], one["fault"]) for one in row.faults],
        )
        for row in rows(lab, "declaration_fault")
        if row.settled_at is None
    ]
