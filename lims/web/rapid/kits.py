"""Kit lots: registered from the box, and how often PCR disagreed with each."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from lims.domain.days import typed_day
from lims.domain.gs1 import parse_kit
from lims.domain.rapid_test import USUAL_WINDOW, LotSource, refuse_expired
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK
from lims.web.collect.one import Answer
from lims.web.collect.person_form import chosen_uuid, invalid
from lims.web.language import laboratory, later, local, now
from lims.web.rapid.blueprint import ROOT, blueprint
from lims.web.rapid.kit_choice import keep_lot, say_in_use, use_box
from lims.web.refusing import faults_of
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.kit_names import USUAL, LotGiven
from lims.work.kits import LotKnown, lot_of, register_lot
from lims.work.views.kit_lots import kit_lots

KIT_NAME: Final = later("the manufacturer's name on the box")
LOT: Final = later("the lot on the kit's box")
EXPIRY: Final = later("the day on the box: 31/01/2023")
WINDOW: Final = later("two numbers of minutes, the second larger, at most 240")
_MOST_MINUTES: Final = 240


@dataclass(frozen=True)
class KitDraft:
    """A lot as typed or as its box says."""

    name: str = ""
    gtin: str = ""
    lot: str = ""
    expires_on: str = ""
    reads_from: str = str(USUAL_WINDOW.opens.seconds // 60)
    reads_to: str = str(USUAL_WINDOW.closes.seconds // 60)
    back: str = ""
    faults: dict[str, str] = field(default_factory=dict)


@blueprint.get("/kits")
@needs(*DESK, Role.REVIEWER)
def kits() -> Answer:
    """Every lot; with `box` or `lot`, the form is filled in from a scanned one, or to name it."""
    box, back = request.args.get("box", ""), _back(request.args.get("back", ""))
    nameless = chosen_uuid(request.args, "lot")
    if nameless is not None:
        return _page(_of_lot(nameless))
    if not box:
        return _page(KitDraft(back=back))
    return _from_box(box, back)


@blueprint.post("/kits/scan")
@needs(*DESK)
def scan_kit() -> Answer:
    """A known kit's lot is used at this desk; another box fills in the form."""
    text, back = request.form.get("text", ""), _back(request.form.get("back", ""))
    try:
        lot = use_box(text)
    except Refusal as refusal:
        return _page(KitDraft(back=back), refused=told(refusal)), int(status_of(type(refusal)))
    return _from_box(text, back) if lot is None else _in_use(lot, back)


@blueprint.post("/kits")
@needs(*DESK)
def save_kit() -> Answer:
    """Register the lot and use it at this desk."""
    form = request.form
    draft = KitDraft(
        name=form.get("name", "").strip(),
        gtin=form.get("gtin", "").strip(),
        lot=form.get("lot", "").strip().upper(),
        expires_on=form.get("expires_on", ""),
        reads_from=form.get("reads_from", ""),
        reads_to=form.get("reads_to", ""),
        back=_back(form.get("back", "")),
    )
    try:
        lot = in_transaction(lambda session: _register(session, draft))
    except InvalidBody as refusal:
        faulty = replace(draft, faults=faults_of(refusal))
        return _page(faulty, refused=told(refusal)), 422
    except Refusal as refusal:
        return _page(draft, refused=told(refusal)), int(status_of(type(refusal)))
    keep_lot(lot.lot_id)
    return _in_use(lot, draft.back)


def _in_use(lot: LotKnown, back: str) -> Answer:
    say_in_use(lot)
    return redirect(back or url_for("rapid.kits"), 303)


def _of_lot(lot_id: UUID) -> KitDraft:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lot = lot_of(session, lot_id, site_id=lab.site_id)
    return KitDraft(gtin=lot.gtin or "", lot=lot.lot, expires_on=str(lot.expires_on or ""))


def _from_box(text: str, back: str) -> Answer:
    try:
        box = parse_kit(text, today=local(now()).date())
    except Refusal as refusal:
        return _page(KitDraft(back=back), refused=told(refusal)), 422
    draft = KitDraft(gtin=box.gtin, lot=box.lot, expires_on=box.expires_on.isoformat(), back=back)
    return _page(draft)


def _register(session: Session, draft: KitDraft) -> LotKnown:
    faults: dict[str, str] = {}
    if not 1 <= len(draft.name) <= 200:
        faults["name"] = KIT_NAME
    if not 1 <= len(draft.lot) <= 60:
        faults["lot"] = LOT
    expires_on = _day(draft.expires_on)
    if expires_on is None:
        faults["expires_on"] = EXPIRY
    window = (_minutes(draft.reads_from), _minutes(draft.reads_to))
    if not 1 <= window[0] < window[1] <= _MOST_MINUTES:
        faults["reads_to"] = WINDOW
    if faults or expires_on is None:
        raise invalid(faults)
    refuse_expired(draft.lot, expires_on, local(now()).date())
    given = LotGiven(
        name=draft.name,
        lot=draft.lot,
        expires_on=expires_on,
        gtin=draft.gtin or None,
        reads_from_min=window[0],
        reads_to_min=window[1],
        window_source=USUAL if window == _USUAL_MINUTES else "insert",
        source=LotSource.SCANNED if draft.gtin else LotSource.TYPED,
    )
    lab = laboratory()
    return register_lot(session, given, site_id=lab.site_id, by=current().actor, now=now())


_USUAL_MINUTES: Final = (USUAL_WINDOW.opens.seconds // 60, USUAL_WINDOW.closes.seconds // 60)


def _page(draft: KitDraft, *, refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        lots = kit_lots(session, site_id=lab.site_id)
    return render_template(
        "rapid/kits.html",
        draft=draft,
        faults=draft.faults,
        refused=refused,
        lots=lots,
        unnamed=any(draft.gtin and (one.lot, one.gtin) == (draft.lot, draft.gtin) for one in lots),
        same_lot=[
            one.kit
            for one in lots
            if draft.gtin and one.lot == draft.lot and one.source == LotSource.TYPED
        ],
        today=local(now()).date(),
        registers=bool(current().roles & set(DESK)),
        may_recall=bool(current().roles & {Role.REVIEWER, Role.OPERATOR}),
    )


def _back(path: str) -> str:
    return path if path.startswith(ROOT) and "//" not in path else ""


def _day(text: str) -> date | None:
    try:
        return typed_day(text)
    except ValueError:
        return None


def _minutes(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
