"""One person, one tube: two scans in either order, or typed by hand."""

import re
from dataclasses import replace
from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.asked import asked
from lims.domain.cards import ChipCard, EpidemicCode, InsuranceCard, TubeBarcode
from lims.domain.lifecycle import TubeKind
from lims.domain.refusals import MaskedCard, NotABarcode, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import told
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.collect.desk_page import Answer, show
from lims.web.collect.draft import Draft, drafted, fresh, with_open_campaign
from lims.web.collect.expected import Meant, expected_by, with_expected
from lims.web.collect.person_form import area_of_address, chosen_uuid, is_masked
from lims.web.collect.reading import read_scan, scanned_into
from lims.web.collect.registering import register_draft, tube_first
from lims.web.language import laboratory, now
from lims.web.search import found, shown
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.areas import SCHEME
from lims.work.take_back import TakenBackTube, take_back, take_back_last
from lims.work.views import desk
from lims.work.views.areas import find_areas
from lims.work.views.declared import declared_of_card, declared_one

__all__ = ["Answer", "take_back_here", "take_scan"]

_NUMBER: Final = re.compile(r"\d{12}", re.ASCII)


@blueprint.get("")
@needs(*DESK)
def page() -> Answer:
    """An empty form, with the last registration as a large answer above it."""
    lab, draft = laboratory(), with_open_campaign(fresh())
    person_id, done = chosen_uuid(request.args, "person"), chosen_uuid(request.args, "done")
    undone = chosen_uuid(request.args, "undone")
    tube = barcodes.normalise(request.args.get("tube", ""))
    with lab.statements() as session:
        known = person_id and desk.person_known(session, person_id, site_id=lab.site_id)
        back = desk.undone(session, undone, site_id=lab.site_id) if undone else None
    if barcodes.is_valid(tube):
        draft = replace(draft, barcode=barcodes.shown(tube))
    return show(draft.with_known(known) if known else draft, done=done, undone=back)


@blueprint.get("/areas")
@needs(*DESK, Role.REVIEWER)
def areas() -> str:
    """The units a typed text may mean, as `<option>`s for `areas.js`."""
    with laboratory().sessions.begin() as session:
        found_areas = find_areas(session, SCHEME, request.args.get("q", "")[:100])
    return render_template("admin/_areas.html", areas=found_areas)


@blueprint.post("/scan")
@needs(*DESK)
def scan() -> Answer:
    """One more scan of this registration; the second of the two registers."""
    return take_scan(request.form.get("text", ""), drafted(request.form))


@blueprint.post("/known")
@needs(*DESK)
def known_person() -> Answer:
    """Somebody chosen from a list, perhaps for a tube that was scanned before."""
    draft, chosen = drafted(request.form), chosen_uuid(request.form, "known")
    declared_id, lab = chosen_uuid(request.form, "declared"), laboratory()
    with lab.statements() as session:
        known = chosen and desk.person_known(session, chosen, site_id=lab.site_id)
        declared = declared_id and declared_one(session, declared_id, site_id=lab.site_id)
    if not (known or declared):
        return show(draft)
    draft = draft if draft.campaign else with_open_campaign(fresh_with(draft))
    draft = draft.with_known(known) if known else draft
    draft = with_expected(draft, declared) if declared else draft
    return register_draft(draft) if draft.barcode else show(draft)


@blueprint.post("")
@needs(*DESK)
def save() -> Answer:
    """What was typed, with what was scanned."""
    strayed = scanned_into(request.form.to_dict())
    if strayed is not None:
        field, text = strayed
        return take_scan(text, drafted(request.form.to_dict() | {field: ""}))
    draft, said = drafted(request.form), request.form.get("alike", "")
    chosen = chosen_uuid(request.form, "alike")
    return register_draft(replace(draft, person_id=chosen or draft.person_id), sure=bool(said))


@blueprint.post("/undo")
@needs(*DESK)
def undo() -> Answer:
    """The swab that is named, or this desk's last one, is taken back."""
    return take_back_here(chosen_uuid(request.form, "specimen"))


