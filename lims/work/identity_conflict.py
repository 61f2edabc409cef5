"""One card number, two names: a clerk has compared the cards and says that it is one person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.tables import Person
from lims.work.audit import record
from lims.work.measurements import given_reason


def clear_identity_conflict(
    session: Session, person_id: UUID, reason: str, *, by: str, now: datetime
) -> None:
    """The name stays as first registered, and the doubt is gone (S16).

    Clearing it again changes nothing. Raises NotFound, InvalidBody without a reason.
    """
    said = given_reason(reason)
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotFound(came=str(person_id), where="people")
    if person.identity_conflict is None:
        return
    record(
        session,
        site_id=person.site_id,
        actor=by,
        verb="clear_identity_conflict",
        subject=str(person_id),
        now=now,
        about=person.identity_conflict,
        reason=said,
    )
    person.identity_conflict = None
