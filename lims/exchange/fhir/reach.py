"""Whose data a token reaches: everybody's, or those of its team's areas and of its team's cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import BadSearch

# A person of these units, or of a case that the team was told of. `p` is the person's row.
PERSON: Final = """
((p.area_scheme, p.area_code) IN (SELECT * FROM unnest(cast(:reach_schemes AS text[]),
                                                       cast(:reach_codes AS text[])))
 OR (p.work_area_scheme, p.work_area_code) IN (SELECT * FROM unnest(
        cast(:reach_schemes AS text[]), cast(:reach_codes AS text[])))
 OR EXISTS (SELECT FROM f0_case c JOIN notice n ON n.case_id = c.id
            JOIN subscription su ON su.id = n.subscription_id
            WHERE c.person_id = p.id AND su.team_id = :reach_team))"""
IN_AREAS: Final = """
(p.area_scheme, p.area_code) IN (SELECT * FROM unnest(cast(:area_schemes AS text[]),
                                                      cast(:area_codes AS text[])))"""

# A unit, the same one in another scheme (code, name and parent's code agree), and what lies in it.
_UNITS = text("""
WITH meant AS (
    SELECT DISTINCT w.code, w.name_key, w.parent_code FROM area w
    JOIN unnest(cast(:schemes AS text[]), cast(:codes AS text[])) AS g(scheme, code)
      ON g.code = w.code AND (g.scheme = '' OR g.scheme = w.scheme)
)
SELECT a.scheme, a.code FROM area a JOIN meant m ON a.code = m.code AND a.name_key = m.name_key
   AND a.parent_code IS NOT DISTINCT FROM m.parent_code
UNION
SELECT a.scheme, a.code FROM area a JOIN area up ON up.scheme = a.scheme AND up.code = a.parent_code
JOIN meant m ON up.code = m.code AND up.name_key = m.name_key AND m.parent_code IS NULL
""")

_OF_TEAM = text("""
SELECT area_scheme AS scheme, area_code AS code, zone_id FROM subscription
WHERE team_id = :team AND site_id = :site AND disabled_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Reach:
    """``None`` for the whole country. ``team_id`` reaches its own cases besides; ``masked`` for
    every team: what only the laboratory reads of them is left out, as in lists and on the board."""

    units: tuple[tuple[str, str], ...] | None
    team_id: UUID | None = None
    masked: bool = False


def reach_of(session: Session, team_id: UUID | None, *, site_id: UUID) -> Reach:
    """Of a token: without a team it was said in so many words that it reaches everybody. A zone is
    no area: its team reaches the cases that it was told of."""
    if team_id is None:
        return Reach(None)
    listens = session.execute(_OF_TEAM, {"team": team_id, "site": site_id}).all()
    if any(row.code is None and row.zone_id is None for row in listens):
        return Reach(None, masked=True)
    units = [(row.scheme, row.code) for row in listens if row.code is not None]
    return Reach(_units(session, units), team_id, masked=True)


def units_asked(session: Session, said: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The units of ``area`` parameters, each a code or ``scheme|code``. Raises BadSearch."""
    wanted = []
    for one in (part for value in said for part in value.split(",")):
        scheme, bar, code = one.rpartition("|")
        wanted.append((scheme if bar else "", code))
    found = _units(session, wanted)
    if not found:
        raise BadSearch(
            expected="a unit's code, or scheme|code, as in /admin/subscriptions",
            came=",".join(said)[:60],
            where="area",
        )
    return found


def _units(session: Session, wanted: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    values = {"schemes": [scheme for scheme, _ in wanted], "codes": [code for _, code in wanted]}
    return tuple(sorted((row.scheme, row.code) for row in session.execute(_UNITS, values)))
