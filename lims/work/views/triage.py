"""What is known of a case's person, and the cases that no colour could be given to yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.triage import Clinical, Colour, Fact
from lims.tables import CaseTriage
from lims.work.triage import clinical_of
from lims.work.views.board import Scope

PAGE: Final = 80


@dataclass(frozen=True, slots=True)
class Classified:
    """The newest record of a case; ``by_table`` is the name of the rules that judged it.

    ``by_register``: nobody who asked said the doses, a register did.
    """

    known: Clinical
    colour: Colour | None
    missing: frozenset[Fact]
    by_table: str
    recorded_at: datetime
    recorded_by: str
    by_register: bool


@dataclass(frozen=True, slots=True)
class Unclassified:
    """An open case without a colour. ``missing`` is empty where nobody has asked anything yet."""

    case_id: UUID
    name: str
    birth_year: int | None
    phone: str | None
    area: str | None
    opened_at: datetime
    team: str | None
    missing: tuple[Fact, ...]


def classified(session: Session, case_id: UUID) -> Classified | None:
    """None where nothing was asked yet."""
    row = session.scalars(
        select(CaseTriage).where(CaseTriage.case_id == case_id, CaseTriage.current)
    ).one_or_none()
    if row is None:
        return None
    return Classified(
        known=clinical_of(row),
        colour=Colour(row.colour) if row.colour else None,
        missing=frozenset(Fact(one) for one in row.missing),
        by_table=row.by_table,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        by_register=row.doses_answer_id is not None,
    )


def unclassified(
    session: Session, scope: Scope, *, site_id: UUID, page: int = 1
) -> tuple[Sequence[Unclassified], bool]:
    """One page of them, the longest open first, and whether there are more."""
    values = {
        "site": site_id,
        "everything": scope.everything,
        "team": scope.team_id,
        "limit": PAGE + 1,
        "skip": (max(page, 1) - 1) * PAGE,
    }
    rows = session.execute(_UNCLASSIFIED, values).all()
    shown = [
        Unclassified(
            row.id,
            row.name,
            row.birth_year,
            row.phone,
            row.area,
            row.opened_at,
            row.team,
            tuple(Fact(one) for one in row.missing or ()),
        )
        for row in rows[:PAGE]
    ]
    return shown, len(rows) > PAGE


_UNCLASSIFIED = text("""
SELECT c.id, p.name, p.birth_year, p.phone, a.full_name AS area, c.opened_at, t.name AS team,
       g.missing
FROM f0_case c
JOIN person p ON p.id = c.person_id
LEFT JOIN area a ON a.scheme = p.area_scheme AND a.code = p.area_code
LEFT JOIN case_triage g ON g.case_id = c.id AND g.current
LEFT JOIN claim k ON k.case_id = c.id AND k.ended_at IS NULL
LEFT JOIN team t ON t.id = k.team_id
WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed') AND g.colour IS NULL
  AND (:everything OR EXISTS (
      SELECT FROM notice n JOIN subscription s ON s.id = n.subscription_id
      WHERE n.case_id = c.id AND s.team_id = :team))
ORDER BY c.opened_at, c.id LIMIT :limit OFFSET :skip
""")
