"""One person's rapid test: a positive isolates at once, its PCR tube is scanned on the same screen.

The case is told when the reading is kept, not when the tube comes (rapid_pcr.py says why).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.gs1 import looks_like_kit
from lims.domain.rapid_test import USUAL_WINDOW, Exposure, RapidOutcome
from lims.domain.refusals import (
    DifferentBody,
    InvalidBody,
    NotABarcode,
    Refusal,
)
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK
from lims.web.collect.draft import fresh, taken_at, tidy_barcode
from lims.web.collect.one import Answer
from lims.web.collect.person_form import (
    PAST,
    Typed,
    at_home,
    chosen_uuid,
    invalid,
    of_card,
    read_person,
    typed_person,
)
from lims.web.language import laboratory, later, now
from lims.web.rapid.blueprint import blueprint
from lims.web.rapid.kit_choice import choose_box, chosen_lot, keep_lot, lots_here
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.rapid import RapidRead, RapidReading, read_rapid_test
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.views import desk
from lims.work.views import rapid_tests as views

OUTCOME: Final = later("say what the strip shows")
DROP_AT: Final = later("say when the drop fell")
KIT_LOT: Final = later("scan the kit's box first")


@dataclass(frozen=True)
class RapidDraft:
    """One test: whose, with which kit, from when, and what it shows."""

    specimen_id: UUID
    typed: Typed
    kit_lot_id: str = ""
    started_at: str = ""
    read_at: str = ""
    outcome: str = ""
    pcr_barcode: str = ""
    exposure: str = ""
    suspect: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def carried(self) -> dict[str, str]:
        """Hidden fields beside the scan field."""
        said = self.typed | {
            "specimen_id": str(self.specimen_id),
            "kit_lot_id": self.kit_lot_id,
            "started_at": self.started_at,
            "read_at": self.read_at,
            "outcome": self.outcome,
            "pcr_barcode": self.pcr_barcode,
            "exposure": self.exposure,
            "suspect": self.suspect,
        }
        return {name: value for name, value in said.items() if value}


@blueprint.get("")
@needs(*DESK)
def page() -> str:
    """An empty form; the kit lot stays from the last test of this desk."""
    return _page(_fresh(), done=_seen(chosen_uuid(request.args, "done")))


@blueprint.post("/scan")
@needs(*DESK)
def scan() -> Answer:
    """A card fills in the person, a box is the kit, a label the PCR tube of a positive."""
    draft, text = _drafted(), request.form.get("text", "")
    owes = chosen_uuid(request.form, "owes")
    try:
        if looks_like_kit(text):
            return choose_box(text) or _page(replace(draft, kit_lot_id=""), done=_seen(owes))
        return _scanned(draft, text, owes)
    except Refusal as refusal:
        page = _page(draft, refused=told(refusal), done=_seen(owes))
        return page, int(status_of(type(refusal)))


def _scanned(draft: RapidDraft, text: str, owes: UUID | None) -> Answer:
    match cards.scan(text):
        case cards.TubeBarcode(barcode):
            if owes and not draft.outcome:
                return _take_tube(owes, barcode)
            return _page(replace(draft, pcr_barcode=barcodes.shown(barcode)))
        case cards.Unrecognised():
            raise NotABarcode(came=text[:40])
        case found:
            with laboratory().statements() as session:
                read = at_home(session, of_card(found))
            blank = typed_person({}) | {"area": draft.typed["area"]}
            return _page(replace(draft, typed=blank | read))


@blueprint.post("/tube")
@needs(*DESK)
def tube() -> Answer:
    """The PCR tube of the positive on the screen, typed."""
    owes = chosen_uuid(request.form, "owes")
    try:
        barcode = barcodes.parse(request.form.get("barcode", ""))
        return _take_tube(owes or uuid7(), barcode)
    except Refusal as refusal:
        return _page(_fresh(), refused=told(refusal), done=_seen(owes)), int(
            status_of(type(refusal))
        )


@blueprint.post("")
@needs(*DESK)
def save() -> Answer:
    """Keep the reading. Outside the kit's window it is refused."""
    draft = _drafted()
    try:
        receipt = in_transaction(lambda session: _work(session, draft))
    except InvalidBody as refusal:
        return _page(replace(draft, faults=faults_of(refusal)), refused=told(refusal)), 422
    except DifferentBody as refusal:
        return _page(replace(draft, specimen_id=uuid7()), refused=told(refusal)), 409
    except Refusal as refusal:
        return _page(draft, refused=told(refusal)), int(status_of(type(refusal)))
    keep_lot(UUID(draft.kit_lot_id))
    return redirect(url_for("rapid.page", done=receipt.specimen_id), 303)


