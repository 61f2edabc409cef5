"""What can stand between an analyser and the LIMS, each with what a person does about it.

The slugs are stable: they are in dead letters, in `lims-gateway status --json` and in heartbeats.
"""

import errno
import json
from enum import StrEnum
from typing import Final


class Trouble(StrEnum):
    """The line, the folder that keeps what came, the way to the LIMS, one message."""

    NO_DEVICE = "no-device"
    NO_PERMISSION = "no-permission"
    PORT_BUSY = "port-busy"
    LINK_BROKEN = "link-broken"
    FOLDER_AWAY = "folder-away"
    SPOOL_IN_USE = "spool-in-use"
    SPOOL_TOO_NEW = "spool-too-new"
    SPOOL_UNREADABLE = "spool-unreadable"
    DISK_FULL = "disk-full"
    FELL = "fell"
    LIMS_AWAY = "lims-away"
    LIMS_BUSY = "lims-busy"
    LIMS_FAULT = "lims-fault"
    NOT_THE_LIMS = "not-the-lims"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - the name of a trouble
    SCOPE_MISSING = "scope-missing"
    INSTRUMENT_UNKNOWN = "instrument-unknown"
    ORDERS_NOT_TOLD = "orders-not-told"
    TUBE_UNKNOWN = "tube-unknown"
    TOO_LARGE = "too-large"
    CONTENT_CONFLICT = "content-conflict"
    MALFORMED = "malformed"
    DAMAGED_FILE = "damaged-file"
    REFUSED = "refused"


TODO: Final[dict[Trouble, str]] = {
    Trouble.NO_DEVICE: "plug the cable in, or correct the link: `ls -l /dev/serial/by-id`",
    Trouble.NO_PERMISSION: "let the gateway's account use the port:"
    " `usermod -aG dialout ACCOUNT`, then start the gateway again",
    Trouble.PORT_BUSY: "another program holds the port: `fuser -v DEVICE` names it; end it",
    Trouble.LINK_BROKEN: "check the cable or the network to the analyser; it is tried again",
    Trouble.FOLDER_AWAY: "mount the share again, or let the gateway's account read the folder;"
    " files that come meanwhile are taken when it is back",
    Trouble.SPOOL_IN_USE: "another gateway keeps this analyser's folder: stop it, or give this"
    " line another spool",
    Trouble.SPOOL_TOO_NEW: "a newer gateway wrote this folder: install that version or a newer one",
    Trouble.SPOOL_UNREADABLE: "give the gateway's account the folder (owner, mode 0700), or mend"
    " the disk; nothing is acknowledged meanwhile",
    Trouble.DISK_FULL: "make room on the gateway's disk: the analyser hears NAK and keeps its"
    " results until then",
    Trouble.FELL: "the line is started again by itself; send its log to whoever maintains it",
    Trouble.LIMS_AWAY: "check the network to the LIMS; all is kept and posted when it is back",
    Trouble.LIMS_BUSY: "nothing to do: it is posted when the LIMS has time",
    Trouble.LIMS_FAULT: "tell whoever runs the LIMS; then `lims-gateway retry --all`",
    Trouble.NOT_THE_LIMS: "correct the address after `post`: what answers there is not the LIMS",
    Trouble.TOKEN_REFUSED: "put a valid token into the token file (LIMS: Machine tokens); it is"
    " read again by itself",
    Trouble.SCOPE_MISSING: "make a token with the scope `measure` and put it into the token file",
    Trouble.INSTRUMENT_UNKNOWN: "set the instrument up under Administration, Analysers, with"
    " exactly this name; then everything is posted by itself",
    Trouble.ORDERS_NOT_TOLD: "the analyser asked what to measure and could not be told: read the"
    " detail, check `tests` of this line and the way to the LIMS; then scan the tube again",
    Trouble.TUBE_UNKNOWN: "register the tube or attach it, then `lims-gateway retry --all`",
    Trouble.TOO_LARGE: "raise the limit of the LIMS or of the proxy before it, then"
    " `lims-gateway retry --all`",
    Trouble.CONTENT_CONFLICT: "look at the message in the LIMS: it holds another under this digest",
    Trouble.MALFORMED: "bring the gateway and the LIMS to the same version, then"
    " `lims-gateway replay --since` the time of the message",
    Trouble.DAMAGED_FILE: "the journal holds the bytes: `lims-gateway replay --since` the time of"
    " the message",
    Trouble.REFUSED: "read the problem, mend its cause, then `lims-gateway retry --all`",
}

