"""Take a gateway's heartbeat: how its lines stand now, in place of how they stood."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.domain.gateways import LineStanding
from lims.tables import GatewayLine

_KEY = ("site_id", "gateway", "instrument")
FORGOTTEN_AFTER: Final = timedelta(days=30)  # a gateway that was renamed or taken away


def hear(
    session: Session,
    gateway: str,
    version: str,
    lines: Sequence[LineStanding],
    *,
    site_id: UUID,
    now: datetime,
) -> int:
    """A line that the gateway no longer has is forgotten, and a gateway that said nothing for
    `FORGOTTEN_AFTER`. The number of lines."""
    session.execute(
        delete(GatewayLine).where(
            GatewayLine.site_id == site_id, GatewayLine.heard_at < now - FORGOTTEN_AFTER
        )
    )
    session.execute(
        delete(GatewayLine).where(
            GatewayLine.site_id == site_id,
            GatewayLine.gateway == gateway,
            GatewayLine.instrument.not_in([line.instrument for line in lines]),
        )
    )
    known = {"site_id": site_id, "gateway": gateway, "version": version, "heard_at": now}
    rows = [known | asdict(line) for line in sorted(lines, key=lambda line: line.instrument)]
    if rows:
        said = insert(GatewayLine).values(rows)
        changed = {name: said.excluded[name] for name in rows[0] if name not in _KEY}
        session.execute(said.on_conflict_do_update(index_elements=_KEY, set_=changed))
    return len(rows)
