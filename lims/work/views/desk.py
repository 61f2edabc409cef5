"""What a collection desk looks up: people it may already know, households, its own last work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody registered here, with what a desk compares the card to."""

    person_id: UUID
    name: str
    birth_year: int | None
    birth_date: date | None
    sex: str | None
    phone: str | None
    national_id: str | None
    address: str | None
    area_code: str | None
    area: str | None
    work_area_code: str | None
    work_area: str | None
    household_id: UUID | None
    household: str | None
    identity_conflict: str | None
    swabs: int
    last_swab_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeskSwab:
    """One registration as the desk sees it again."""

    specimen_id: UUID
    person_id: UUID
    name: str
    birth_year: int | None
    sex: str | None
    area: str | None
    household_id: UUID | None
    household: str | None
    identity_conflict: str | None
    barcode: str
    kind: str
    people: int
    capacity: int
    registered_at: datetime
    rapid_outcome: str | None


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    """A testing order that desks may register for."""

    campaign_id: UUID
    name: str
    pool_size: int


@dataclass(frozen=True, slots=True)
class DeskDay:
    """How many this desk has registered since midnight, the last of them, newest first, and what it
    may register for."""

    swabbed: int
    last: tuple[DeskSwab, ...]
    campaigns: tuple[OpenCampaign, ...]


@dataclass(frozen=True, slots=True)
class HouseholdKnown:
    """People who share a door."""

    household_id: UUID
    label: str
    address: str | None
    area_code: str | None
    area: str | None
    members: tuple[KnownPerson, ...]


@dataclass(frozen=True, slots=True)
class DeskUndone:
    """A registration that was taken back: its label, free again, and its people."""

    barcode: str
    kind: str
    campaign_id: UUID | None
    people: tuple[KnownPerson, ...]


_PERSON = """
SELECT p.id AS person_id, p.name, p.birth_year, p.birth_date, p.sex, p.phone, p.national_id,
       p.address, p.area_code, home.full_name AS area, p.work_area_code,
       job.full_name AS work_area, p.household_id, h.label AS household, p.identity_conflict,
       s.swabs, s.last_swab_at
FROM person p
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN area job ON job.scheme = p.work_area_scheme AND job.code = p.work_area_code
CROSS JOIN LATERAL (
    SELECT count(*) AS swabs, max(collected_at) AS last_swab_at FROM specimen
    WHERE person_id = p.id
) s
"""

_SWAB = """
SELECT s.id AS specimen_id, p.id AS person_id, p.name, p.birth_year, p.sex,
       home.full_name AS area, p.household_id, h.label AS household, p.identity_conflict,
       t.barcode, t.kind,
       t.capacity, s.registered_at, NULL AS rapid_outcome,
       (SELECT count(*) FROM tube_specimen n WHERE n.tube_id = t.id) AS people
FROM specimen s
JOIN person p ON p.id = s.person_id
JOIN tube_specimen ts ON ts.specimen_id = s.id
JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
"""


LAST_SHOWN: Final = 8
_LAST: Final = (
    _SWAB
    + """
WHERE s.site_id = :site AND s.registered_by = :by AND starts_with(s.registered_by, 'user:')
  AND s.registered_at >= :since
ORDER BY s.registered_at DESC, s.id DESC LIMIT :most
"""
)

_DAY = text(
    """
SELECT (SELECT count(*) FROM specimen WHERE site_id = :site AND registered_by = :by
          AND starts_with(registered_by, 'user:') AND registered_at >= :since) AS swabbed,
       (SELECT coalesce(json_agg(json_build_array(id, name, pool_size)
                                 ORDER BY opened_at DESC, name), '[]')
        FROM campaign WHERE site_id = :site AND closed_at IS NULL) AS campaigns,
       (SELECT coalesce(json_agg(line), '[]') FROM ({last}) line) AS last
""".replace("{last}", _LAST)
)


