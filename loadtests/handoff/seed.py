"""Cases and notices by the hundred thousand, written by the database itself."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.tables import Subscription, Team

SECRET: Final = "whsec_" + "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo"

_CASES = """
CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT mint_uuid7(:now) AS person, mint_uuid7(:now) AS specimen, mint_uuid7(:now) AS finding,
       mint_uuid7(:now) AS case_id FROM generate_series(1, :cases);
INSERT INTO person (id, site_id, name, name_key, created_at)
SELECT person, :site, 'Người đo', 'nguoi do', :now FROM fresh;
INSERT INTO specimen (id, site_id, person_id, collected_at, registered_at, registered_by,
                      body_digest, material)
SELECT specimen, :site, person, :now, :now, 'bench', '', 'swab' FROM fresh;
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence, holds,
                     current, created_at, released_at, released_by)
SELECT finding, :site, specimen, person, 'positive', 'F', 'sars-cov-2/1', '{}', '{}', true, :now,
       :now, 'bench' FROM fresh;
INSERT INTO f0_case (id, site_id, person_id, finding_id, state, basis, definition, sequence,
                     opened_at, changed_at)
SELECT case_id, :site, person, finding, 'confirmed', 'pcr', 'bench', :sequences, :now, :now
FROM fresh;
INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state, attempts,
                    next_attempt_at, created_at, delivered_at)
SELECT mint_uuid7(:now), :site, (cast(:recipients AS uuid[]))[1 + (n.n % :many)], 'case.opened',
       n.case_id, n.sequence, '{"state": "confirmed", "basis": "pcr"}', :state, 0, :now, :now,
       CASE WHEN :state = 'delivered' THEN cast(:now AS timestamptz) END
FROM (SELECT case_id, sequence, row_number() OVER (PARTITION BY sequence) AS n
      FROM fresh, generate_series(1, :sequences) sequence ORDER BY sequence) n;
"""


def subscribed(session: Session, site_id: UUID, url: str, now: datetime) -> UUID:
    """A team of the whole country that is told at this address."""
    team = Team(id=uuid7(), site_id=site_id, name=url, created_at=now)
    session.add(team)
    session.flush()
    made = Subscription(
        id=uuid7(),
        site_id=site_id,
        team_id=team.id,
        channel="webhook",
        url=url,
        secret=SECRET,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made.id


def notices(
    session: Session,
    site_id: UUID,
    recipients: list[UUID],
    now: datetime,
    *,
    cases: int,
    sequences: int = 1,
    delivered: bool = False,
) -> None:
    """So many cases, each told to one of the recipients in turn, `sequences` times."""
    values = {
        "site": site_id,
        "now": now,
        "cases": cases,
        "sequences": sequences,
        "recipients": recipients,
        "many": len(recipients),
        "state": "delivered" if delivered else "owed",
    }
    for statement in _CASES.split(";")[:-1]:
        session.execute(text(statement), values)
