"""Read the bytes of an analyser's message, for whoever repairs the line."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.tables import RawMessage
from lims.work.audit import record


def message_bytes(
    session: Session, message_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> bytes:
    """The bytes as they came. The reading is audited: they may name people. Raises NotFound."""
    message = session.get(RawMessage, message_id)
    if message is None or message.site_id != site_id:
        raise NotFound(came=str(message_id), where="messages")
    record(
        session, site_id=site_id, actor=by, verb="read_message", subject=str(message_id), now=now
    )
    return message.body
