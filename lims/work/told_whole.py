"""Set aside what came of a message that broke off, once the whole message has come (S12).

A cartridge and a rapid test know no run that could hold what was said of them; of a message that
broke off they wait among the unmatched, and one without any closed order among the unread. The
whole message says all of it again, and that is what counts: nothing of the part needs a person.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.broken_off import BROKEN_OFF, is_beginning
from instruments.measurement import Capture
from lims.work.match import content_of

REACH: Final = timedelta(days=7)  # an analyser sends its memory again within days or never
TOLD_WHOLE: Final = "the whole message came"


def set_parts_aside(
    session: Session, capture: Capture, instrument_id: UUID, *, now: datetime
) -> None:
    """Of the same analyser: a part that the whole message begins with, and a measurement that it
    repeats with the analyser's own time (a sender may send all anew, under another header)."""
    parts = session.execute(
        _PARTS,
        {"instrument": instrument_id, "since": now - REACH, "reasons": sorted(BROKEN_OFF)},
    ).all()
    begun = {part.id for part in parts if is_beginning(bytes(part.body), capture.raw)}
    if begun:
        session.execute(_NOT_UNREAD, {"messages": sorted(begun)})
    held = [part.id for part in parts if part.state == "held"]
    if not held:
        return
    said = {(content_of(m), m.measured_at) for m in capture.measurements}
    again = [
        row.id
        for row in session.execute(_UNMATCHED, {"messages": held})
        if row.message_id in begun
        or (row.measured_text is not None and (row.content, row.measured_text) in said)
    ]
    if again:
        session.execute(_SET_ASIDE, {"measurements": again, "why": TOLD_WHOLE})


def set_late_part_aside(
    session: Session,
    capture: Capture,
    message_id: UUID,
    instrument_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> None:
    """The part comes after the whole where a journal is told again and only a newer driver reads
    it: nothing of it waits then."""
    opening = capture.raw[: capture.raw.find(b"\r") + 1]
    wholes = session.execute(
        _WHOLES,
        {
            "site": site_id,
            "instrument": instrument_id,
            "since": now - REACH,
            "message": message_id,
            "opening": opening,
            "size": len(opening),
        },
    )
    if any(is_beginning(capture.raw, bytes(whole.body)) for whole in wholes):
        session.execute(_SET_ALL_ASIDE, {"message": message_id, "why": TOLD_WHOLE})


_PARTS = text("""
SELECT id, body, state FROM raw_message p
WHERE instrument_id = :instrument AND stored_at >= :since AND state IN ('held', 'quarantined')
  AND (state = 'held' AND EXISTS (SELECT FROM measurement m
                                  WHERE m.message_id = p.id AND m.standing = 'unmatched')
       OR state = 'quarantined' AND reason = ANY(:reasons))
""")

_WHOLES = text("""
SELECT body FROM raw_message
WHERE site_id = :site AND stored_at >= :since AND instrument_id = :instrument
  AND id <> :message AND state = 'accepted' AND substring(body FROM 1 FOR :size) = :opening
""")

_NOT_UNREAD = text("""
UPDATE raw_message SET state = 'held', reason = 'incomplete'
WHERE id = ANY(:messages) AND state = 'quarantined'
""")

_UNMATCHED = text("""
SELECT id, message_id, content, measured_text FROM measurement
WHERE message_id = ANY(:messages) AND standing = 'unmatched' ORDER BY id FOR NO KEY UPDATE
""")

_SET_ASIDE = text("""
UPDATE measurement SET standing = 'dismissed', why = :why WHERE id = ANY(:measurements)
""")

_SET_ALL_ASIDE = text("""
UPDATE measurement SET standing = 'dismissed', why = :why
WHERE message_id = :message AND standing = 'unmatched'
""")