def person_known(session: Session, person_id: UUID, *, site_id: UUID) -> KnownPerson | None:
    """Somebody by id."""
    query = text(_PERSON + " WHERE p.id = :id AND p.site_id = :site")
    row = session.execute(query, {"id": person_id, "site": site_id}).one_or_none()
    return None if row is None else _person(row._mapping)


def person_of_number(session: Session, national_id: str, *, site_id: UUID) -> KnownPerson | None:
    """Somebody by the twelve digits of their card."""
    query = text(_PERSON + " WHERE p.national_id = :number AND p.site_id = :site")
    row = session.execute(query, {"number": national_id, "site": site_id}).one_or_none()
    return None if row is None else _person(row._mapping)


def people_alike(
    session: Session,
    *,
    site_id: UUID,
    name_key: str,
    birth_year: int | None,
    phone: str | None,
    area_code: str | None,
) -> tuple[KnownPerson, ...]:
    """Same name and birth year, and the same phone or commune: perhaps the same person (S16).

    A name and a year alone are shared by thousands, and would stop every desk.
    """
    if birth_year is None:
        return ()
    query = text(
        _PERSON
        + """
WHERE p.merged_into_id IS NULL AND p.site_id = :site AND p.name_key = :key AND p.birth_year = :year
  AND (p.phone = cast(:phone AS text) OR p.area_code = cast(:area AS text))
ORDER BY s.last_swab_at DESC NULLS LAST LIMIT 6
"""
    )
    values = {"site": site_id, "key": name_key, "year": birth_year}
    rows = session.execute(query, values | {"phone": phone, "area": area_code})
    return tuple(_person(row._mapping) for row in rows)


def household_known(
    session: Session, household_id: UUID, *, site_id: UUID
) -> HouseholdKnown | None:
    """A door and everybody behind it, the oldest first."""
    row = session.execute(
        text(
            "SELECT h.id, h.label, h.address, h.area_code, a.full_name AS area FROM household h"
            " LEFT JOIN area a ON a.scheme = h.area_scheme AND a.code = h.area_code"
            " WHERE h.id = :id AND h.site_id = :site"
        ),
        {"id": household_id, "site": site_id},
    ).one_or_none()
    if row is None:
        return None
    members = session.execute(
        text(_PERSON + " WHERE p.household_id = :id ORDER BY p.birth_year NULLS LAST, p.id"),
        {"id": household_id},
    )
    people = tuple(_person(one._mapping) for one in members)
    return HouseholdKnown(row.id, row.label, row.address, row.area_code, row.area, people)


def undone(session: Session, specimen_id: UUID, *, site_id: UUID) -> DeskUndone | None:
    """What was taken back with this swab, in the order in which it was registered."""
    gone = session.execute(
        text(
            "SELECT tube_id, barcode, kind, campaign_id FROM taken_back"
            " WHERE specimen_id = :id AND site_id = :site"
        ),
        {"id": specimen_id, "site": site_id},
    ).one_or_none()
    if gone is None:
        return None
    rows = session.execute(
        text(
            _PERSON + " JOIN taken_back b ON b.person_id = p.id AND b.tube_id = :tube"
            " ORDER BY b.specimen_id"
        ),
        {"tube": gone.tube_id},
    )
    people = tuple(_person(row._mapping) for row in rows)
    return DeskUndone(gone.barcode, gone.kind, gone.campaign_id, people)


def swab(session: Session, specimen_id: UUID, *, site_id: UUID) -> DeskSwab | None:
    """What was registered under this id, if it was."""
    query = text(_SWAB + " WHERE s.id = :id AND s.site_id = :site LIMIT 1")
    row = session.execute(query, {"id": specimen_id, "site": site_id}).one_or_none()
    return None if row is None else DeskSwab(**row._mapping)


