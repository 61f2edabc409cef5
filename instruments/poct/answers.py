"""What the observation reviewer says: ACK.R01, REQ.R01, DTV.R01, END.R01 (POCT01-A2, appendix B).

Elements as in the second edition: ACK.type_cd, ACK.ack_control_id, ACK.note_txt and
ACK.error_detail_cd; the error codes 100 to 202 are from memory. Some vendor documents (Sofia's
among them) print `ACK.control_id`; no reader is known to refuse the standard's name.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from xml.sax.saxutils import quoteattr

VERSION: Final = "POCT1"


class Code(StrEnum):
    """ACK.type_cd."""

    ACCEPT = "AA"
    ERROR = "AE"  # not taken: keep it, and send it again


class Detail(StrEnum):
    """ACK.error_detail_cd."""

    SEQUENCE = "100"  # objects not in order, or missing
    INTERNAL = "202"  # ours; nothing is wrong with the message


def acknowledgement(
    control_id: str, code: Code, own: int, now: datetime, *, why: tuple[Detail, str] | None = None
) -> bytes:
    """About the message of this control id ("" when it named none)."""
    fields = [("ACK.type_cd", str(code)), ("ACK.ack_control_id", control_id)]
    if why:
        detail, note = why
        fields += [("ACK.note_txt", note), ("ACK.error_detail_cd", str(detail))]
    return _message("ACK.R01", "ACK", fields, own, now)


def observations_wanted(own: int, now: datetime) -> bytes:
    """Send the observations that nobody has taken yet (`ROBS`)."""
    return _message("REQ.R01", "REQ", [("REQ.request_cd", "ROBS")], own, now)


def continuous_mode(own: int, now: datetime) -> bytes:
    """Stay connected, and send every observation when it is made."""
    return _message("DTV.R01", "DTV", [("DTV.command_cd", "START_CONTINUOUS")], own, now)


def goodbye(own: int, now: datetime) -> bytes:
    """The conversation is over, as it should be (`NRM`)."""
    return _message("END.R01", "TRM", [("TRM.reason_cd", "NRM")], own, now)


def _message(
    kind: str, object_: str, fields: list[tuple[str, str]], own: int, now: datetime
) -> bytes:
    header = [
        ("HDR.control_id", str(own)),
        ("HDR.version_id", VERSION),
        ("HDR.creation_dttm", now.isoformat(timespec="seconds")),
    ]
    return (
        f"<{kind}><HDR>{_written(header)}</HDR><{object_}>{_written(fields)}</{object_}></{kind}>"
    ).encode("ascii", errors="xmlcharrefreplace")


def _written(fields: list[tuple[str, str]]) -> str:
    return "".join(f"<{name} V={quoteattr(value)}/>" for name, value in fields)
