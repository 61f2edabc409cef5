"""One person, one tube: two scans in either order, or typed by hand."""

from dataclasses import replace
from typing import Final

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    InvalidBody,
    NotABarcode,
    Refusal,
    WrongCheckCharacter,
)
from lims.domain.registration import PersonGiven, Registration
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.collect.draft import Draft, drafted, fresh, keep_desk, taken_at, with_open_campaign
from lims.web.collect.person_form import PAST, area_of_address, chosen_uuid, invalid, read_person
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.areas import SCHEME
from lims.work.register import Registered, register
from lims.work.views import desk
from lims.work.views.areas import find_areas
from lims.work.views.desk import KnownPerson

NO_TUBE: Final = later("scan the tube, or type its barcode")
Answer = str | Response | tuple[str, int]


@blueprint.get("")
@needs(*DESK)
def page() -> Answer:
    """An empty form, with the last registration as a large answer above it."""
    lab, draft = laboratory(), with_open_campaign(fresh())
    person_id, done = chosen_uuid(request.args, "person"), chosen_uuid(request.args, "done")
    with lab.sessions.begin() as session:
        known = person_id and desk.person_known(session, person_id, site_id=lab.site_id)
        answer = desk.swab(session, done, site_id=lab.site_id) if done else None
    return show(draft.with_known(known) if known else draft, done=answer)


@blueprint.get("/areas")
@needs(*DESK)
def areas() -> str:
    """The units a typed text may mean, as `<option>`s for `areas.js`."""
    with laboratory().sessions.begin() as session:
        found = find_areas(session, SCHEME, request.args.get("q", "")[:100])
    return render_template("admin/_areas.html", areas=found)


@blueprint.post("/scan")
@needs(*DESK)
def scan() -> Answer:
    """One more scan of this registration; the second of the two registers."""
    return take_scan(request.form.get("text", ""), drafted(request.form))


@blueprint.post("")
@needs(*DESK)
def save() -> Answer:
    """What was typed, with what was scanned."""
    draft, said = drafted(request.form), request.form.get("alike", "")
    chosen = chosen_uuid(request.form, "alike")
    return _register(replace(draft, person_id=chosen or draft.person_id), sure=bool(said))


def take_scan(text: str, draft: Draft) -> Answer:
    """A card fills in the person, a label the tube; with both, it is registered at once."""
    try:
        found = cards.scan(text)
    except WrongCheckCharacter as refusal:
        return show(draft, refused=told(refusal)), 422
    match found:
        case cards.TubeBarcode(barcode):
            draft = replace(draft, barcode=barcodes.shown(barcode))
            if not draft.has_person:
                return _tube_first(draft, barcode)
        case cards.Unrecognised():
            return show(draft, refused=told(NotABarcode(came=text[:40]))), 422
        case _:
            draft = _with_card(draft, found)
    return _register(draft) if draft.has_person and draft.barcode else show(draft)


def show(
    draft: Draft,
    *,
    done: desk.DeskSwab | None = None,
    refused: Told | None = None,
    alike: tuple[KnownPerson, ...] = (),
) -> str:
    """The page around a draft."""
    lab, by = laboratory(), current().actor
    with lab.sessions.begin() as session:
        campaigns = desk.open_campaigns(session, site_id=lab.site_id)
        last = desk.last_swabs(session, site_id=lab.site_id, by=by, since=day_start())
        today = desk.swabbed_today(session, site_id=lab.site_id, by=by, since=day_start())
    return render_template(
        "collect/one.html",
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        done=done,
        again="again" in request.args,
        refused=refused,
        alike=alike,
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
        last=last,
        today=today,
    )


class _Doubt(Exception):
    """Perhaps somebody known: a person at the desk decides."""

    def __init__(self, alike: tuple[KnownPerson, ...]) -> None:
        super().__init__()
        self.alike = alike


def _register(draft: Draft, *, sure: bool = False) -> Answer:
    try:
        receipt = in_transaction(lambda session: _work(session, draft, sure=sure))
    except _Doubt as doubt:
        return show(draft, alike=doubt.alike)
    except InvalidBody as refusal:
        return show(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    except BarcodeTaken as refusal:
        return _taken(draft, refusal)
    except Refusal as refusal:
        return show(_mended(draft, refusal), refused=told(refusal)), int(status_of(type(refusal)))
    keep_desk(draft.campaign, draft.desk_area)
    again = "1" if receipt.replayed else None
    return redirect(url_for("collect.page", done=receipt.specimen_id, again=again), 303)


def _mended(draft: Draft, refusal: Refusal) -> Draft:
    """The draft as it may be sent again."""
    if isinstance(refusal, DifferentBody):  # gone back to and changed: another registration
        return replace(draft, specimen_id=uuid7())
    if isinstance(refusal, NotABarcode | WrongCheckCharacter):
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
    before = desk.collected_before(session, draft.specimen_id)
    given = Registration(
        specimen_id=draft.specimen_id,
        barcode=barcodes.parse(draft.barcode),
        collected_at=taken or before or now(),
        person=person,
        person_id=draft.person_id,
        campaign_id=chosen_uuid({"campaign": draft.campaign}, "campaign"),
    )
    lab = laboratory()
    return register(session, given, site_id=lab.site_id, by=current().actor, now=now())


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


def _with_card(
    draft: Draft, card: cards.ChipCard | cards.EpidemicCode | cards.InsuranceCard
) -> Draft:
    lab = laboratory()
    match card:
        case cards.ChipCard():
            number: str | None = card.national_id
        case cards.EpidemicCode():
            number = card.open_number
        case cards.InsuranceCard():
            number = None
    with lab.sessions.begin() as session:
        known = desk.person_of_number(session, number, site_id=lab.site_id) if number else None
        filled = draft.with_card(card, known)
        guess = "" if filled.known_area else area_of_address(session, filled.typed["address"])
    return replace(filled, typed=filled.typed | {"area": guess}) if guess else filled


def _tube_first(draft: Draft, barcode: str) -> Answer:
    """A label before its person; one that is registered already answers with that."""
    earlier = _registered_under(barcode)
    if earlier is None:
        return show(draft)
    return redirect(url_for("collect.page", done=earlier.specimen_id, again="1"), 303)


def _taken(draft: Draft, refusal: BarcodeTaken) -> Answer:
    """The same two scans again are the same answer; another person's tube is refused (S15)."""
    earlier = _registered_under(barcodes.normalise(draft.barcode))
    number = draft.typed["national_id"]
    if earlier is not None and number:
        lab = laboratory()
        with lab.sessions.begin() as session:
            known = desk.person_of_number(session, number, site_id=lab.site_id)
        if known is not None and known.person_id == earlier.person_id:
            return redirect(url_for("collect.page", done=earlier.specimen_id, again="1"), 303)
    return show(replace(draft, barcode=""), refused=told(refusal)), 409


def _registered_under(barcode: str) -> desk.DeskSwab | None:
    lab = laboratory()
    with lab.sessions.begin() as session:
        return desk.swab_in(session, barcode, site_id=lab.site_id)
