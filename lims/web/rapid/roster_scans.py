"""What a scan on a roster means, and does: a number with its sign, a command, a card, a label."""

import re
from typing import Final
from uuid import UUID

from flask import flash, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes, cards
from lims.domain.gs1 import looks_like_kit
from lims.domain.refusals import NotABarcode
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
from lims.work.roster import Added, add_members, take_out
from lims.work.roster_tube import TubeTaken, take_roster_tube
from lims.work.start_strips import Started, StartGiven, start_timer
from lims.work.take_card import CardDid, CardTaken, take_card

KIT_FIRST = later("scan the kit's box first")
UNDERSTOOD = later("a number and its sign, a card, a kit's box or a tube's label")
_NUMBERED: Final = re.compile(r"(\d{1,3})\s+(\S.*)", re.ASCII)
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
            keep_tube(roster_id, barcode)
        case cards.Unrecognised():
            numbered = _of_number(text)
            if numbered is not None:
                keep_tube(roster_id, numbered[1], position=numbered[0])
                return None
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


def keep_tube(
    roster_id: UUID, barcode: str, *, position: int | None = None, specimen_id: UUID | None = None
) -> None:
    """The PCR tube of the positive that is named, or of the only one that owes it."""
    lab = laboratory()

    def work(session: Session) -> TubeTaken:
        return take_roster_tube(
            session,
            roster_id,
            barcode,
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
            position=position,
            specimen_id=specimen_id,
        )

    taken = in_transaction(work)
    tube, n, name = barcodes.shown(barcode), taken.position, taken.name
    flash(_("PCR tube %(tube)s: number %(n)s, %(name)s.", tube=tube, n=n, name=name), "good")


def _of_number(text: str) -> tuple[int, str] | None:
    """`17 TT7K…`: a number, and the label of its tube."""
    found = _NUMBERED.fullmatch(text.strip())
    if found is None:
        return None
    label = cards.scan(found[2])
    return (int(found[1]), label.barcode) if isinstance(label, cards.TubeBarcode) else None
