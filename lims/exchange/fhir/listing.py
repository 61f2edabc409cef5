"""A page of one type's rows: filtered, within reach, in the order in which they last changed.

Rows are paged by (changed_at, id). A row is shown once no transaction that could still commit an
earlier change is running, so that whoever follows the links, or asks again for ``_lastUpdated``
from where a list was complete, steps over nothing. A search that names one person, tube or number
does not wait for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.exchange.fhir.asked import Asked, Cursor, Parameter
from lims.exchange.fhir.reach import IN_AREAS, PERSON, Reach, units_asked
from lims.work.told import complete_until_now

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One resource, and whose data it is (nobody's for a pool)."""

    resource: Resource
    people: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """One FHIR type: its rows ``x`` of ``source``, whom they are about, and how they are shown.

    ``about`` holds a condition on the person ``p`` of a row; ``where`` is always asked;
    ``row_id`` is the column that the resource's id is of; ``masked`` what a team sees of one.
    """

    name: str
    source: str
    where: str
    about: str
    row_id: str
    parameters: Mapping[str, Parameter]
    load: Callable[[Session, Sequence[UUID]], Mapping[UUID, Shown]]
    says: str
    masked: Callable[[Resource], Resource] = lambda resource: resource

    def loaded(self, session: Session, ids: Sequence[UUID], reach: Reach) -> tuple[Shown, ...]:
        """In the order asked, as much of each as this reader may see."""
        found = self.load(session, ids)
        if not reach.masked:
            return tuple(found[one] for one in ids)
        return tuple(replace(found[one], resource=self.masked(found[one].resource)) for one in ids)


@dataclass(frozen=True, slots=True)
class Page:
    """``complete_until``: every change before it has been shown, or comes by ``after``."""

    shown: tuple[Shown, ...]
    after: Cursor | None
    complete_until: datetime
    total: int | None = None


def read_one(
    session: Session, kind: Type, row_id: UUID, reach: Reach, site_id: UUID
) -> Shown | None:
    """None also where it is beyond reach."""
    values: dict[str, object] = {"site": site_id, "id": row_id}
    conditions = [f"{kind.row_id} = :id", kind.where, *_within(kind, reach, values)]
    found = session.execute(text(_select(kind, conditions) + " LIMIT 1"), values).one_or_none()
    return None if found is None else kind.loaded(session, [found.id], reach)[0]


def search(session: Session, kind: Type, asked: Asked, reach: Reach, *, site_id: UUID) -> Page:
    """Raises BadSearch."""
    until = complete_until_now(session)
    values: dict[str, object] = {"site": site_id, **asked.values}
    conditions = [kind.where, *asked.conditions, *_within(kind, reach, values)]
    if asked.areas:
        units = units_asked(session, asked.areas)
        values |= {"area_schemes": [u[0] for u in units], "area_codes": [u[1] for u in units]}
        conditions.append(kind.about.format(IN_AREAS))
    if asked.only_total:
        counted = f"SELECT count(*) FROM ({_select(kind, conditions)}) every"  # noqa: S608 - ours
        return Page((), None, until, session.execute(text(counted), values).scalar_one())
    if not asked.one:
        conditions.append("x.changed_at < :until")
        values["until"] = until
    if asked.cursor is not None:
        conditions.append("(x.changed_at, x.id) > (:after, :after_id)")
        values |= {"after": asked.cursor.changed_at, "after_id": asked.cursor.row_id}
    values["limit"] = asked.count + 1
    wanted = _select(kind, conditions) + " ORDER BY x.changed_at, x.id LIMIT :limit"
    rows = session.execute(text(wanted), values).all()
    page = rows[: asked.count]
    last = page[-1] if len(rows) > asked.count else None
    return Page(
        kind.loaded(session, [row.id for row in page], reach),
        Cursor(last.changed_at, last.id) if last else None,
        until,
    )


def _select(kind: Type, conditions: Sequence[str]) -> str:
    """Put together of constants of this package; every value is bound."""
    every = " AND ".join(f"({one})" for one in conditions)
    return f"SELECT x.id, x.changed_at FROM {kind.source} WHERE x.site_id = :site AND {every}"  # noqa: S608 - of constants


def _within(kind: Type, reach: Reach, values: dict[str, object]) -> list[str]:
    if reach.units is None:
        return []
    values |= {
        "reach_schemes": [scheme for scheme, _ in reach.units],
        "reach_codes": [code for _, code in reach.units],
        "reach_team": reach.team_id,
    }
    return [kind.about.format(PERSON)]