def take_back_here(chosen: UUID | None = None) -> Answer:
    """Take it back and say so; a household's tube opens again with its people."""
    lab, by = laboratory(), current().actor

    def work(session: Session) -> TakenBackTube:
        if chosen is not None:
            return take_back(session, chosen, site_id=lab.site_id, by=by, now=now())
        return take_back_last(session, site_id=lab.site_id, by=by, since=day_start(), now=now())

    try:
        gone = in_transaction(work)
    except Refusal as refusal:
        draft = with_open_campaign(fresh())
        return show(draft, refused=told(refusal)), int(status_of(type(refusal)))
    where = "collect.field_pool" if gone.kind is TubeKind.FIELD_POOL else "collect.page"
    return redirect(url_for(where, undone=gone.specimen_id), 303)


def take_scan(text: str, draft: Draft) -> Answer:
    """A card fills in the person, a label the tube; with both, it is registered at once."""
    try:
        read = read_scan(text)
    except NotABarcode as refusal:
        return _typed(text.strip(), draft, refusal)
    except Refusal as refusal:
        return show(draft, refused=told(refusal)), int(status_of(type(refusal)))
    if isinstance(read, TubeBarcode):
        draft = replace(draft, barcode=barcodes.shown(read.barcode))
        if not draft.has_person:
            return tube_first(draft, read.barcode)
        return register_draft(draft)
    draft = _with_card(_without_the_others_tube(draft, _number_on(read)), read)
    if not draft.has_person and is_masked(read):
        return show(draft, refused=told(MaskedCard(where="scan"))), 422
    return register_draft(draft) if draft.has_person and draft.barcode else show(draft)


def _typed(text: str, draft: Draft, refusal: NotABarcode) -> Answer:
    """No scan: the twelve digits of a card, or whatever finds somebody known."""
    lab = laboratory()
    if _NUMBER.fullmatch(text):
        with lab.statements() as session:
            known = desk.person_of_number(session, text, site_id=lab.site_id)
            declared = declared_of_card(session, number=text, qid=None, site_id=lab.site_id)
        if declared is not None:
            draft = _without_the_others_tube(draft, text).with_declared(declared, known)
            return register_draft(draft) if draft.barcode else show(draft)
        if known is None:
            draft = _without_the_others_tube(draft, text)
            blank = dict.fromkeys(draft.typed, "") | {"area": draft.desk_area}
            return show(replace(draft, typed=blank | {"national_id": text}, person_id=None))
        draft = _without_the_others_tube(draft, text).with_known(known)
        return register_draft(draft) if draft.barcode else show(draft)
    meant = expected_by(text)
    if meant.people:
        return _expected(draft, meant)
    result = found(asked(text)) if not draft.has_person else None
    if result:
        return shown(text, result, tube=draft.barcode)
    return show(draft, refused=told(refusal)), 422


def _expected(draft: Draft, meant: Meant) -> Answer:
    """Somebody's own code is as good as a card; a telephone is a family's, and is looked at."""
    if len(meant.people) > 1:
        return show(_without_the_others_tube(draft, None), expected=meant.people)
    one = meant.people[0]
    draft = with_expected(_without_the_others_tube(draft, one.national_id), one)
    return register_draft(draft) if draft.barcode and meant.surely else show(draft)


def _without_the_others_tube(draft: Draft, number: str | None) -> Draft:
    """A tube scanned for a person who was then refused goes to nobody else: the next person's own
    is to be scanned. The same card again keeps it."""
    same = bool(number) and draft.typed["national_id"] == number
    if not (draft.has_person and draft.barcode) or same:
        return draft
    return replace(draft, barcode="", specimen_id=uuid7())


def _number_on(card: ChipCard | EpidemicCode | InsuranceCard) -> str | None:
    match card:
        case ChipCard():
            return card.national_id
        case EpidemicCode():
            return card.open_number
        case InsuranceCard():
            return None


def fresh_with(draft: Draft) -> Draft:
    """A new draft around the same swab and tube."""
    return replace(fresh(), specimen_id=draft.specimen_id, barcode=draft.barcode)


def _with_card(draft: Draft, card: ChipCard | EpidemicCode | InsuranceCard) -> Draft:
    lab, number = laboratory(), _number_on(card)
    with lab.statements() as session:
        known = desk.person_of_number(session, number, site_id=lab.site_id) if number else None
        qid = card.qid if isinstance(card, EpidemicCode) else None
        declared = declared_of_card(session, number=number, qid=qid, site_id=lab.site_id)
        filled = draft.with_card(card, known, declared)
        guess = "" if filled.known_area else area_of_address(session, filled.typed["address"])
    return replace(filled, typed=filled.typed | {"area": guess}) if guess else filled
