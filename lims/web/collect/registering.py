"""A desk's draft becomes a registration, or comes back with what has to be corrected."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from flask import make_response, redirect, url_for
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    InvalidBody,
    Misread,
    NotABarcode,
    NotFound,
    PersonCard,
    Refusal,
    WasTakenBack,
)
from lims.domain.registration import PersonGiven, Registration
from lims.doors.statuses import status_of
from lims.web.access import current
from lims.web.answers import told
from lims.web.collect.desk_page import Answer, show
from lims.web.collect.draft import (
    Draft,
    belonging,
    fresh,
    keep_desk,
    taken_at,
    with_open_campaign,
)
from lims.web.collect.person_form import PAST, chosen_uuid, invalid, read_person
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.web.refusing import faults_of
from lims.web.shell import answering_scan
from lims.web.transaction import in_transaction, one_statement
from lims.work.declare import came
from lims.work.register import Registered, register
from lims.work.views import desk
from lims.work.views.declared import declared_one
from lims.work.views.desk import KnownPerson
from lims.work.zones import join_zones

NO_TUBE: Final = later("scan the tube, or type its barcode")


class _Doubt(Exception):
    """Perhaps somebody known: a person at the desk decides."""

    def __init__(self, alike: tuple[KnownPerson, ...]) -> None:
        super().__init__()
        self.alike = alike


def register_draft(draft: Draft, *, sure: bool = False) -> Answer:
    """Register it. `sure`: whoever stands there has said that it is somebody new."""
    try:
        receipt = one_statement(lambda session: _work(session, draft, sure=sure))
    except _Doubt as doubt:
        return show(draft, alike=doubt.alike)
    except InvalidBody as refusal:
        return show(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    except BarcodeTaken as refusal:
        return _taken(draft, refusal)
    except Refusal as refusal:
        return show(_mended(draft, refusal), refused=told(refusal)), int(status_of(type(refusal)))
    keep_desk(draft.campaign, draft.desk_area, draft.zone)
    _join(receipt, draft.zone)
    if draft.declared_id is not None:
        _came(receipt, draft.declared_id)
    return _done(receipt)


def _join(receipt: Registered, chosen: str) -> None:
    """Beside the registration, since that is one statement; a replay says it again. A zone that was
    closed meanwhile tells nobody anything."""
    said = belonging(chosen, receipt.person_id)
    if said is None:
        return
    lab = laboratory()
    with suppress(NotFound):
        in_transaction(
            lambda session: join_zones(
                session, [said], site_id=lab.site_id, by=current().actor, now=now()
            )
        )


def _came(receipt: Registered, declared_id: UUID) -> None:
    """Beside it too: who was expected is here. A replay says it again."""
    lab = laboratory()
    in_transaction(
        lambda session: came(session, {declared_id: receipt.specimen_id}, site_id=lab.site_id)
    )


def _done(receipt: Registered) -> Answer:
    """The page of the next person with this answer on it. A scan gets it at once: the redirect
    that keeps a form from being sent twice would be a second request for each person."""
    again = "1" if receipt.replayed else None
    at = url_for("collect.page", done=receipt.specimen_id, again=again)
    if not answering_scan():
        return redirect(at, 303)
    done = receipt.specimen_id
    page = make_response(show(with_open_campaign(fresh()), done=done, again=receipt.replayed))
    page.headers["X-At"] = at
    return page


def tube_first(draft: Draft, barcode: str) -> Answer:
    """A label before its person; one that is registered already answers with that."""
    earlier = _registered_under(barcode)
    if earlier is None:
        return show(draft)
    return redirect(url_for("collect.page", done=earlier.specimen_id, again="1"), 303)


def _mended(draft: Draft, refusal: Refusal) -> Draft:
    """The draft as it may be sent again."""
    if isinstance(refusal, DifferentBody | WasTakenBack):  # gone back to: another registration
        return replace(draft, specimen_id=uuid7())
    if isinstance(refusal, Misread | NotABarcode | PersonCard):
        return replace(draft, faults={"barcode": _(refusal.todo)})
    return draft


def _work(session: Session, draft: Draft, *, sure: bool) -> Registered:
    faults: dict[str, str] = {}
    person = None
    try:
        person = None if draft.person_id else read_person(session, draft.typed)
    except InvalidBody as refusal:
        faults |= faults_of(refusal)
    if not draft.barcode:
        faults["barcode"] = NO_TUBE
    taken = taken_at(draft.collected_at, now())
    if draft.collected_at and taken is None:
        faults["collected_at"] = PAST
    if faults:
        raise invalid(_barcode_fault(draft) | faults)
    if person is not None and not sure:
        _refuse_doubt(session, person)
    if person is not None and draft.declared_id:
        person = _at_their_door(session, person, draft.declared_id)
    given = Registration(
        specimen_id=draft.specimen_id,
        barcode=barcodes.parse(draft.barcode),
        collected_at=taken or now() - timedelta(seconds=draft.waited_s),
        person=person,
        person_id=draft.person_id,
        campaign_id=chosen_uuid({"campaign": draft.campaign}, "campaign"),
    )
    keep = partial(register, session, site_id=laboratory().site_id, by=current().actor, now=now())
    try:
        return keep(given)
    except DifferentBody:
        before = None if taken else desk.collected_before(session, draft.specimen_id)
        if before is None:
            raise
        return keep(replace(given, collected_at=before))  # sent again, later


def _at_their_door(session: Session, person: PersonGiven, declared_id: UUID) -> PersonGiven:
    """Of the household that was declared: read here, since a form may carry anything."""
    declared = declared_one(session, declared_id, site_id=laboratory().site_id)
    return replace(person, household_id=declared.household_id) if declared else person


def _barcode_fault(draft: Draft) -> dict[str, str]:
    """The label's fault among the others; alone it is refused with the likely labels."""
    try:
        barcodes.parse(draft.barcode)
    except Refusal as refusal:
        return {"barcode": _(refusal.todo)}
    return {}


def _refuse_doubt(session: Session, person: PersonGiven) -> None:
    """Without a number two cards cannot be told apart: whoever stands there can say (S16)."""
    if person.national_id:
        return
    alike = desk.people_alike(
        session,
        site_id=laboratory().site_id,
        name_key=person.name_key,
        birth_year=person.birth_year,
        phone=person.phone,
        area_code=person.area.code if person.area else None,
    )
    if alike:
        raise _Doubt(alike)


def _taken(draft: Draft, refusal: BarcodeTaken) -> Answer:
    """The same two scans again are the same answer; another person's tube is refused (S15)."""
    earlier = _registered_under(barcodes.normalise(draft.barcode))
    if earlier is not None and earlier.person_id == _whose(draft):
        return redirect(url_for("collect.page", done=earlier.specimen_id, again="1"), 303)
    return show(replace(draft, barcode=""), refused=told(refusal)), 409


def _whose(draft: Draft) -> object:
    number = draft.typed["national_id"]
    if draft.person_id or not number:
        return draft.person_id
    lab = laboratory()
    with lab.statements() as session:
        known = desk.person_of_number(session, number, site_id=lab.site_id)
    return known.person_id if known else None


def _registered_under(barcode: str) -> desk.DeskSwab | None:
    lab = laboratory()
    with lab.statements() as session:
        return desk.swab_in(session, barcode, site_id=lab.site_id)