_PARSE_FAULT: Final = (
    "nothing is lost: `lims-gateway quarantine --show DIGEST` shows the bytes; after a driver"
    " update `lims-gateway replay --since` the time of the message"
)
_NOT_WHOLE: Final = "it is not whole: send it again from the analyser, or export the file again"
_CONTRADICTS: Final = (
    "it contradicts itself: send it again from the analyser; if it is still so, correct the names"
    " and wells there first"
)
QUARANTINE_TODO: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            *("broken-off", "no-terminator", "truncated-record", "sequence-gap", "short-row"),
            *("missing-wells", "empty-file", "no-results"),
        ),
        _NOT_WHOLE,
    ),
    **dict.fromkeys(
        (
            *("specimen-mismatch", "well-mismatch", "role-mismatch", "no-run", "two-patients"),
            *("two-plates", "several-plates", "target-twice", "no-specimen"),
        ),
        _CONTRADICTS,
    ),
    "run-not-finished": "wait until the run has ended, then export it again",
    "frame-conflict": "send the message again from the analyser: two frames of one number differed",
    "check-character": "send it again from the analyser; if it still disagrees, somebody typed"
    " the barcode wrongly there: read the tube's label, correct it there and send it again",
    "id-characters": "send it again from the analyser; if the id is still so, it was typed there:"
    " read the tube's label, correct it there and send it again",
    "host-query": "set host_query and tests on this line, or switch host query off at the analyser",
}

_OF_SLUG: Final = {
    "unknown-instrument": Trouble.INSTRUMENT_UNKNOWN,
    "unknown-barcode": Trouble.TUBE_UNKNOWN,
    "unknown-run": Trouble.TUBE_UNKNOWN,
    "wrong-scope": Trouble.SCOPE_MISSING,
}
_OF_STATUS: Final = {
    401: Trouble.TOKEN_REFUSED,
    403: Trouble.SCOPE_MISSING,
    404: Trouble.NOT_THE_LIMS,
    408: Trouble.LIMS_BUSY,
    409: Trouble.CONTENT_CONFLICT,
    413: Trouble.TOO_LARGE,
    422: Trouble.MALFORMED,
    400: Trouble.MALFORMED,
    429: Trouble.LIMS_BUSY,
    502: Trouble.LIMS_AWAY,
    503: Trouble.LIMS_BUSY,
    504: Trouble.LIMS_AWAY,
}
_OF_ERRNO: Final = {
    errno.ENOENT: Trouble.NO_DEVICE,
    errno.ENODEV: Trouble.NO_DEVICE,
    errno.ENXIO: Trouble.NO_DEVICE,
    errno.EACCES: Trouble.NO_PERMISSION,
    errno.EPERM: Trouble.NO_PERMISSION,
    errno.EBUSY: Trouble.PORT_BUSY,
    errno.EAGAIN: Trouble.PORT_BUSY,  # the port's lock is taken
    errno.EADDRINUSE: Trouble.PORT_BUSY,
}
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def of_answer(status: int, problem: str) -> Trouble:
    """Of the LIMS' refusal: the problem's own type says most (RFC 9457), else the status."""
    try:
        kind = str(json.loads(problem)["type"]).removeprefix("/problems/")
    except (ValueError, KeyError, TypeError):
        kind = ""
    if kind in _OF_SLUG:
        return _OF_SLUG[kind]
    if status in (200, 201) or 300 <= status < 400:
        return Trouble.NOT_THE_LIMS
    if status >= 500:
        return _OF_STATUS.get(status, Trouble.LIMS_FAULT)
    return _OF_STATUS.get(status, Trouble.REFUSED)


def of_link(error: BaseException) -> Trouble:
    """Of a line that cannot be opened or broke off."""
    number = error.errno if isinstance(error, OSError) else None
    return _OF_ERRNO.get(number or 0, Trouble.LINK_BROKEN)


def of_disk(error: OSError) -> Trouble:
    return Trouble.DISK_FULL if error.errno in _FULL else Trouble.SPOOL_UNREADABLE


def quarantine_todo(reason: str) -> str:
    return QUARANTINE_TODO.get(reason, _PARSE_FAULT)
