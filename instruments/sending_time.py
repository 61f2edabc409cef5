"""When a message says it was sent: its header's own time, by the instrument's clock.

H.14 (LIS2-A2 6.14), MSH-7 (HL7 v2.5.1, 2.15.9.7), HDR.creation_dttm (POCT1-A2). A result may be
hours old when it is sent, so this and not the time of measuring tells how far a clock is off.
"""

from instruments.astm import records
from instruments.drivers.reading import iso_time
from instruments.hl7 import message as hl7
from instruments.hl7.results import hl7_time
from instruments.poct import message as poct1


def sent_at(message: object) -> str | None:
    """ISO 8601, with a zone only where one was sent. None where the header does not say, and for
    what has no header. A resumed message was sent when its tail was."""
    match message:
        case records.Message():
            header = message.resumed_by or message.header
            return iso_time(header.text(14)) if header else None
        case hl7.Message():
            return hl7_time(message.header.value(7))
        case poct1.Message():
            return poct1.poct_time(message.root.value("HDR.creation_dttm"))
        case _:
            return None
