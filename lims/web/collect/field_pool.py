"""A household in one tube: cards one after the other, the next tube closes this one."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.cards import EpidemicCode, TubeBarcode
from lims.domain.commands import Command, command_of
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    InvalidBody,
    MaskedCard,
    NotABarcode,
    PersonTwiceInPool,
    Refusal,
    TubeStillOpen,
    WasTakenBack,
)
from lims.doors.statuses import status_of
from lims.tables import Site
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.collect.desk_page import Answer
from lims.web.collect.draft import keep_desk
from lims.web.collect.expected import Meant, beside, expected_by
from lims.web.collect.field_draft import FieldDraft, drafted_tube, fresh_tube, reopened
from lims.web.collect.one import take_back_here
from lims.web.collect.person_form import (
    at_home,
    card_beside,
    chosen_uuid,
    invalid,
    is_masked,
    of_card,
    read_person,
)
from lims.web.collect.reading import Read, read_scan, scanned_into
from lims.web.language import laboratory, later, now
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.declare import came
from lims.work.field_pool import FieldPooled, FieldPoolRequest, register_field_pool
from lims.work.views import desk
from lims.work.views.declared import (
    DeclaredPerson,
    declared_of_card,
    declared_one,
    expected_at,
)
from lims.work.views.desk import HouseholdKnown, KnownPerson

NOBODY = later("add at least one person")
IN_IT_ALREADY = later("this person is in this tube already; scan the next card")
NOT_ADDED = later("typed and not in the tube yet: add this person, or empty the name")
LABEL_FIRST = later("scan the tube first")


@blueprint.get("/field-pool")
@needs(*DESK)
def field_pool() -> str:
    """An empty tube, or one for a household that is to be swabbed again."""
    lab = laboratory()
    household_id, done = chosen_uuid(request.args, "household"), request.args.get("done", "")
    undone = chosen_uuid(request.args, "undone")
    with lab.statements() as session:
        back = desk.undone(session, undone, site_id=lab.site_id) if undone else None
        home = household_id and desk.household_known(session, household_id, site_id=lab.site_id)
        closed = desk.swab_in(session, barcodes.normalise(done), site_id=lab.site_id)
    if back is not None:
        return show_tube(reopened(back), undone=True)
    draft = fresh_tube(request.args.get("tube", ""), home or None)
    if _carrier(draft.barcode):  # gone back to, after that tube was closed as well
        draft = replace(draft, barcode="")
    return show_tube(draft, done=closed)


@blueprint.post("/field-pool/scan")
@needs(*DESK)
def scan_member() -> Answer:
    """A card adds a person; a label opens the tube, or closes this one and opens the next."""
    return _take(request.form.get("text", ""), drafted_tube(request.form))


def _take(text: str, draft: FieldDraft) -> Answer:
    command = command_of(text)
    if command is not None:
        return _obey(command, draft)
    try:
        read = read_scan(text)
    except Refusal as refusal:
        meant = expected_by(text) if isinstance(refusal, NotABarcode) else Meant()
        if meant.people:
            return _expected(meant, draft)
        return show_tube(draft, refused=told(refusal)), int(status_of(type(refusal)))
    return _put(read, draft)


def _expected(meant: Meant, draft: FieldDraft) -> Answer:
    """A door's code names the door, and its people are tapped in; one person's own is a card."""
    waiting = [one for one in meant.people if one.declared_id not in draft.declared]
    if len(meant.people) > 1:
        return show_tube(draft.at_door_of(meant.people[0]), expected=tuple(waiting))
    return _add_expected(draft, waiting) if waiting else _twice(draft)


def _add_expected(draft: FieldDraft, people: Sequence[DeclaredPerson]) -> Answer:
    """Those who declared themselves; who is known here by their number is taken as known."""
    for one in people:
        typed = {"national_id": one.national_id} if one.national_id else {}
        if one.declared_id in draft.declared or draft.holds(typed):
            continue
        draft = draft.adding({}, _known(one.national_id), one)
    return show_tube(draft)


def _put(read: Read, draft: FieldDraft) -> Answer:
    """A tube opens, or closes the one before it; a card is one more person."""
    if isinstance(read, TubeBarcode):
        return _label(read.barcode, draft)
    typed = of_card(read)
    if draft.holds(typed):
        return _twice(draft)
    known = _known(typed.get("national_id"))
    lab, qid = laboratory(), read.qid if isinstance(read, EpidemicCode) else None
    with lab.statements() as session:
        declared = declared_of_card(
            session, number=typed.get("national_id"), qid=qid, site_id=lab.site_id
        )
        if known is None and declared is None and is_masked(read):
            draft = replace(draft, typed=draft.typed | typed)
            return show_tube(draft, refused=told(MaskedCard())), 422
        placed = (known and known.area) or (declared and declared.area)
        typed = card_beside(read, declared)
        typed = typed if placed else at_home(session, typed)
    if declared and declared.declared_id in draft.declared:
        return _twice(draft)
    return show_tube(draft.adding(typed, known, declared))


def _label(barcode: str, draft: FieldDraft) -> Answer:
    if draft.barcode == barcodes.shown(barcode):  # read twice: it is open already
        return show_tube(draft)
    if _carrier(barcode) and _carrier(draft.barcode) != draft.tube_id:
        refusal = BarcodeTaken(came=barcodes.shown(barcode), where="barcode")
        return show_tube(draft, refused=told(refusal)), int(status_of(BarcodeTaken))
    if draft.barcode and draft.members:
        return _close(draft, following=barcode)
    return show_tube(replace(draft, barcode=barcodes.shown(barcode)))


def _obey(command: Command, draft: FieldDraft) -> Answer:
    """A command card over a tube that is being filled."""
    match command:
        case Command.UNDO:
            return show_tube(replace(draft, members=draft.members[:-1]), undone=True)
        case Command.CLOSE:
            return _close(draft)
        case Command.HOUSEHOLD if draft.barcode:
            return _close(draft)
        case _:
            refusal = TubeStillOpen(came=draft.barcode, where="tube")
            return show_tube(draft, refused=told(refusal)), int(status_of(TubeStillOpen))


@blueprint.post("/field-pool/add")
@needs(*DESK)
def add_member() -> Answer:
    """Somebody typed, or somebody of the household by one tap."""
    draft, known_id = drafted_tube(request.form), chosen_uuid(request.form, "known")
    strayed = scanned_into(request.form.to_dict())
    if strayed is not None and not known_id:
        return _take(strayed[1], draft.without(strayed[0]))
    expected = request.form.get("expected", "")
    if expected:
        return _add_chosen(draft, expected)
    lab = laboratory()
    with lab.statements() as session:
        known = known_id and desk.person_known(session, known_id, site_id=lab.site_id)
        if known:
            again = known.person_id in draft.people
            return _twice(draft) if again else show_tube(draft.adding({}, known))
        try:
            read_person(session, draft.typed)
        except InvalidBody as refusal:
            return show_tube(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    if draft.holds(draft.typed):
        return _twice(draft)
    return show_tube(draft.adding(draft.typed, _known(draft.typed["national_id"])))


def _add_chosen(draft: FieldDraft, chosen: str) -> Answer:
    """One of those expected at this door, or all of them that the tube has room for."""
    lab, one = laboratory(), chosen_uuid({"expected": chosen}, "expected")
    with lab.statements() as session:
        if one is not None:
            found = declared_one(session, one, site_id=lab.site_id)
            people: tuple[DeclaredPerson, ...] = (found,) if found else ()
        else:
            most = session.get_one(Site, lab.site_id).max_pool_size
            waiting = expected_at(session, draft.household_id, site_id=lab.site_id)
            people = tuple(one for one in waiting if one.declared_id not in draft.declared)[
                : max(0, most - len(draft.members))
            ]
    return _add_expected(draft, people)


@blueprint.post("/field-pool/undo")
@needs(*DESK)
def undo_member() -> Answer:
    """Without the last person; from an empty tube, the one closed before it opens again."""
    draft = drafted_tube(request.form)
    if not draft.members:
        return take_back_here()
    return show_tube(replace(draft, members=draft.members[:-1]), undone=True)


@blueprint.post("/field-pool")
@needs(*DESK)
def close_tube() -> Answer:
    """Register everybody in the tube."""
    draft, strayed = drafted_tube(request.form), scanned_into(request.form.to_dict())
    return _take(strayed[1], draft.without(strayed[0])) if strayed else _close(draft)


def show_tube(
    draft: FieldDraft,
    *,
    done: desk.DeskSwab | None = None,
    undone: bool = False,
    refused: Told | None = None,
    expected: tuple[DeclaredPerson, ...] = (),
) -> str:
    """The page around a tube being filled. ``expected``: several whom one telephone may mean."""
    lab, by = laboratory(), current().actor
    with lab.statements() as session:
        day = desk.desk_day(session, site_id=lab.site_id, by=by, since=day_start())
        most = session.get_one(Site, lab.site_id).max_pool_size
        home = desk.household_known(session, draft.household_id, site_id=lab.site_id)
        to_come = expected_at(session, draft.household_id, site_id=lab.site_id)
    campaigns = day.campaigns
    sizes = {str(one.campaign_id): one.pool_size for one in campaigns}
    size = sizes.get(draft.campaign, 1)
    return render_template(
        "collect/field_pool.html",
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        places=max(min(size, most) if size > 1 else most, len(draft.members)),
        neighbours=_neighbours(draft, home),
        to_come=_not_in_it(draft, expected or to_come, home),
        done=done,
        undone=undone,
        refused=refused,
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
        campaign={str(one.campaign_id): one.name for one in campaigns}.get(draft.campaign, ""),
        last=day.last,
        today=day.swabbed,
    )


def _close(draft: FieldDraft, *, following: str = "") -> Answer:
    fault = _not_ready(draft)
    if fault:
        refusal = invalid(fault)
        return show_tube(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    try:
        receipt = in_transaction(lambda session: _work(session, draft))
    except InvalidBody as refusal:
        return show_tube(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    except (DifferentBody, BarcodeTaken, WasTakenBack) as refusal:
        again = replace(draft, tube_id=uuid7(), barcode="")
        return show_tube(again, refused=told(refusal)), int(status_of(type(refusal)))
    except Refusal as refusal:
        return show_tube(draft, refused=told(refusal)), int(status_of(type(refusal)))
    keep_desk(draft.campaign)
    return _closed(receipt, following)


def _not_ready(draft: FieldDraft) -> dict[str, str]:
    """What the tube lacks before it may close; nobody half typed is left out of it silently."""
    if not draft.barcode:
        return {"barcode": LABEL_FIRST}
    if draft.typed["name"]:
        return {"name": NOT_ADDED}
    return {} if draft.members else {"name": NOBODY}


def _closed(receipt: FieldPooled, following: str) -> Response:
    at = url_for("collect.field_pool", done=receipt.barcode, tube=following or None)
    return redirect(at, 303)


def _work(session: Session, draft: FieldDraft) -> FieldPooled:
    lab = laboratory()
    members = tuple(member.value(session) for member in draft.members)
    before = desk.collected_before(session, members[0].specimen_id)
    request_ = FieldPoolRequest(
        tube_id=draft.tube_id,
        barcode=barcodes.parse(draft.barcode),
        collected_at=before or now(),
        members=members,
        household=draft.door(session),
        campaign_id=chosen_uuid({"campaign": draft.campaign}, "campaign"),
    )
    done = register_field_pool(
        session, request_, site_id=lab.site_id, by=current().actor, now=now()
    )
    expected = {one.declared_id: one.specimen_id for one in draft.members if one.declared_id}
    came(session, expected, site_id=lab.site_id)
    return done


def _carrier(barcode: str) -> UUID | None:
    """The tube that carries this label already; the draft's own, when its form came again."""
    label = barcodes.normalise(barcode)
    if not label.isprintable():
        return None
    with laboratory().statements() as session:
        return desk.carrier_of(session, label)


def _known(national_id: str | None) -> KnownPerson | None:
    if not national_id:
        return None
    lab = laboratory()
    with lab.statements() as session:
        return desk.person_of_number(session, national_id, site_id=lab.site_id)


def _neighbours(draft: FieldDraft, home: HouseholdKnown | None) -> list[KnownPerson]:
    """Who lives behind this door and is not in the tube."""
    if home is None:
        return []
    numbers = {one.typed["national_id"] for one in draft.members} - {""}
    return [
        one
        for one in home.members
        if one.person_id not in draft.people and one.national_id not in numbers
    ]


def _not_in_it(
    draft: FieldDraft, expected: tuple[DeclaredPerson, ...], home: HouseholdKnown | None
) -> list[DeclaredPerson]:
    """Who declared to come from here, is not in the tube, and is not shown as known already."""
    numbers = {one.typed["national_id"] for one in draft.members} - {""}
    return [
        one
        for one in beside(home, expected)
        if one.declared_id not in draft.declared and one.national_id not in numbers
    ]


def _twice(draft: FieldDraft) -> Answer:
    refused = told(PersonTwiceInPool(todo=IN_IT_ALREADY))
    return show_tube(draft, refused=refused), int(status_of(PersonTwiceInPool))
