"""Every validation panel of an assay, the one in force first, with what each says."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.pooling.validation_panel import Fitted, Panel, fit
from lims.tables import ValidationPanel
from lims.work.control_templates import STANDARD_ASSAY
from lims.work.validation_panel import panel_of


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One panel as entered. ``largest_pool`` is what was stored with it, and what binds."""

    panel_id: UUID
    assay: str
    source: str
    panel: Panel
    fitted: Fitted
    largest_pool: int
    entered_at: datetime
    entered_by: str


def every_panel(
    session: Session, *, site_id: UUID, assay: str = STANDARD_ASSAY, most: int = 20
) -> tuple[PanelLine, ...]:
    """The newest first: that one holds."""
    stored = session.scalars(
        select(ValidationPanel)
        .where(ValidationPanel.site_id == site_id, ValidationPanel.assay_code == assay)
        .order_by(ValidationPanel.entered_at.desc(), ValidationPanel.id.desc())
        .limit(most)
    ).all()
    return tuple(_line(session, one) for one in stored)


def _line(session: Session, stored: ValidationPanel) -> PanelLine:
    panel = panel_of(session, stored)
    return PanelLine(
        panel_id=stored.id,
        assay=stored.assay_code,
        source=stored.source,
        panel=panel,
        fitted=fit(panel),
        largest_pool=stored.largest_pool,
        entered_at=stored.entered_at,
        entered_by=stored.entered_by,
    )