def _take_tube(specimen_id: UUID, barcode: str) -> Answer:
    lab = laboratory()
    in_transaction(
        lambda session: take_pcr_tube(
            session, specimen_id, barcode, site_id=lab.site_id, by=current().actor, now=now()
        )
    )
    return redirect(url_for("rapid.page", done=specimen_id), 303)


def _seen(specimen_id: UUID | None) -> views.RapidSeen | None:
    if specimen_id is None:
        return None
    with laboratory().sessions.begin() as session:
        return views.rapid_test(session, specimen_id, site_id=laboratory().site_id)


def _work(session: Session, draft: RapidDraft) -> RapidRead:
    faults: dict[str, str] = {}
    before = views.read_before(session, draft.specimen_id)
    started = taken_at(draft.started_at, now())
    read = taken_at(draft.read_at, now()) if draft.read_at else (before or now())
    if started is None:
        faults["started_at"] = PAST if draft.started_at else DROP_AT
    if read is None:
        faults["read_at"] = PAST
    if draft.outcome not in set(RapidOutcome):
        faults["outcome"] = OUTCOME
    lot_id = chosen_uuid({"lot": draft.kit_lot_id}, "lot")
    if lot_id is None:
        faults["kit_lot_id"] = KIT_LOT
    try:
        person = read_person(session, draft.typed)
    except InvalidBody as refusal:
        faults |= faults_of(refusal)
    if faults or started is None or read is None:
        raise invalid(faults)
    positive = draft.outcome == RapidOutcome.POSITIVE
    reading = RapidReading(
        specimen_id=draft.specimen_id,
        started_at=started,
        read_at=read,
        outcome=RapidOutcome(draft.outcome),
        kit_lot_id=lot_id,
        person=person,
        pcr_barcode=barcodes.parse(draft.pcr_barcode) if positive and draft.pcr_barcode else None,
        exposure=Exposure(draft.exposure) if draft.exposure in set(Exposure) else None,
        suspect=True if draft.suspect else None,
    )
    lab = laboratory()
    return read_rapid_test(
        session,
        reading,
        site_id=lab.site_id,
        by=current().actor,
        now=now(),
        tube_may_follow=True,
    )


def _fresh() -> RapidDraft:
    """Nobody's test yet. The drop's time is said, never proposed: the read window rests on it."""
    return RapidDraft(uuid7(), fresh().typed)


def _drafted() -> RapidDraft:
    form = request.form
    return RapidDraft(
        specimen_id=chosen_uuid(form, "specimen_id") or uuid7(),
        typed=typed_person(form),
        kit_lot_id=form.get("kit_lot_id", ""),
        started_at=form.get("started_at", ""),
        read_at=form.get("read_at", ""),
        outcome=form.get("outcome", ""),
        pcr_barcode=tidy_barcode(form.get("pcr_barcode", "")),
        exposure=form.get("exposure", ""),
        suspect=form.get("suspect", ""),
    )


def _page(
    draft: RapidDraft, *, done: views.RapidSeen | None = None, refused: Told | None = None
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        last = views.last_rapid_tests(
            session, site_id=lab.site_id, by=current().actor, since=day_start()
        )
        today = desk.swabbed_today(
            session, site_id=lab.site_id, by=current().actor, since=day_start()
        )
        lots = lots_here(session)
    by_id = {str(lot.lot_id): lot for lot in lots}
    lot = by_id.get(draft.kit_lot_id) or chosen_lot(lots)
    window = lot.window if lot else USUAL_WINDOW
    return render_template(
        "rapid/one.html",
        lot=lot,
        lots=lots,
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        done=done,
        refused=refused,
        last=last,
        today=today,
        opens=_minutes(window.opens),
        closes=_minutes(window.closes),
    )


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
