"""What is said of a gateway's line: its state, what is in the way, who goes where about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lims.domain.gateways import LineState
from lims.web.language import later


class Place(Enum):
    """Where somebody has to go."""

    ANALYSER = later("At the analyser")
    BOX = later("At the gateway's box")
    HERE = later("In this system")


@dataclass(frozen=True, slots=True)
class Look:
    """A state's word, its sign, and which of the house's colours it has."""

    word: str
    sign: str
    colour: str


@dataclass(frozen=True, slots=True)
class Way:
    """What is in the way, and what somebody does about it. ``place`` None: it passes by itself."""

    said: str
    place: Place | None = None


# Worst first: so the lines are shown.
STATES: Final[Mapping[LineState, Look]] = {
    LineState.UNREADABLE: Look(later("Cannot keep results"), "!", "positive"),
    LineState.UNPLUGGED: Look(later("No line to the analyser"), "×", "positive"),
    LineState.QUEUEING: Look(later("Queueing"), "⇡", "preliminary"),
    LineState.SILENT: Look(later("Silent"), "…", "waiting"),
    LineState.UP: Look(later("Working"), "✓", "negative"),
}
DOWN: Final = Look(later("Gateway not answering"), "×", "positive")
UNKNOWN: Final = Look(later("State not known"), "?", "waiting")  # its gateway does not answer
SET_ASIDE: Final = Look(later("Messages set aside"), "!", "positive")
NOT_SET_UP: Final = Look(later("Not set up here"), "!", "preliminary")
TWICE: Final = Look(later("Two gateways, one analyser"), "!", "preliminary")

CLOCK: Final = Look(later("Its clock is ahead"), "!", "preliminary")
ANALYSER_CLOCK: Final = Look(later("Its clock is wrong"), "!", "preliminary")

DOWN_WAY: Final = Way(
    later("Is the box on, and on the network? Does lims-gateway run, is its token still valid?"),
    Place.BOX,
)
SET_ASIDE_WAY: Final = Way(
    later("“lims-gateway status” says why and what to do; “lims-gateway retry --all” sends again."),
    Place.BOX,
)
TWICE_WAY: Final = Way(
    later("Two gateways speak for an analyser of this name: rename one."), Place.BOX
)
CLOCK_WAY: Final = Way(later("Set the clock of the box: it says when results came."), Place.BOX)
ANALYSER_CLOCK_WAY: Final = Way(
    later(
        "Set the analyser's clock. Results keep the order in which they came here; the next message"
        " clears this. If it sent what it had kept back, its clock may be right."
    ),
    Place.ANALYSER,
)
SILENT_WAY: Final = Way(
    later("Nothing comes over the open line: normal at rest. If it has run, see its host settings.")
)
UNKNOWN_TROUBLE: Final = Place.BOX  # only a newer gateway knows it

_SEND_AGAIN: Final = later("It is not whole: send it again from the analyser.")
_SET_RIGHT: Final = later(
    "It contradicts itself: correct names and wells at the analyser, then send it again."
)
_MISREAD: Final = later(
    "An id does not agree with itself: send it again. If it is still so, the barcode was typed"
    " wrongly there: read the tube's label and correct it at the analyser."
)
_ASKED: Final = later(
    "The analyser asked what to measure: set host_query on its line, or switch its host query off."
)
_NEW_DRIVER: Final = later(
    "The gateway's driver does not know this: send its bytes to whoever keeps the gateway."
)
_UNREAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("broken-off", "frame-conflict", "no-terminator", "truncated-record", "sequence-gap"),
            *("short-row", "missing-wells", "run-not-finished", "empty-file", "no-results"),
        ),
        _SEND_AGAIN,
    ),
    **dict.fromkeys(
        (
            *("specimen-mismatch", "well-mismatch", "role-mismatch", "no-run"),
            *("two-patients", "two-plates", "several-plates", "target-twice", "no-specimen"),
            *("another-instrument", "unknown-control", "unknown-task"),
        ),
        _SET_RIGHT,
    ),
    **dict.fromkeys(("check-character", "id-characters"), _MISREAD),
    "host-query": _ASKED,
}


def unread_todo(reason: str | None) -> str:
    """What somebody does about a message that could not be read for this reason."""
    return _UNREAD.get(reason or "", _NEW_DRIVER)


TROUBLES: Final[Mapping[str, Way]] = {
    "no-device": Way(
        later("The cable is out: plug it in at the analyser and at the gateway's box."),
        Place.ANALYSER,
    ),
    "no-permission": Way(
        later("The gateway may not use the port: add its account to the group dialout."), Place.BOX
    ),
    "port-busy": Way(later("Another program holds the port: end it."), Place.BOX),
    "link-broken": Way(
        later("The analyser does not answer: is it on, are its cable and network plugged in?"),
        Place.ANALYSER,
    ),
    "folder-away": Way(
        later("The folder of its exports is away: is its computer on, is the share mounted?"),
        Place.ANALYSER,
    ),
    "spool-in-use": Way(
        later("Another gateway keeps this analyser's folder: stop one of the two."), Place.BOX
    ),
    "spool-too-new": Way(
        later("A newer gateway wrote this folder: install that version."), Place.BOX
    ),
    "spool-unreadable": Way(
        later("The gateway cannot use its folder: check its owner and the disk."), Place.BOX
    ),
    "disk-full": Way(
        later("The gateway's disk is full: make room. The analyser keeps its results."), Place.BOX
    ),
    "fell": Way(
        later("The line broke down and is started again; send the gateway's log for repair."),
        Place.BOX,
    ),
    "lims-away": Way(later("The gateway did not reach us; it posts what it keeps by itself.")),
    "lims-busy": Way(later("We had no time; the gateway posts again by itself.")),
    "lims-fault": Way(later("We failed on a message; tell whoever runs this system."), Place.HERE),
    "not-the-lims": Way(later("The gateway's address for posting is wrong."), Place.BOX),
    "token-refused": Way(
        later("The gateway's token is not valid: make one and put it in its file."), Place.HERE
    ),
    "scope-missing": Way(later("The gateway's token lacks the scope “measure”."), Place.HERE),
    "instrument-unknown": Way(
        later("This analyser is not set up here: add it under this very name."), Place.HERE
    ),
    "orders-not-told": Way(
        later("It asked for orders and could not be told: check “tests” of its line, scan again."),
        Place.BOX,
    ),
}
