"""Set aside what came of a message that broke off, once the whole message has come (S12).

A cartridge and a rapid test know no run that could hold what was said of them; of a message that
broke off they wait among the unmatched, and one without any closed order among the unread. The
whole message says all of it again, and that is what counts: nothing of the part needs a person.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.broken_off import BROKEN_OFF, is_beginning
from instruments.measurement import Capture
from lims.work.match import content_of

REACH: Final = timedelta(days=7)  # an analyser sends its memory again within days or never
MOST: Final = 50  # messages of one opening that are compared, the newest: a storm has thousands
TOLD_WHOLE: Final = "the whole message came"


def set_parts_aside(
    session: Session, capture: Capture, instrument_id: UUID, *, now: datetime
) -> None:
    """Of the same analyser: a part that the whole message begins with, and a measurement that it
    repeats with the analyser's own time (a sender may send all anew, under another header)."""
    lately = {"instrument": instrument_id, "since": now - REACH}
    parts = session.execute(
        PARTS,
        {
            **lately,
            "openings": [sha256(_opening(capture.raw)).digest(), _NO_RECORD],
            "reasons": sorted(BROKEN_OFF),
            "most": MOST,
        },
    )
    begun = sorted(part.id for part in parts if is_beginning(bytes(part.body), capture.raw))
    if begun:
        session.execute(_NOT_UNREAD, {"messages": begun})
        session.execute(_SET_ALL_ASIDE, {"messages": begun, "why": TOLD_WHOLE})
    said = [m for m in capture.measurements if m.measured_at is not None]
    if said:
        again = session.execute(
            SAID_AGAIN,
            {
                **lately,
                "specimens": [",".join(m.specimens) for m in said],
                "contents": [content_of(m) for m in said],
                "times": [m.measured_at for m in said],
            },
        )
        session.execute(_SET_ASIDE, {"measurements": [*again.scalars()], "why": TOLD_WHOLE})


def set_late_part_aside(
    session: Session,
    capture: Capture,
    message_id: UUID,
    instrument_id: UUID,
    *,
    now: datetime,
) -> None:
    """The part comes after the whole where a journal is told again and only a newer driver reads
    it: nothing of it waits then."""
    wholes = session.execute(
        WHOLES,
        {
            "instrument": instrument_id,
            "since": now - REACH,
            "message": message_id,
            "opening": sha256(_opening(capture.raw)).digest(),
            "most": MOST,
        },
    )
    if any(is_beginning(capture.raw, bytes(whole.body)) for whole in wholes):
        session.execute(_SET_ALL_ASIDE, {"messages": [message_id], "why": TOLD_WHOLE})


def _opening(message: bytes) -> bytes:
    """Its first record with the CR; nothing where none was whole. A part has its whole's, or none.
    As the index `ix_raw_message_opening` has it."""
    return message[: message.find(b"\r") + 1]


_NO_RECORD: Final = sha256(b"").digest()
_OF_OPENING: Final = "sha256(substring(p.body FROM 1 FOR position('\\x0d'::bytea IN p.body)))"

PARTS = text(f"""
SELECT found.id, found.body FROM unnest(cast(:openings AS bytea[])) AS o (digest)
CROSS JOIN LATERAL (
    SELECT p.id, p.body FROM raw_message p
    WHERE p.instrument_id = :instrument AND {_OF_OPENING} = o.digest AND p.stored_at >= :since
      AND (p.state = 'held' AND EXISTS (SELECT FROM measurement m
                                        WHERE m.message_id = p.id AND m.standing = 'unmatched')
           OR p.state = 'quarantined' AND p.reason = ANY(:reasons))
    ORDER BY p.stored_at DESC LIMIT :most
) found
""")  # noqa: S608 - an expression of ours

WHOLES = text(f"""
SELECT p.body FROM raw_message p
WHERE p.instrument_id = :instrument AND {_OF_OPENING} = :opening AND p.stored_at >= :since
  AND p.id <> :message AND p.state = 'accepted'
ORDER BY p.stored_at DESC LIMIT :most
""")  # noqa: S608 - the same

_NOT_UNREAD = text("""
UPDATE raw_message SET state = 'held', reason = 'incomplete'
WHERE id = ANY(:messages) AND state = 'quarantined'
""")

SAID_AGAIN = text("""
SELECT m.id
FROM unnest(cast(:specimens AS text[]), cast(:contents AS text[]), cast(:times AS text[]))
     AS s (specimen, content, at)
JOIN measurement m ON m.specimen_text = s.specimen AND m.standing = 'unmatched'
     AND m.content = s.content AND m.measured_text = s.at
JOIN raw_message p ON p.id = m.message_id AND p.state = 'held' AND p.stored_at >= :since
WHERE m.instrument_id = :instrument
ORDER BY m.id FOR NO KEY UPDATE OF m
""")

_SET_ASIDE = text("""
UPDATE measurement SET standing = 'dismissed', why = :why WHERE id = ANY(:measurements)
""")

_SET_ALL_ASIDE = text("""
UPDATE measurement SET standing = 'dismissed', why = :why
WHERE message_id = ANY(:messages) AND standing = 'unmatched'
""")
