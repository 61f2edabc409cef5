"""A rapid antigen test read at the desk; a positive isolates at once and asks for a PCR tube."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.rapid_test import USUAL_WINDOW, RapidOutcome
from lims.domain.refusals import (
    DifferentBody,
    InvalidBody,
    NotABarcode,
    Refusal,
    WrongCheckCharacter,
)
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.collect.draft import fresh, taken_at, tidy_barcode
from lims.web.collect.one import Answer
from lims.web.collect.person_form import (
    PAST,
    Typed,
    chosen_uuid,
    invalid,
    of_card,
    read_person,
    typed_person,
)
from lims.web.language import laboratory, later, local, now
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.rapid import RapidRead, RapidReading, read_rapid_test
from lims.work.views import desk
from lims.work.views import rapid_tests as views

OUTCOME: Final = later("say what the strip shows")
KIT_LOT: Final = later("the lot on the kit's box")
PCR_TUBE: Final = later("a positive asks for a PCR tube: scan its label")
_LONGEST_LOT: Final = 60


@dataclass(frozen=True)
class RapidDraft:
    """One test: whose, with which kit, from when, and what it shows."""

    specimen_id: UUID
    typed: Typed
    kit_lot: str = ""
    started_at: str = ""
    read_at: str = ""
    outcome: str = ""
    pcr_barcode: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def carried(self) -> dict[str, str]:
        """Hidden fields beside the scan field."""
        said = self.typed | {
            "specimen_id": str(self.specimen_id),
            "kit_lot": self.kit_lot,
            "started_at": self.started_at,
            "read_at": self.read_at,
            "outcome": self.outcome,
            "pcr_barcode": self.pcr_barcode,
        }
        return {name: value for name, value in said.items() if value}


@blueprint.get("/rapid")
@needs(*DESK)
def rapid() -> str:
    """An empty form; the kit lot stays from the last test of this desk."""
    done = chosen_uuid(request.args, "done")
    with laboratory().sessions.begin() as session:
        read = views.rapid_test(session, done, site_id=laboratory().site_id) if done else None
    return _page(_fresh(), done=read)


@blueprint.post("/rapid/scan")
@needs(*DESK)
def scan_rapid() -> Answer:
    """A card fills in the person, a label is the PCR tube of a positive."""
    draft, text = _drafted(), request.form.get("text", "")
    try:
        found = cards.scan(text)
    except WrongCheckCharacter as refusal:
        return _page(draft, refused=told(refusal)), 422
    match found:
        case cards.TubeBarcode(barcode):
            return _page(replace(draft, pcr_barcode=barcodes.shown(barcode)))
        case cards.Unrecognised():
            return _page(draft, refused=told(NotABarcode(came=text[:40]))), 422
        case _:
            blank = typed_person({}) | {"area": draft.typed["area"]}
            return _page(replace(draft, typed=blank | of_card(found)))


@blueprint.post("/rapid")
@needs(*DESK)
def save_rapid() -> Answer:
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
    cookie["kit_lot"] = draft.kit_lot
    return redirect(url_for("collect.rapid", done=receipt.specimen_id), 303)


def _work(session: Session, draft: RapidDraft) -> RapidRead:
    faults: dict[str, str] = {}
    before = views.read_before(session, draft.specimen_id)
    started = taken_at(draft.started_at, now())
    read = taken_at(draft.read_at, now()) if draft.read_at else (before or now())
    if started is None:
        faults["started_at"] = PAST
    if read is None:
        faults["read_at"] = PAST
    if draft.outcome not in set(RapidOutcome):
        faults["outcome"] = OUTCOME
    if not 1 <= len(draft.kit_lot) <= _LONGEST_LOT:
        faults["kit_lot"] = KIT_LOT
    if draft.outcome == RapidOutcome.POSITIVE and not draft.pcr_barcode:
        faults["pcr_barcode"] = PCR_TUBE
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
        kit_lot=draft.kit_lot,
        person=person,
        pcr_barcode=barcodes.parse(draft.pcr_barcode) if positive else None,
    )
    lab = laboratory()
    return read_rapid_test(session, reading, site_id=lab.site_id, by=current().actor, now=now())


def _fresh() -> RapidDraft:
    started = now() - USUAL_WINDOW.opens
    return RapidDraft(
        uuid7(),
        fresh().typed,
        kit_lot=str(cookie.get("kit_lot", "")),
        started_at=_clock(started),
    )


def _drafted() -> RapidDraft:
    form = request.form
    return RapidDraft(
        specimen_id=chosen_uuid(form, "specimen_id") or uuid7(),
        typed=typed_person(form),
        kit_lot=form.get("kit_lot", "").strip(),
        started_at=form.get("started_at", ""),
        read_at=form.get("read_at", ""),
        outcome=form.get("outcome", ""),
        pcr_barcode=tidy_barcode(form.get("pcr_barcode", "")),
    )


def _clock(at: datetime) -> str:
    """As a `datetime-local` field wants it: the site's wall clock without a zone."""
    return local(at).replace(tzinfo=None).isoformat(timespec="minutes")


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
    return render_template(
        "collect/rapid.html",
        draft=draft,
        typed=draft.typed,
        faults=draft.faults,
        done=done,
        refused=refused,
        last=last,
        today=today,
        opens=_minutes(USUAL_WINDOW.opens),
        closes=_minutes(USUAL_WINDOW.closes),
    )


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
