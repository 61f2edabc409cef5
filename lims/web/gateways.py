"""The gateways beside the analysers: which of them speak, what waits there, what is in the way."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Blueprint, render_template

from lims.domain.gateways import LineState
from lims.web.access import current, needs
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.work.access import Role
from lims.work.views import review_messages
from lims.work.views.gateways import Gateway, Line, gateways

blueprint = Blueprint("gateways", __name__)

LOOKING: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR, Role.ADMIN)
READING: Final = frozenset({Role.REVIEWER, Role.OPERATOR})  # may open the bytes of a message
SETTING_UP: Final = frozenset({Role.ADMIN, Role.OPERATOR})
UNREAD_FOR: Final = timedelta(days=7)

# State, its sign, and which of the house's colours it has.
_STATES: Final[Mapping[LineState, tuple[str, str, str]]] = {
    LineState.UP: (later("Working"), "✓", "negative"),
    LineState.SILENT: (later("Silent"), "…", "waiting"),
    LineState.QUEUEING: (later("Queueing"), "⇡", "preliminary"),
    LineState.UNPLUGGED: (later("No line to the analyser"), "×", "positive"),
    LineState.UNREADABLE: (later("Cannot keep results"), "!", "positive"),
}
_DOWN: Final = (later("Gateway not answering"), "×", "positive")

# What is in the way, and what somebody in the laboratory does about it.
TROUBLES: Final[Mapping[str, str]] = {
    "no-device": later("The cable is not plugged in, or the port has another name."),
    "no-permission": later("The gateway's account may not use the port: add it to dialout."),
    "port-busy": later("Another program holds the port."),
    "link-broken": later("The analyser does not answer: check the cable or the network."),
    "folder-away": later("The watched folder cannot be read: mount the share again."),
    "spool-in-use": later("Another gateway keeps this analyser's folder: stop one of the two."),
    "spool-too-new": later("A newer gateway wrote this folder: install that version."),
    "spool-unreadable": later("The gateway cannot use its folder: check its owner and the disk."),
    "disk-full": later("The gateway's disk is full: make room. The analyser keeps its results."),
    "fell": later("The line broke down and is started again; send the gateway's log for repair."),
    "lims-away": later("The gateway did not reach us; it posts what it keeps by itself."),
    "lims-busy": later("We had no time; the gateway posts again by itself."),
    "lims-fault": later("We failed on a message; tell whoever runs this system."),
    "not-the-lims": later("The gateway's address for posting is wrong."),
    "token-refused": later("The gateway's token is not valid: make one and put it in its file."),
    "scope-missing": later("The gateway's token lacks the scope “measure”."),
    "instrument-unknown": later("This analyser is not set up here: add it under this very name."),
}


@blueprint.get("/gateways")
@needs(*LOOKING)
def page() -> str:
    """Every gateway's lines, the worst in colour, and the messages that nobody could read."""
    lab, moment, mine = laboratory(), now(), current().roles
    with lab.sessions.begin() as session:
        found = gateways(session, site_id=lab.site_id, now=moment)
        unread = review_messages.unread(session, site_id=lab.site_id, since=moment - UNREAD_FOR)
    lines = [line for gateway in found for line in gateway.lines]
    return render_template(
        "gateways/page.html",
        gateways=found,
        unread=unread,
        waiting=sum(line.waiting for line in lines),
        dead=sum(line.dead for line in lines),
        broken=sum(_shown(gateway, line)[2] == "positive" for gateway, line in _pairs(found)),
        state_of=_shown,
        trouble_of=_trouble,
        may_read=bool(mine & READING),
        may_set_up=bool(mine & SETTING_UP),
    )


def _pairs(found: tuple[Gateway, ...]) -> list[tuple[Gateway, Line]]:
    return [(gateway, line) for gateway in found for line in gateway.lines]


def _shown(gateway: Gateway, line: Line) -> tuple[str, str, str]:
    """Word, sign and colour of a line; what a gateway said last counts only while it speaks."""
    word, sign, colour = _DOWN if gateway.down else _STATES[line.state]
    return _(word), sign, colour


def _trouble(line: Line) -> str | None:
    """In words; a slug that only a newer gateway knows as it came."""
    if line.trouble is None:
        return None
    return _(TROUBLES[line.trouble]) if line.trouble in TROUBLES else line.trouble
