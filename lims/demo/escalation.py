"""What became of the cases that no office claims: who was told on, and how many are to be rung."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text

from lims.domain.escalation import Step


@dataclass(frozen=True, slots=True)
class Escalation:
    """``steps``: cases by step; ``to_ring``: teams that a person is asked to ring."""

    unclaimed: int = 0
    steps: Mapping[Step, int] = field(default_factory=dict)
    to_ring: int = 0


NOBODY_LATE: Final = Escalation()

_STEPS = text("SELECT step, count(DISTINCT case_id) AS cases FROM escalation_step GROUP BY step")
_NOW = text("""
WITH unheld AS (
    SELECT c.id FROM f0_case c WHERE c.state IN ('presumptive', 'confirmed')
    AND NOT EXISTS (SELECT FROM claim k WHERE k.case_id = c.id AND k.ended_at IS NULL))
SELECT (SELECT count(*) FROM unheld) AS unclaimed,
       (SELECT count(DISTINCT e.team_id) FROM escalation_step e
        JOIN unheld u ON u.id = e.case_id WHERE e.step = 'roster') AS to_ring
""")


def escalation(connection: Connection) -> Escalation:
    """As it stands."""
    taken = {row.step: row.cases for row in connection.execute(_STEPS)}
    now = connection.execute(_NOW).one()
    steps = {step: taken[step] for step in Step if step in taken}
    return Escalation(now.unclaimed, steps, now.to_ring)
