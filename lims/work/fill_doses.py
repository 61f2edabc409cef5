"""Bring the doses of open cases in line with what registers say, where nobody asked the person.

It writes the difference to what stands: an answer that came, one that no longer counts because the
card number was another's, a case that opened after its person was asked about.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.triage import Clinical, classify
from lims.tables import CaseTriage
from lims.work.audit import record
from lims.work.register_doses import REGISTERED
from lims.work.triage import Judged, clinical_of, keep_records, rules_in_force, with_age

_AT_ONCE: Final = 500  # cases of one transaction


def fill_doses(
    session: Session, *, site_id: UUID, now: datetime, people: Sequence[UUID] | None = None
) -> int:
    """Of these people, or of everybody: how many cases were classified anew, at most 500."""
    about = {"site": site_id, "people": None if people is None else list(people)}
    session.flush()
    locked = list(session.scalars(_LOCK, about | {"most": _AT_ONCE}))
    if not locked:
        return 0
    table = rules_in_force(session, site_id=site_id)
    rows = session.execute(_FILL, about | {"cases": locked}).all()
    before = {
        one.id: one
        for one in session.scalars(
            select(CaseTriage).where(CaseTriage.id.in_([row.triage_id for row in rows]))
        )
    }
    records = []
    for row in rows:
        asked = clinical_of(before[row.triage_id]) if row.triage_id else Clinical()
        known = replace(asked, doses=row.doses)
        judged = classify(with_age(known, row.birth_year, now), table.rules)
        by = f"register:{row.register}" if row.register else "exchange"
        records.append(Judged(uuid7(), row.case_id, known, judged, row.answer_id, by))
    keep_records(session, records, table.name, site_id=site_id, now=now)
    for one in records:
        record(
            session,
            site_id=site_id,
            actor=one.by,
            verb="classify_case",
            subject=str(one.case_id),
            now=now,
            colour=one.triage.colour,
            table=table.name,
        )
    session.flush()
    return len(rows)


# What somebody entered by hand stands; of the rest, where it is not what the register says.
_DIFFERENT: Final = f"""
FROM f0_case c
JOIN person p ON p.id = c.person_id
LEFT JOIN case_triage t ON t.case_id = c.id AND t.current
LEFT JOIN LATERAL ({REGISTERED}) a ON true
WHERE EXISTS (SELECT FROM destination WHERE site_id = :site AND kind = 'vaccination')
  AND c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
  AND (cast(:people AS uuid[]) IS NULL OR c.person_id = ANY(:people))
  AND (t.doses IS NULL OR t.doses_answer_id IS NOT NULL)
  AND t.doses_answer_id IS DISTINCT FROM a.id"""  # noqa: S608 - put together from constants
_LOCK = text(f"""
SELECT c.id {_DIFFERENT} ORDER BY c.person_id LIMIT :most FOR NO KEY UPDATE OF c
""")
_FILL = text(f"""
SELECT c.id AS case_id, p.birth_year, t.id AS triage_id, a.id AS answer_id, a.doses,
       a.name AS register
{_DIFFERENT} AND c.id = ANY(:cases) ORDER BY c.person_id
""")
