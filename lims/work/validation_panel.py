"""Enter a site's validation panel; the largest pool that follows from it binds from then on."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.interpretation import rule_in_force
from lims.domain.pooling.validation_panel import RULE, DilutionRow, Fitted, Panel, fit
from lims.domain.refusals import DifferentBody, InvalidBody
from lims.tables import Site, ValidationPanel, ValidationPanelRow
from lims.work.audit import record
from lims.work.control_templates import STANDARD_ASSAY
from lims.work.once import one_at_a_time

_LONGEST_SOURCE: Final = 200


def enter_panel(
    session: Session,
    panel_id: UUID,
    panel: Panel,
    *,
    source: str,
    site_id: UUID,
    assay: str = STANDARD_ASSAY,
    by: str,
    now: datetime,
) -> Fitted:
    """Keep the series and what follows from it; again under the same id: the same.

    ``source`` is the report that the figures are from. Raises InvalidBody, NotFound (no such
    assay), DifferentBody. Pools that were made before are untouched.
    """
    rule_in_force(assay)
    source = " ".join(source.split())
    fitted = fit(panel)
    if not 1 <= len(source) <= _LONGEST_SOURCE:
        raise InvalidBody(
            errors=[
                {"pointer": "#/source", "detail": "the report they are from, in 1 to 200 letters"}
            ],
            where="source",
        )
    one_at_a_time(session, panel_id)
    earlier = session.get(ValidationPanel, panel_id)
    if earlier is not None:
        said = (earlier.site_id, earlier.assay_code, earlier.source, panel_of(session, earlier))
        if said != (site_id, assay, source, panel):
            raise DifferentBody(came=f"another panel under {panel_id}", where="panel_id")
        return fitted
    session.add(
        ValidationPanel(
            id=panel_id,
            site_id=site_id,
            assay_code=assay,
            source=source,
            lod_ct=panel.lod_ct,
            weak_positive_ct=panel.weak_positive_ct,
            cycles_per_doubling=fitted.cycles_per_doubling,
            largest_pool=fitted.largest_pool,
            bound=fitted.bound,
            rule=RULE,
            entered_at=now,
            entered_by=by,
        )
    )
    session.flush()
    session.add_all(
        ValidationPanelRow(
            panel_id=panel_id,
            position=at,
            pool_size=row.pool_size,
            ct_undiluted=row.ct_undiluted,
            ct_pooled=row.ct_pooled,
            detected=row.detected,
            replicates=row.replicates,
        )
        for at, row in enumerate(panel.rows)
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="enter_validation_panel",
        subject=str(panel_id),
        now=now,
        assay=assay,
        largest_pool=fitted.largest_pool,
        bound=str(fitted.bound),
    )
    session.flush()
    return fitted


def panel_in_force(session: Session, *, site_id: UUID, assay: str) -> ValidationPanel | None:
    """The newest panel of the assay, or None where the site has entered none."""
    return session.scalars(
        select(ValidationPanel)
        .where(ValidationPanel.site_id == site_id, ValidationPanel.assay_code == assay)
        .order_by(ValidationPanel.entered_at.desc(), ValidationPanel.id.desc())
        .limit(1)
    ).one_or_none()


def validated_pool(session: Session, *, site_id: UUID, assay: str = STANDARD_ASSAY) -> int | None:
    """The largest pool that the panel in force allows; None without a panel."""
    panel = panel_in_force(session, site_id=site_id, assay=assay)
    return None if panel is None else panel.largest_pool


def most_to_a_pool(session: Session, *, site_id: UUID, assay: str = STANDARD_ASSAY) -> int:
    """How many tubes a laboratory pool may take: the site's own choice, and the panel's limit."""
    validated = validated_pool(session, site_id=site_id, assay=assay)
    most = session.get_one(Site, site_id).max_pool_size
    return most if validated is None else min(most, validated)


def panel_of(session: Session, stored: ValidationPanel) -> Panel:
    """The panel as it was entered."""
    rows = session.scalars(
        select(ValidationPanelRow)
        .where(ValidationPanelRow.panel_id == stored.id)
        .order_by(ValidationPanelRow.position)
    )
    return Panel(
        lod_ct=stored.lod_ct,
        weak_positive_ct=stored.weak_positive_ct,
        rows=tuple(
            DilutionRow(
                pool_size=row.pool_size,
                ct_undiluted=row.ct_undiluted,
                ct_pooled=row.ct_pooled,
                detected=row.detected,
                replicates=row.replicates,
            )
            for row in rows
        ),
    )
