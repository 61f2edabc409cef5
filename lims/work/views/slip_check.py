"""What a slip is worth now: read by whoever holds the paper, who may be anybody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.outcomes import FindingOutcome
from lims.domain.result_slips import Worth


@dataclass(frozen=True, slots=True)
class OnPaper:
    """As much of a valid slip as its holder can compare with the paper, and no more."""

    initials: str
    birth_year: int | None
    material: str
    collected_at: datetime
    outcome: FindingOutcome


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer. A slip that is not valid says nothing of a person or a result."""

    worth: Worth
    laboratory: str | None = None
    issued_at: datetime | None = None
    slip_id: UUID | None = None
    on_paper: OnPaper | None = None


_CHECK = text("""
SELECT s.id, s.issued_at, site.name AS laboratory, p.name, p.birth_year, sp.material,
       sp.collected_at, f.outcome, cur.outcome AS now_outcome,
       coalesce(cur.status IN ('F', 'C'), false) AS released,
       coalesce(cur.status IN ('F', 'C') AND cur.person_id = f.person_id
                AND cur.outcome = f.outcome AND cur.released_at = f.released_at, false) AS stands,
       EXISTS (SELECT FROM finding o JOIN recall_finding x ON x.finding_id = o.id
               WHERE o.person_id = f.person_id AND o.specimen_id = f.specimen_id
                 AND o.outcome = f.outcome
                 AND o.released_at = f.released_at) AS recalled
FROM slip s
JOIN finding f ON f.id = s.finding_id
JOIN specimen sp ON sp.id = f.specimen_id
JOIN person p ON p.id = f.person_id
JOIN site ON site.id = s.site_id
LEFT JOIN finding cur ON cur.specimen_id = f.specimen_id AND cur.current
WHERE s.code = :code
""")


def check_slip(session: Session, code: str) -> Checked:
    """The worth of the slip with this stored code.

    It is valid while the release it was issued for stands: corrected and corrected back, the
    first slip stays withdrawn and the last one is valid.
    """
    row = session.execute(_CHECK, {"code": code}).one_or_none()
    if row is None:
        return Checked(Worth.UNKNOWN)
    if not row.stands:
        return Checked(_worth(row), row.laboratory, row.issued_at, row.id)
    on_paper = OnPaper(
        initials=initials(row.name),
        birth_year=row.birth_year,
        material=row.material,
        collected_at=row.collected_at,
        outcome=FindingOutcome(row.outcome),
    )
    return Checked(Worth.VALID, row.laboratory, row.issued_at, row.id, on_paper)


def _worth(row: Row[Any]) -> Worth:
    """Of a slip whose release does not stand. That a person is to be swabbed again is no newer
    result, although it is a laboratory's last word."""
    if row.recalled and (not row.released or row.now_outcome == FindingOutcome.RECOLLECT):
        return Worth.RECALLED
    return Worth.REPLACED if row.released else Worth.CHECKED


def initials(name: str) -> str:
    """Nguyễn Thị Ánh Tuyết → N. T. Á. T.: enough to compare, too little to learn a name from."""
    return " ".join(f"{word[0].upper()}." for word in name.split())
