"""Whose slips may be printed together: swabbed in these days, in a campaign, by one desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Swabbed:
    """Swabs taken from `since` up to, without, `until`; all campaigns and desks where None."""

    since: datetime
    until: datetime
    campaign_id: UUID | None = None
    desk: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """How many of the swabs have a result that may be printed, and how many still wait."""

    released: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody who swabbed in these days, and how many."""

    actor: str
    name: str
    swabs: int


_CHOSEN = """
FROM specimen sp
JOIN person p ON p.id = sp.person_id
LEFT JOIN finding f ON f.specimen_id = sp.id AND f.current
WHERE sp.site_id = :site AND sp.collected_at >= :since AND sp.collected_at < :until
  AND (cast(:campaign AS uuid) IS NULL OR sp.campaign_id = :campaign)
  AND (cast(:desk AS text) IS NULL OR sp.registered_by = :desk)
"""

_READY = text(f"""
SELECT count(*) FILTER (WHERE f.status IN ('F', 'C')) AS released,
       count(*) FILTER (WHERE f.status IS NULL OR f.status NOT IN ('F', 'C')) AS waiting
{_CHOSEN}
""")

# By given name, as Vietnamese lists are: it is the last word.
_FINDINGS = text(f"""
SELECT f.id {_CHOSEN} AND f.status IN ('F', 'C')
ORDER BY substring(p.name_key FROM '[^ ]+$'), p.name_key, p.birth_year, f.id LIMIT :most
""")  # noqa: S608 - constant parts

_DESKS = text("""
SELECT sp.registered_by AS actor, coalesce(u.name, sp.registered_by) AS name, count(*) AS swabs
FROM specimen sp LEFT JOIN user_account u ON 'user:' || u.login = sp.registered_by
WHERE sp.site_id = :site AND sp.collected_at >= :since AND sp.collected_at < :until
GROUP BY 1, 2 ORDER BY 2 LIMIT 200
""")


def ready(session: Session, chosen: Swabbed, *, site_id: UUID) -> Ready:
    """The two counts."""
    row = session.execute(_READY, _values(chosen, site_id)).one()
    return Ready(row.released, row.waiting)


def released_findings(
    session: Session, chosen: Swabbed, *, site_id: UUID, most: int
) -> Sequence[UUID]:
    """The released findings in the order of given names."""
    values = {**_values(chosen, site_id), "most": most}
    return list(session.execute(_FINDINGS, values).scalars())


def desks(session: Session, chosen: Swabbed, *, site_id: UUID) -> Sequence[Desk]:
    """Who swabbed in these days, whatever else is chosen."""
    return [Desk(**row._mapping) for row in session.execute(_DESKS, _values(chosen, site_id))]


def _values(chosen: Swabbed, site_id: UUID) -> dict[str, object]:
    return {
        "site": site_id,
        "since": chosen.since,
        "until": chosen.until,
        "campaign": chosen.campaign_id,
        "desk": chosen.desk,
    }