def swab_in(session: Session, barcode: str, *, site_id: UUID) -> DeskSwab | None:
    """Whose swab the tube of this barcode holds; of a household's, the first."""
    query = text(_SWAB + " WHERE t.barcode = :barcode AND t.site_id = :site ORDER BY s.id LIMIT 1")
    row = session.execute(query, {"barcode": barcode, "site": site_id}).one_or_none()
    return None if row is None else DeskSwab(**row._mapping)


def carrier_of(session: Session, barcode: str) -> UUID | None:
    """The tube that carries this label, whatever it is and wherever it was registered."""
    found: UUID | None = session.scalar(
        text("SELECT id FROM tube WHERE barcode = :barcode"), {"barcode": barcode}
    )
    return found


def last_swabs(
    session: Session, *, site_id: UUID, by: str, since: datetime, most: int = LAST_SHOWN
) -> tuple[DeskSwab, ...]:
    """This person's last registrations, the newest first."""
    rows = session.execute(text(_LAST), {"site": site_id, "by": by, "since": since, "most": most})
    return tuple(DeskSwab(**row._mapping) for row in rows)


def names_in(session: Session, barcodes: Sequence[str]) -> Mapping[str, tuple[str, int | None]]:
    """The name key and birth year of the one person in each of these tubes."""
    rows = session.execute(
        text(
            "SELECT t.barcode, p.name_key, p.birth_year FROM tube t"
            " JOIN tube_specimen ts ON ts.tube_id = t.id JOIN specimen s ON s.id = ts.specimen_id"
            " JOIN person p ON p.id = s.person_id"
            " WHERE t.barcode = ANY(:barcodes) AND t.kind = 'individual'"
        ),
        {"barcodes": list(barcodes)},
    )
    return {row.barcode: (row.name_key, row.birth_year) for row in rows}


def swabbed_today(session: Session, *, site_id: UUID, by: str, since: datetime) -> int:
    """How many people this desk has registered since midnight."""
    count: int = session.execute(
        text(
            "SELECT count(*) FROM specimen WHERE site_id = :site AND registered_by = :by"
            " AND starts_with(registered_by, 'user:') AND registered_at >= :since"
        ),
        {"site": site_id, "by": by, "since": since},
    ).scalar_one()
    return count


def collected_before(session: Session, specimen_id: UUID) -> datetime | None:
    """When the swab of this id was said to be taken, so that a repeated form says the same."""
    found: datetime | None = session.scalar(
        text("SELECT collected_at FROM specimen WHERE id = :id"), {"id": specimen_id}
    )
    return found


def desk_day(session: Session, *, site_id: UUID, by: str, since: datetime) -> DeskDay:
    """What the desk's page asks at every scan, in one round trip."""
    values = {"site": site_id, "by": by, "since": since, "most": LAST_SHOWN}
    row = session.execute(_DAY, values).one()
    campaigns = tuple(OpenCampaign(UUID(one), name, size) for one, name, size in row.campaigns)
    return DeskDay(row.swabbed, tuple(_swab_of_json(line) for line in row.last), campaigns)


def _swab_of_json(line: dict[str, Any]) -> DeskSwab:
    ids = {
        name: UUID(line[name]) if line[name] else None
        for name in ("specimen_id", "person_id", "household_id")
    }
    at = datetime.fromisoformat(line["registered_at"])
    return DeskSwab(**{**line, **ids, "registered_at": at})


def open_campaigns(session: Session, *, site_id: UUID) -> tuple[OpenCampaign, ...]:
    """Those not closed, the newest first."""
    rows = session.execute(
        text(
            "SELECT id, name, pool_size FROM campaign"
            " WHERE site_id = :site AND closed_at IS NULL ORDER BY opened_at DESC, name"
        ),
        {"site": site_id},
    )
    return tuple(OpenCampaign(row.id, row.name, row.pool_size) for row in rows)


def _person(row: RowMapping) -> KnownPerson:
    return KnownPerson(**row)
