"""The one field of every page: what was scanned decides where to go."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain import barcodes, cards
from lims.domain.asked import asked
from lims.domain.barcodes import candidates
from lims.domain.gs1 import looks_like_kit
from lims.domain.refusals import Misread, OnlyDigits, Refusal, TornCard
from lims.web.access import needs
from lims.web.collect.draft import fresh, with_open_campaign
from lims.web.collect.one import take_scan
from lims.web.language import gettext as _
from lims.web.language import laboratory
from lims.web.rapid.kit_choice import choose_box
from lims.web.search import found, shown
from lims.web.shell import SCANNING, at_a_desk
from lims.work.views import scans
from lims.work.views.scans import Place

blueprint = Blueprint("scan", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.post("/scan")
@needs(*SCANNING)
def scan() -> Answer:
    """A tube opens its page, a plate its run, a card the desk; what nobody knows is said so."""
    text = request.form.get("text", "")
    if looks_like_kit(text) and at_a_desk():
        return choose_box(text) or redirect(url_for("rapid.page"), 303)
    try:
        found = cards.scan(text)
    except Misread as refusal:
        return _misread(refusal), 422
    match found:
        case cards.TubeBarcode(barcode):
            return _tube(barcode)
        case cards.Unrecognised():
            if "|" in text and at_a_desk():
                raise TornCard(where="scan")
            return _typed(text.strip())
        case _:
            return (
                take_scan(text, with_open_campaign(fresh()))
                if at_a_desk()
                else _unknown(_("a person's card"))
            )


def _tube(barcode: str) -> Answer:
    with laboratory().sessions.begin() as session:
        place = scans.place_of(session, barcode, site_id=laboratory().site_id)
    match place:
        case Place.POOL:
            return redirect(url_for("pools.pool", barcode=barcode), 303)
        case Place.TUBE:
            return redirect(url_for("tubes.page", barcode=barcode), 303)
        case Place.NOWHERE:
            return _unknown(barcodes.shown(barcode), tube=barcode)


def _typed(text: str) -> Answer:
    """A plate's barcode, or the twelve digits of a card typed by hand."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        person_id = scans.person_of_number(session, text, site_id=lab.site_id)
        plate = scans.plate_named(session, _plate(text), site_id=lab.site_id)
    if plate:
        return redirect(url_for("runs.run", plate=plate), 303)
    if person_id:
        return redirect(url_for("people.page", person_id=person_id), 303)
    result = found(asked(text))
    return shown(text, result) if result else _unknown(text[:40])


def _plate(text: str) -> str:
    try:
        return barcodes.parse_plate(text)
    except Refusal:
        return ""


def _misread(refusal: Misread) -> str:
    """The tubes that exist one mistake away; else the likeliest misreadings."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        likely = list(candidates(barcodes.normalise(refusal.came)))
        here = scans.those_here(session, likely, site_id=lab.site_id)
    shown = [barcodes.normalise(one) for one in refusal.suggestions]
    return render_template(
        "scan/misread.html",
        came=refusal.came,
        digits=isinstance(refusal, OnlyDigits) and _(refusal.todo),
        here=here,
        likely=[] if here else shown,
    )


def _unknown(came: str, tube: str = "") -> tuple[str, int]:
    page = render_template("scan/unknown.html", came=came, tube=tube, at_a_desk=at_a_desk())
    return page, 404
