"""Racks at the door: a list of what should come, a scan for what does, a sheet of what did not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.days import day_of
from lims.domain.rack_list import RackRead, read_rack_list
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, ngettext, now
from lims.web.refusing import faults_of
from lims.web.shell import day_start
from lims.web.transaction import in_transaction
from lims.work.access import Role
from lims.work.racks import (
    Consignment,
    RackRequest,
    RackScanned,
    close_rack,
    open_rack,
    scan_rack,
)
from lims.work.views import racks
from lims.work.views.racks import SURPLUS, Outgoing, Standing

blueprint = Blueprint("racks", __name__, url_prefix="/receive/racks")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
Answer = Response | tuple[str, int]
_OUT_SINCE: Final = timedelta(days=7)
_SHOWN: Final = 60

STANDINGS: Final = {
    Standing.HERE: later("here"),
    Standing.CAME_APART: later("came another way"),
    Standing.MISSING: later("missing"),
    Standing.UNLISTED: later("surplus: on no list"),
    Standing.OTHER_RACK: later("surplus: of another rack"),
    Standing.RECEIVED_BEFORE: later("surplus: received before"),
    Standing.UNREGISTERED: later("not registered"),
    Standing.REJECTED: later("rejected before"),
}
SIGNS: Final = {
    Standing.HERE: "negative",
    Standing.CAME_APART: "negative",
    Standing.MISSING: "waiting",
    Standing.UNLISTED: "preliminary",
    Standing.OTHER_RACK: "preliminary",
    Standing.RECEIVED_BEFORE: "preliminary",
    Standing.UNREGISTERED: "positive",
    Standing.REJECTED: "positive",
}
NEXT_STEPS: Final = {
    Standing.HERE: later("Back into the rack; scan the next one"),
    Standing.CAME_APART: later("Back into the rack; scan the next one"),
    Standing.UNLISTED: later("Received. Tell the sender that the list lacks it"),
    Standing.OTHER_RACK: later("Received. Put it with the rack it belongs to"),
    Standing.RECEIVED_BEFORE: later("Put it back where it was"),
    Standing.UNREGISTERED: later("Set it aside until somebody registers it"),
    Standing.REJECTED: later("Set it aside"),
}


@blueprint.get("")
@needs(*BENCH)
def page() -> str:
    """What desks have sent, and the racks of the last two days."""
    return _list_page({})


@blueprint.post("")
@needs(*BENCH)
def open_one() -> Answer:
    """A rack with its list: a desk's day, pasted barcodes, both or none."""
    form, lab = request.form, laboratory()
    wanted = RackRequest(
        chosen_uuid(form, "rack_id") or uuid7(),
        form.get("sender", ""),
        _consignment(form.get("consignment", "")),
        tuple(read.text for read in read_rack_list(form.get("list", "")).reads),
    )
    try:
        rack_id = in_transaction(
            lambda s: open_rack(s, wanted, site_id=lab.site_id, by=current().actor, now=now())[0].id
        )
    except Refusal as refusal:
        typed, faults = form.to_dict(), {}
        if isinstance(refusal, InvalidBody):
            faults = faults_of(refusal)
        if "sender" in faults:
            typed.pop("sender", None)  # a scanned card is not written back
        status = int(status_of(type(refusal)))
        return _list_page(typed, told(refusal), faults), status
    return redirect(url_for("racks.rack", rack_id=rack_id), 303)


@blueprint.get("/<uuid:rack_id>")
@needs(*BENCH)
def rack(rack_id: UUID) -> str:
    """Expected, here, missing, surplus; printed, it is the sheet for the sender."""
    return _rack_page(rack_id, last=request.args.get("last"))


@blueprint.post("/<uuid:rack_id>/scan")
@needs(*BENCH)
def scan(rack_id: UUID) -> Answer:
    """One tube out of the rack."""
    text = request.form.get("text", "")
    try:
        said = _scanned(rack_id, (RackRead(text),))
        for _read, refusal in said.unreadable:
            raise refusal
    except Refusal as refusal:
        return _rack_page(rack_id, refused=told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("racks.rack", rack_id=rack_id, last=barcodes.normalise(text)), 303)


