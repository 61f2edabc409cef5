"""Command cards act wherever something is scanned: the same card, the same deed, on every page."""

from collections.abc import Mapping
from typing import Final

from flask import Flask, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lims.domain.commands import Command, command_of
from lims.web.collect.one import take_back_here
from lims.web.language import gettext as _
from lims.web.language import later
from lims.web.shell import at_a_desk

# What stands on each card.
CARD_WORDS: Final[Mapping[Command, tuple[str, str]]] = {
    Command.UNDO: (later("Undo"), later("Takes back the last scan or the last registration.")),
    Command.CLOSE: (
        later("Close the tube"),
        later("Registers the household's tube; makes the pool."),
    ),
    Command.ONE: (later("One person"), later("Each person in a tube of their own.")),
    Command.HOUSEHOLD: (
        later("New household"),
        later("Closes the open tube and starts one for several people."),
    ),
    Command.RAPID: (later("Rapid test"), later("Read a rapid test at the desk.")),
    Command.RECEIVE: (later("Receive tubes"), later("At the laboratory's door.")),
    Command.POOL: (later("Make a pool"), later("Put received tubes together.")),
}
_GO: Final = {
    Command.ONE: "collect.page",
    Command.HOUSEHOLD: "collect.field_pool",
    Command.RAPID: "rapid.page",
    Command.RECEIVE: "receive.page",
    Command.POOL: "pools.new",
}
# Each scanning page, and where it starts again.
_SCANNING: Final = {
    "scan.scan": "home.page",
    "collect.scan": "collect.page",
    "collect.scan_member": "collect.field_pool",
    "rapid.scan": "rapid.page",
    "rapid.scan_roster": "rapid.page",
    "receive.scan": "receive.page",
    "pools.scan": "pools.new",
}


def init_app(app: Flask) -> None:
    """Look at each scan before its page does; the page's own guard has let it in already."""
    app.before_request(_obey)


def _obey() -> Response | str | tuple[str, int] | None:
    if request.method != "POST" or request.endpoint not in _SCANNING or not at_a_desk():
        return None
    command = command_of(request.form.get("text", ""))
    if command is None or _open_here(command):
        return None  # an open tube or pool is that page's own business
    if command in _GO:
        return redirect(url_for(_GO[command]), 303)
    here = _SCANNING[request.endpoint]
    if command is Command.CLOSE or (here == "pools.new" and not request.form.get("barcode")):
        flash(_("No tube is open here; nothing was changed."), "careful")
        return redirect(url_for(here), 303)
    if _half_scanned():
        flash(_("The half-finished scan was dropped."), "careful")
        return redirect(url_for(here), 303)
    return take_back_here()


def _open_here(command: Command) -> bool:
    """Whether somebody is in the tube or the pool; a pool with only its label is there to close."""
    form = request.form
    labelled = request.endpoint == "pools.scan" and bool(form.get("barcode"))
    return bool(
        form.getlist("member") or form.getlist("source") or (labelled and command is Command.CLOSE)
    )


def _half_scanned() -> bool:
    """A card without its tube, or a tube without its card, is what undo takes back first."""
    return any(request.form.get(name) for name in ("barcode", "name", "national_id"))
