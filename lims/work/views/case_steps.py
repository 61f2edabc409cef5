"""What was done about one case while nobody had it, and the zones its person belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.escalation import Reached, Step
from lims.domain.zones import SWAB_TIES, Tie
from lims.work.tell import ZONES_OF


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step, or one call (``outcome``), in the order of time."""

    at: datetime
    step: Step | None
    team: str | None
    contact: str | None
    unclaimed_min: int | None
    outcome: Reached | None
    note: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """A zone the person belongs to; without a tie, by a swab taken there, for a while.

    ``since`` and ``by``: when and by whom the tie was said. ``told``: the zone's team knows of an
    open case of theirs.
    """

    zone_id: UUID
    name: str
    tie: Tie | None
    since: datetime | None
    by: str | None
    told: bool


def case_steps(session: Session, case_id: UUID) -> Sequence[StepLine]:
    """Every step and call about the case, the first on top."""
    return [
        StepLine(
            row.at,
            Step(row.step) if row.step else None,
            row.team,
            row.contact,
            row.unclaimed_min,
            Reached(row.outcome) if row.outcome else None,
            row.note,
            row.by,
        )
        for row in session.execute(_STEPS, {"case": case_id})
    ]


def person_of_case(session: Session, case_id: UUID) -> UUID:
    """Whose case it is."""
    person: UUID = session.execute(_PERSON, {"case": case_id}).scalar_one()
    return person


def zones_of(session: Session, person_id: UUID, *, now: datetime) -> Sequence[ZoneLine]:
    """Where they live or work, beside a commune; what was said of a merged card too."""
    about = {"person": person_id, "now": now, "swab_ties": SWAB_TIES}
    return [
        ZoneLine(row.id, row.name, Tie(row.tie) if row.tie else None, row.since, row.by, row.told)
        for row in session.execute(_ZONES, about)
    ]


_STEPS = text("""
SELECT e.at, e.step, t.name AS team, k.name AS contact, e.unclaimed_min, NULL AS outcome,
       NULL AS note, NULL AS by,
       array_position(ARRAY['roster', 'ward', 'province', 'nation', 'voice'], e.step) AS turn
FROM escalation_step e LEFT JOIN team t ON t.id = e.team_id
LEFT JOIN contact k ON k.id = e.contact_id
WHERE e.case_id = :case
UNION ALL
SELECT c.at, NULL, t.name, k.name, NULL, c.outcome, c.note, c.by, 9
FROM voice_call_case x JOIN voice_call c ON c.id = x.call_id JOIN team t ON t.id = c.team_id
LEFT JOIN contact k ON k.id = c.contact_id
WHERE x.case_id = :case
ORDER BY at, turn, team
""")

_PERSON = text("SELECT person_id FROM f0_case WHERE id = :case")

_ZONES = text(
    f"""
    WITH about AS (SELECT cast(:person AS uuid) AS id),
    belongs AS ({ZONES_OF})
    SELECT DISTINCT ON (z.name, t.tie) z.id, z.name, t.tie, t.created_at AS since,
           t.created_by AS by, EXISTS (
               SELECT FROM f0_case c JOIN notice n ON n.case_id = c.id
               JOIN subscription s ON s.id = n.subscription_id AND s.zone_id = z.id
               WHERE c.person_id = b.id AND c.state IN ('presumptive', 'confirmed')) AS told
    FROM belongs b JOIN zone z ON z.id = b.zone_id AND z.closed_at IS NULL
    LEFT JOIN person_zone t ON t.zone_id = z.id AND t.ended_at IS NULL AND t.person_id IN (
        SELECT m.id FROM person m WHERE m.id = b.id OR m.merged_into_id = b.id)
    ORDER BY z.name, t.tie, t.created_at
    """  # noqa: S608 - put together from constants of these files
)
