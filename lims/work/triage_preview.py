"""Which open cases another table of rules would colour anew, said before it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.triage import Colour, TriageRule, classify
from lims.tables import CaseTriage, F0Case, Person
from lims.work.triage import clinical_of, with_age


@dataclass(frozen=True, slots=True)
class Recoloured:
    """An open case whose colour the table changes; None: something has to be asked first."""

    case_id: UUID
    was: Colour | None
    becomes: Colour | None


def recoloured(
    session: Session, rules: Sequence[TriageRule], *, site_id: UUID, now: datetime
) -> list[Recoloured]:
    """The longest open first; nothing is written."""
    rows = session.execute(
        select(CaseTriage, Person.birth_year)
        .join(F0Case, F0Case.id == CaseTriage.case_id)
        .join(Person, Person.id == F0Case.person_id)
        .where(
            CaseTriage.current,
            F0Case.site_id == site_id,
            F0Case.state.in_([CaseState.PRESUMPTIVE, CaseState.CONFIRMED]),
        )
        .order_by(F0Case.opened_at, F0Case.id)
    )
    judged = (
        Recoloured(
            triage.case_id,
            Colour(triage.colour) if triage.colour else None,
            classify(with_age(clinical_of(triage), birth_year, now), rules).colour,
        )
        for triage, birth_year in rows
    )
    return [one for one in judged if one.was is not one.becomes]
