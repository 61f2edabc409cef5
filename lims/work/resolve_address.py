"""Somebody found out which commune an F0's address means: its team is told (S18)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import Conflict, NotFound
from lims.domain.registration import AddressKind, AreaRef
from lims.tables import AddressDoubt
from lims.work.audit import record
from lims.work.live_cases import live_case
from lims.work.people import refuse_unknown_areas
from lims.work.tell import CaseNews, owe_newcomers


class AddressResolved(Conflict):
    slug = "address-resolved"
    expected = "an address that nobody has resolved yet"
    todo = "look at the person's page: what was chosen stands there"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whose address, which unit it is, and how many recipients heard of the case by it."""

    person_id: UUID
    area: AreaRef
    told: int
    replayed: bool


def resolve_address(
    session: Session, doubt_id: UUID, area: AreaRef, *, site_id: UUID, by: str, now: datetime
) -> Resolved:
    """Write the unit into the person's address; an open case goes to the teams that listen there.

    Who heard of the case before goes on hearing of it. The same choice again changes nothing.
    Raises NotFound (no such doubt here), UnknownUnit, AddressResolved (another unit was chosen),
    NoDesk.
    """
    doubt = _locked(session, doubt_id, site_id)
    if doubt.settled_at is not None:
        return _replay(doubt, area)
    refuse_unknown_areas(session, {area})
    doubt.became_scheme, doubt.became_code = area.scheme, area.code
    doubt.settled_at, doubt.settled_by = now, by
    session.flush()
    session.execute(
        _WRITE[AddressKind(doubt.kind)],
        {"person": doubt.person_id, "scheme": area.scheme, "code": area.code},
    )
    told = _route_again(session, doubt.person_id, site_id=site_id, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="resolve_address",
        subject=str(doubt.person_id),
        now=now,
        doubt_id=str(doubt.id),
        kind=doubt.kind,
        came=_written(doubt.scheme, doubt.code),
        became=_written(area.scheme, area.code),
        told=told,
    )
    session.flush()
    return Resolved(doubt.person_id, area, told, replayed=False)


def _replay(doubt: AddressDoubt, area: AreaRef) -> Resolved:
    if (doubt.became_scheme, doubt.became_code) != (area.scheme, area.code):
        raise AddressResolved(
            came=f"{doubt.became_code} of scheme {doubt.became_scheme}",
            where=f"address doubt {doubt.id}",
        )
    return Resolved(doubt.person_id, area, told=0, replayed=True)


def _locked(session: Session, doubt_id: UUID, site_id: UUID) -> AddressDoubt:
    """The doubt, after the person and the live case: in the order of a merge and of a result."""
    about = {"doubt": doubt_id, "site": site_id}
    person_id = session.scalar(_LOCK_PERSON, about)
    if person_id is None:
        raise NotFound(came=str(doubt_id), where="address_doubt")
    live_case(session, person_id)
    return session.scalars(
        select(AddressDoubt)
        .where(AddressDoubt.id == doubt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _route_again(session: Session, person_id: UUID, *, site_id: UUID, now: datetime) -> int:
    case = live_case(session, person_id)
    if case is None:
        return 0
    news = CaseNews(
        case.id,
        person_id,
        NoticeKind.CASE_OPENED,
        case.sequence,
        CaseState(case.state),
        Basis(case.basis),
    )
    return owe_newcomers(session, news, site_id=site_id, now=now)


def _written(scheme: str | None, code: str | None) -> str | None:
    return f"{scheme}:{code}" if code else None


_LOCK_PERSON = text("""
SELECT p.id FROM person p JOIN address_doubt d ON d.person_id = p.id
WHERE d.id = :doubt AND d.site_id = :site FOR NO KEY UPDATE OF p
""")

_WRITE = {
    AddressKind.HOME: text(
        "UPDATE person SET area_scheme = :scheme, area_code = :code WHERE id = :person"
    ),
    AddressKind.WORK: text(
        "UPDATE person SET work_area_scheme = :scheme, work_area_code = :code WHERE id = :person"
    ),
}