@blueprint.post("/<uuid:rack_id>/list")
@needs(*BENCH)
def scan_list(rack_id: UUID) -> Answer:
    """What a rack scanner read at once: positions and barcodes."""
    read = read_rack_list(request.form.get("list", ""))
    try:
        said = _scanned(rack_id, read.reads)
    except Refusal as refusal:
        return _rack_page(rack_id, refused=told(refusal)), int(status_of(type(refusal)))
    taken = len(said.scans)
    flash(ngettext("%(num)s tube was read.", "%(num)s tubes were read.", taken), "good")
    unread = [*read.unread, *(one.position or one.text for one, _refusal in said.unreadable)]
    if unread:
        places = ", ".join(unread)[:600]
        flash(_("Not read, scan these by hand: %(places)s", places=places), "careful")
    return redirect(url_for("racks.rack", rack_id=rack_id), 303)


@blueprint.post("/<uuid:rack_id>/close")
@needs(*BENCH)
def close(rack_id: UUID) -> Response:
    """Who closed it, when, and what was missing then."""
    lab = laboratory()
    in_transaction(
        lambda s: close_rack(s, rack_id, site_id=lab.site_id, by=current().actor, now=now())
    )
    return redirect(url_for("racks.rack", rack_id=rack_id), 303)


def _scanned(rack_id: UUID, reads: tuple[RackRead, ...]) -> RackScanned:
    lab = laboratory()
    return in_transaction(
        lambda s: scan_rack(s, rack_id, reads, site_id=lab.site_id, by=current().actor, now=now())
    )


def _consignment(chosen: str) -> Consignment | None:
    """As the list's buttons write it: day, campaign, desk."""
    day, _sep, rest = chosen.partition(" ")
    campaign, _sep, by = rest.partition(" ")
    try:
        since = datetime.fromisoformat(day)
        day_of(since.date().isoformat())
        return Consignment(
            by, UUID(campaign) if campaign != "-" else None, since, since + timedelta(days=1)
        )
    except ValueError:
        return None


def _written(group: Outgoing) -> str:
    return f"{group.day.isoformat()} {group.campaign_id or '-'} {group.by}"


def _list_page(
    typed: Mapping[str, str],
    refused: Told | None = None,
    faults: Mapping[str, str] = MappingProxyType({}),
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        groups = racks.outgoing(
            session, site_id=lab.site_id, since=now() - _OUT_SINCE, zone=lab.timezone
        )
        known = racks.racks(session, site_id=lab.site_id, since=day_start() - timedelta(days=1))
    return render_template(
        "racks/list.html",
        groups=[(_written(group), group) for group in groups],
        open_racks=[one for one in known if one.closed_at is None],
        closed_racks=[one for one in known if one.closed_at is not None],
        typed=typed,
        rack_id=typed.get("rack_id") or uuid7(),
        refused=refused,
        faults=faults,
    )


def _rack_page(rack_id: UUID, *, last: str | None = None, refused: Told | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        shown = racks.rack_page(session, rack_id, site_id=lab.site_id)
    here = shown.standing(Standing.HERE, Standing.CAME_APART)
    return render_template(
        "racks/rack.html",
        rack=shown.head,
        missing=shown.standing(Standing.MISSING),
        surplus=shown.standing(*SURPLUS),
        here=here[:_SHOWN],
        more_here=max(len(here) - _SHOWN, 0),
        missed=[line for line in shown.lines if line.missing],
        last=next((line for line in shown.lines if last and line.barcode == last), None),
        refused=refused,
        standing_word=lambda standing: _(STANDINGS[standing]),
        next_step=lambda standing: _(NEXT_STEPS.get(standing, "")),
        signs=SIGNS,
    )
