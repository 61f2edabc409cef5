"""What registers say of a person as they are now, and the conflicts that somebody must look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.asking import ASKS, Differs, QuestionKind, QuestionState, Verdict
from lims.work.identity_stamp import STAMP

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class AskedOf:
    """One register's word, or that it has none yet; ``looked_note``: a reviewer's on a conflict."""

    kind: QuestionKind
    register: str
    state: QuestionState
    verdict: Verdict | None
    differs: tuple[Differs, ...]
    doses: int | None
    dose_dates: tuple[date, ...]
    created_at: datetime
    ended_at: datetime | None
    looked_at: datetime | None
    looked_by: str | None
    looked_note: str | None


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """Of one person. ``may_ask`` are the kinds of questions that there is a register for."""

    words: tuple[AskedOf, ...] = ()
    may_ask: tuple[QuestionKind, ...] = ()

    @property
    def verified(self) -> bool:
        """The newest word of a population database is that the number is theirs."""
        said = [one.verdict for one in self.words if one.kind is QuestionKind.IDENTITY]
        return next((one is Verdict.VERIFIED for one in said if one is not None), False)

    @property
    def doses(self) -> AskedOf | None:
        """The newest word of a register of vaccinations that knows them."""
        said = [one for one in self.words if one.kind is QuestionKind.DOSES and one.verdict]
        return said[0] if said and said[0].doses is not None else None


@dataclass(frozen=True, slots=True)
class NumberConflict:
    """A number that is somebody's of another name or birth, as a register has it."""

    question_id: UUID
    person_id: UUID
    name: str
    birth_year: int | None
    birth_date: date | None
    kind: QuestionKind
    register: str
    differs: tuple[Differs, ...]
    barcode: str | None
    since: datetime


def asked_about(session: Session, person_id: UUID, *, site_id: UUID) -> AskedAbout:
    """Each register's newest answer, and that it is asked again if so. What was asked about another
    number, name or birth than today's is left out."""
    words = session.execute(_WORDS, {"person": person_id}).all()
    kinds = session.scalars(_MAY_ASK, {"site": site_id}).all()
    return AskedAbout(
        words=tuple(
            AskedOf(
                kind=QuestionKind(row.kind),
                register=row.name,
                state=QuestionState(row.state),
                verdict=Verdict(row.verdict) if row.verdict else None,
                differs=tuple(Differs(one) for one in row.differs or ()),
                doses=row.doses,
                dose_dates=tuple(row.dose_dates or ()),
                created_at=row.created_at,
                ended_at=row.ended_at,
                looked_at=row.looked_at,
                looked_by=row.looked_by,
                looked_note=row.looked_note,
            )
            for row in words
        ),
        may_ask=tuple(kind for register, kind in ASKS.items() if register in kinds),
    )


def conflicts(session: Session, *, site_id: UUID) -> Sequence[NumberConflict]:
    """Those that nobody has looked at, the oldest answer first."""
    return [
        NumberConflict(
            question_id=row.id,
            person_id=row.person_id,
            name=row.name,
            birth_year=row.birth_year,
            birth_date=row.birth_date,
            kind=QuestionKind(row.kind),
            register=row.register,
            differs=tuple(Differs(one) for one in row.differs),
            barcode=row.barcode,
            since=row.ended_at,
        )
        for row in session.execute(_CONFLICTS, {"site": site_id, "most": MOST})
    ]


OPEN_CONFLICTS: Final = f"""
    SELECT q.id FROM person_question q JOIN person p ON p.id = q.person_id
    WHERE q.site_id = :site AND q.current AND q.verdict = 'conflict' AND q.looked_at IS NULL
      AND q.stamp = {STAMP}"""  # noqa: S608 - put together from constants

_WORDS = text(f"""
SELECT q.*, d.name FROM person p
JOIN person_question q ON q.person_id = p.id AND q.stamp = {STAMP} AND (
    q.current OR q.state = 'answered' AND NOT EXISTS (
        SELECT FROM person_question n
        WHERE n.person_id = q.person_id AND n.destination_id = q.destination_id
          AND n.state = 'answered' AND n.stamp = q.stamp AND n.ended_at > q.ended_at))
JOIN destination d ON d.id = q.destination_id
WHERE p.id = :person ORDER BY q.kind DESC, q.ended_at DESC NULLS LAST, q.id DESC
""")  # noqa: S608 - put together from constants

_MAY_ASK = text("SELECT kind FROM destination WHERE site_id = :site AND stopped_at IS NULL")

_CONFLICTS = text(f"""
SELECT q.id, q.person_id, q.kind, q.differs, q.ended_at, p.name, p.birth_year, p.birth_date,
       d.name AS register, t.barcode
FROM ({OPEN_CONFLICTS} ORDER BY q.ended_at, q.id LIMIT :most) o
JOIN person_question q ON q.id = o.id
JOIN person p ON p.id = q.person_id
JOIN destination d ON d.id = q.destination_id
LEFT JOIN LATERAL (
    SELECT u.barcode FROM specimen s JOIN tube_specimen ts ON ts.specimen_id = s.id
    JOIN tube u ON u.id = ts.tube_id AND u.kind <> 'lab_pool'
    WHERE s.person_id = p.id ORDER BY s.collected_at DESC, s.id DESC LIMIT 1) t ON true
ORDER BY q.ended_at, q.id
""")  # noqa: S608 - put together from constants
