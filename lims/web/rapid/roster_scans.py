"""What a scan on a roster means, and does: a number with its sign, a command, a card, a label."""

from uuid import UUID

from flask import flash, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.gs1 import looks_like_kit
from lims.domain.refusals import NotABarcode, NotFound
from lims.domain.roster_line import Marked, Sign, Start, parse_line
from lims.web.access import current
from lims.web.collect.person_form import chosen_uuid, invalid
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, ngettext, now
from lims.web.rapid.kit_choice import choose_box, chosen_lot, lots_here
from lims.web.rapid.roster_people import Card, person_of_card
from lims.web.transaction import in_transaction
from lims.work.mark_strip import mark_strip
from lims.work.people_together import MemberGiven
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.roster import Added, add_members, take_out
from lims.work.start_strips import Started, StartGiven, start_timer
from lims.work.take_card import CardDid, CardTaken, take_card
from lims.work.views.rosters import RosterSheet, roster_sheet

KIT_FIRST = later("scan the kit's box first")
NOTHING_OWED = later("a label while a positive waits for its PCR tube")
WAIT_FOR_POSITIVE = later("confirm the strips first; a positive then asks for its tube")
UNDERSTOOD = later("a number and its sign, a card, a kit's box or a tube's label")
TYPE_IT = later("type the number and the sign, as 17+ or 17?")


def scanned(roster_id: UUID, text: str) -> Response | None:
    if looks_like_kit(text):
        return choose_box(text)
    match parse_line(text):
        case Start() as said:
            start(roster_id, said)
            return None
        case tuple() as exceptions:
            note(roster_id, exceptions)
            return None
        case None:
            pass
    match cards.scan(text):
        case cards.TubeBarcode(barcode):
            keep_tube(roster_id, barcode, None)
        case cards.Unrecognised():
            raise NotABarcode(came=text[:40], expected=UNDERSTOOD, todo=TYPE_IT)
        case card:
            take(roster_id, card, uuid7())
    return None


def note(roster_id: UUID, said: tuple[Marked, ...]) -> None:
    """All of a line or none of it."""
    site_id = laboratory().site_id

    def work(session: Session) -> None:
        for one in said:
            if one.sign is Sign.ABSENT:
                take_out(session, roster_id, one.position, site_id=site_id)
            else:
                mark_strip(session, roster_id, one, site_id=site_id, now=now())

    in_transaction(work)


def start(roster_id: UUID, said: Start) -> None:
    lab, timer_id = laboratory(), chosen_uuid(request.form, "timer_id") or uuid7()

    def work(session: Session) -> Started:
        lot = chosen_lot(lots_here(session))
        if lot is None:
            raise invalid({"kit": KIT_FIRST})
        given = StartGiven(timer_id, roster_id, lot.lot_id, said.first, said.last)
        return start_timer(session, given, site_id=lab.site_id, by=current().actor, now=now())

    in_transaction(work)


def take(roster_id: UUID, card: Card, add_id: UUID, *, another: bool = False) -> None:
    """A newcomer, or whose number the card itself says; never the first of two namesakes."""
    site_id = laboratory().site_id

    def work(session: Session) -> CardTaken:
        person, at = person_of_card(session, card), now()
        return take_card(
            session, roster_id, person, add_id=add_id, site_id=site_id, now=at, another=another
        )

    taken = in_transaction(work)
    match taken.did:
        case CardDid.ADDED:
            flash(_("Number %(n)s.", n=taken.position), "good")
        case CardDid.KNOWN:
            flash(_("Number %(n)s already.", n=taken.position), "careful")
        case CardDid.MARKED:
            pass


def add(session: Session, roster_id: UUID, members: list[MemberGiven], add_id: UUID) -> Added:
    lab = laboratory()
    return add_members(session, roster_id, members, add_id=add_id, site_id=lab.site_id, now=now())


def say_added(added: Added) -> None:
    if added.fresh == 1:
        flash(_("Number %(n)s.", n=added.positions[-1]), "good")
    else:
        said = ngettext("%(num)s person more.", "%(num)s people more.", added.fresh)
        flash(said, "good" if added.fresh else "careful")


def keep_tube(roster_id: UUID, barcode: str, specimen_id: UUID | None) -> None:
    """To the named positive, else to the first that owes its tube."""
    owed = [one.specimen_id for one in sheet_of(roster_id).positives if one.owes_tube]
    chosen = specimen_id or (owed[0] if owed else None)
    if chosen is None:
        raise NotABarcode(
            came=barcodes.shown(barcode), expected=NOTHING_OWED, todo=WAIT_FOR_POSITIVE
        )
    lab = laboratory()
    in_transaction(
        lambda session: take_pcr_tube(
            session, chosen, barcode, site_id=lab.site_id, by=current().actor, now=now()
        )
    )


def sheet_of(roster_id: UUID) -> RosterSheet:
    lab = laboratory()
    with lab.sessions.begin() as session:
        sheet = roster_sheet(session, roster_id, site_id=lab.site_id)
    if sheet is None:
        raise NotFound(came=str(roster_id), where="rosters")
    return sheet
