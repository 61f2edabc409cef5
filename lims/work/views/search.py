"""Find people and tubes by what somebody remembers of them, quickly among a million."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.asked import Asked
from lims.domain.lifecycle import TubeKind
from lims.work.views.tube_story import Sign

PAGE: Final = 20
MOST_PAGES: Final = 25  # who is not among 500 is found by a year or a number, not by leafing


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody, with what tells them from others of their name."""

    person_id: UUID
    name: str
    birth_year: int | None
    sex: str | None
    area: str | None
    household: str | None
    barcode: str | None
    swabbed_at: datetime | None
    sign: Sign | None


@dataclass(frozen=True, slots=True)
class FoundTube:
    """One tube by part of its barcode."""

    barcode: str
    kind: TubeKind
    state: str
    people: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """One page. ``more`` says that there is another."""

    people: tuple[FoundPerson, ...] = ()
    tubes: tuple[FoundTube, ...] = ()
    plates: tuple[str, ...] = ()
    page: int = 1
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.people or self.tubes or self.plates)


def search(session: Session, asked: Asked, *, site_id: UUID, page: int = 1) -> Found:
    """People of that name, telephone or number, and tubes and plates of that barcode."""
    page = min(max(page, 1), MOST_PAGES)
    people = _people(session, asked, site_id, page)
    tubes, plates = _tubes(session, asked.part, site_id), _plates(session, asked.part, site_id)
    more = len(people) > PAGE and page < MOST_PAGES
    return Found(tuple(people[:PAGE]), tubes, plates, page, more)


# Each way walks its own index in order and stops when the page is full; the next way is gone only
# when it is not. A name is found as it begins ("tran thi m"), by how somebody is called ("han"),
# or by a given name with any of the words before it, as they begin ("my hanh", "tran hanh"); last,
# with the given name typed first ("hanh tran"). Two rows that a reviewer merged are one person.
_BEGINS = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND name_key ~>=~ :whole AND name_key ~<~ :whole_end
  AND (cast(:year AS int) IS NULL OR birth_year = :year)
ORDER BY name_key USING ~<~, birth_year, id LIMIT :reach
"""
_CALLED = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND substring(name_key, '[^ ]+$') ~>=~ :given
  AND substring(name_key, '[^ ]+$') ~<~ :given_end
  AND (cast(:year AS int) IS NULL OR birth_year = :year)
ORDER BY substring(name_key, '[^ ]+$') USING ~<~, name_key USING ~<~, id LIMIT :reach
"""
_GIVEN = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND substring(name_key, '[^ ]+$') = :given
  AND ' ' || name_key LIKE ALL (cast(:others AS text[]))
  AND (cast(:year AS int) IS NULL OR birth_year = :year)
ORDER BY name_key USING ~<~, id LIMIT :reach
"""
_PHONE = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND phone = :phone ORDER BY name_key, id
"""
_NUMBER = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND national_id = :number
"""
_OLD = """
SELECT coalesce(merged_into_id, id) FROM person
WHERE site_id = :site AND old_id = :old ORDER BY id
"""
_PEOPLE = text("""
SELECT p.id AS person_id, p.name, p.birth_year, p.sex, home.full_name AS area,
       h.label AS household, s.barcode, s.collected_at AS swabbed_at,
       CASE WHEN s.id IS NOT NULL THEN coalesce(s.outcome, 'waiting') END AS sign
FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS hit(id, place)
JOIN person p ON p.id = hit.id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN LATERAL (
    SELECT one.id, one.collected_at, f.outcome, t.barcode
    FROM specimen one
    LEFT JOIN finding f ON f.specimen_id = one.id AND f.current
    LEFT JOIN tube_specimen ts ON ts.specimen_id = one.id
      AND EXISTS (SELECT FROM tube n WHERE n.id = ts.tube_id AND n.kind <> 'lab_pool')
    LEFT JOIN tube t ON t.id = ts.tube_id
    WHERE one.person_id = p.id ORDER BY one.collected_at DESC, one.id DESC LIMIT 1
) s ON true
ORDER BY hit.place
""")

_TUBES = text("""
SELECT t.barcode, t.kind, t.state, t.created_at,
       (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS people
FROM tube t
WHERE t.id IN (
    (SELECT id FROM tube WHERE barcode >= :part AND barcode <= :part_end
     ORDER BY barcode LIMIT :most)
    UNION
    (SELECT id FROM tube WHERE reverse(barcode) ~>=~ :ending AND reverse(barcode) ~<~ :ending_end
     LIMIT :most)
) AND t.site_id = :site
ORDER BY t.created_at DESC, t.id LIMIT :most
""")

_PLATES = text("""
SELECT plate FROM run WHERE site_id = :site AND strpos(replace(upper(plate), '-', ''), :part) > 0
ORDER BY created_at DESC LIMIT :most
""")


def _people(session: Session, asked: Asked, site_id: UUID, page: int) -> list[FoundPerson]:
    reach = page * PAGE + 1
    ids: dict[UUID, None] = {}
    for query, values in _ways(asked):
        if len(ids) >= reach:
            break
        about = {"site": site_id, "year": asked.birth_year, "reach": reach, **values}
        ids |= dict.fromkeys(session.scalars(text(query), about))
    shown = list(ids)[reach - PAGE - 1 : reach]
    if not shown:
        return []
    rows = session.execute(_PEOPLE, {"ids": shown})
    return [
        FoundPerson(**{**row._mapping, "sign": Sign(row.sign) if row.sign else None})
        for row in rows
    ]


def _ways(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    if asked.phone:
        yield _PHONE, {"phone": asked.phone}
    if asked.national_id:
        yield _NUMBER, {"number": asked.national_id}
    if asked.old_id:
        yield _OLD, {"old": asked.old_id}
    if not asked.words:
        return
    whole = " ".join(asked.words)
    yield _BEGINS, {"whole": whole, "whole_end": whole + _LAST}
    if len(asked.words) == 1:
        yield _CALLED, {"given": whole, "given_end": whole + _LAST}
        return
    for given, others in (
        (asked.words[-1], asked.words[:-1]),
        (asked.words[0], asked.words[1:]),
    ):
        yield _GIVEN, {"given": given, "others": [f"% {_literal(word)}%" for word in others]}


_LAST: Final = "\U0010ffff"


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _tubes(session: Session, part: str | None, site_id: UUID) -> tuple[FoundTube, ...]:
    if part is None:
        return ()
    rows = session.execute(
        _TUBES,
        {
            "site": site_id,
            "part": part,
            "part_end": part + "Z" * 24,
            "ending": part[::-1],
            "ending_end": part[::-1] + _LAST,
            "most": PAGE,
        },
    )
    return tuple(FoundTube(**{**row._mapping, "kind": TubeKind(row.kind)}) for row in rows)


def _plates(session: Session, part: str | None, site_id: UUID) -> tuple[str, ...]:
    if part is None:
        return ()
    return tuple(session.scalars(_PLATES, {"site": site_id, "part": part, "most": PAGE}))
