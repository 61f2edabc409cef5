"""The sheets printed before, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.tables import LabelBatch


@dataclass(frozen=True, slots=True)
class LabelPrint:
    """One print."""

    batch_id: UUID
    title: str
    labels: int
    printed_by: str
    printed_at: datetime


def label_prints(session: Session, *, site_id: UUID, most: int = 20) -> tuple[LabelPrint, ...]:
    """The last prints of the site."""
    rows = session.scalars(
        select(LabelBatch)
        .where(LabelBatch.site_id == site_id)
        .order_by(LabelBatch.printed_at.desc(), LabelBatch.id.desc())
        .limit(most)
    )
    return tuple(
        LabelPrint(row.id, row.title, row.labels, row.printed_by, row.printed_at) for row in rows
    )
