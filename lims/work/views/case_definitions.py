"""The case definitions of a laboratory: which judges now, which will, which did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.case_definition import CaseDefinition, in_force
from lims.tables import CaseDefinitionRow
from lims.work.case_definitions import definition_of, of_site


class Standing(StrEnum):
    """Whether evidence of today is judged by it."""

    PLANNED = "planned"
    IN_FORCE = "in force"
    BEFORE = "before"
    REPLACED = "replaced"  # another was added for the same day before it judged anything


@dataclass(frozen=True, slots=True)
class Version:
    """``until``: when the next one takes over. ``ministry``: it comes with the program."""

    definition: CaseDefinition
    standing: Standing
    until: datetime | None
    added_at: datetime
    added_by: str
    ministry: bool


def versions(session: Session, *, site_id: UUID, now: datetime) -> Sequence[Version]:
    """The one that takes over last comes first."""
    rows = session.scalars(
        select(CaseDefinitionRow)
        .where(of_site(site_id))
        .order_by(CaseDefinitionRow.valid_from, CaseDefinitionRow.added_at, CaseDefinitionRow.id)
    ).all()
    judging = in_force(now, [definition_of(row) for row in rows]).name
    nexts = [later.valid_from for _, later in pairwise(rows)]
    found = []
    for row, until in zip(rows, [*nexts, None], strict=True):
        if until == row.valid_from:
            standing = Standing.REPLACED
        elif row.name == judging:
            standing = Standing.IN_FORCE
        else:
            standing = Standing.PLANNED if row.valid_from > now else Standing.BEFORE
        found.append(
            Version(
                definition_of(row), standing, until, row.added_at, row.added_by, row.site_id is None
            )
        )
    return found[::-1]
