"""What a tracing team is told of one F0 when it fetches the case with its credential."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.work.audit import record


@dataclass(frozen=True, slots=True)
class Place:
    """An administrative unit in words, with the code it is stored under."""

    scheme: str | None
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class CaseCard:
    """The F0 line (domain.md, "Reporting"), without what a community team need not know."""

    case_id: UUID
    sequence: int
    state: str
    basis: str
    definition: str
    opened_at: datetime
    changed_at: datetime
    person_id: UUID
    name: str
    birth_year: int | None
    sex: str | None
    phone: str | None
    address: str | None
    home: Place
    work: Place
    household_id: UUID | None
    collected_at: datetime
    claimed_by_team: str | None
    claimed_at: datetime | None


_CARD = text("""
SELECT c.id, c.sequence, c.state, c.basis, c.definition, c.opened_at, c.changed_at,
       p.id AS person_id, p.name, p.birth_year, p.sex, p.phone, p.address, p.household_id,
       p.area_scheme, p.area_code, home.full_name AS home_name,
       p.work_area_scheme, p.work_area_code, job.full_name AS work_name,
       s.collected_at, team.name AS team, claim.claimed_at
FROM f0_case c
JOIN person p ON p.id = c.person_id
JOIN finding f ON f.id = c.finding_id
JOIN specimen s ON s.id = f.specimen_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN area job ON job.scheme = p.work_area_scheme AND job.code = p.work_area_code
LEFT JOIN claim ON claim.case_id = c.id AND claim.ended_at IS NULL
LEFT JOIN team ON team.id = claim.team_id
WHERE c.id = :case
  AND (cast(:team AS uuid) IS NULL OR EXISTS (
      SELECT FROM notice n JOIN subscription sub ON sub.id = n.subscription_id
      WHERE n.case_id = c.id AND sub.team_id = cast(:team AS uuid)))
""")


def fetch_case(
    session: Session, case_id: UUID, team_id: UUID | None, *, site_id: UUID, by: str, now: datetime
) -> CaseCard:
    """The case, for a team that was told of it (any case without a team). The reading is audited.

    Raises NotFound, also when the case exists but is another team's.
    """
    row = session.execute(_CARD, {"case": case_id, "team": team_id}).one_or_none()
    if row is None:
        raise NotFound(came=f"case {case_id}", where="cases")
    session.execute(
        text(
            "UPDATE notice n SET fetched_at = :now FROM subscription s"
            " WHERE n.case_id = :case AND n.fetched_at IS NULL AND s.id = n.subscription_id"
            " AND s.team_id = cast(:team AS uuid)"
        ),
        {"case": case_id, "team": team_id, "now": now},
    )
    record(session, site_id=site_id, actor=by, verb="read_case", subject=str(case_id), now=now)
    return CaseCard(
        case_id=row.id,
        sequence=row.sequence,
        state=row.state,
        basis=row.basis,
        definition=row.definition,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        person_id=row.person_id,
        name=row.name,
        birth_year=row.birth_year,
        sex=row.sex,
        phone=row.phone,
        address=row.address,
        home=Place(row.area_scheme, row.area_code, row.home_name),
        work=Place(row.work_area_scheme, row.work_area_code, row.work_name),
        household_id=row.household_id,
        collected_at=row.collected_at,
        claimed_by_team=row.team,
        claimed_at=row.claimed_at,
    )


def record_cluster_read(
    session: Session, cases: Sequence[UUID], *, site_id: UUID, by: str, now: datetime
) -> None:
    """Who has read the names of a cluster, in one event: nobody's notice is fetched by it."""
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="cluster-read",
        subject=str(cases[0]),
        now=now,
        cases=[str(case) for case in cases],
    )
