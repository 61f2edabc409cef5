"""Read a plate's layout: what the analyser's worklist and the plate grid need."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import UnknownRun
from lims.tables import ControlTemplate, Run


@dataclass(frozen=True, slots=True)
class WellPlan:
    """One position: a control, or a tube under an order."""

    position: str
    role: str
    barcode: str | None
    tube_kind: str | None
    order_id: UUID | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A run as laid out. ``format`` is its number of wells, ``control_template`` name/version."""

    run_id: UUID
    plate: str
    format: int
    control_template: str
    assay: str
    state: str
    verdict: str | None
    created_at: datetime
    wells: tuple[WellPlan, ...]


def read_layout(session: Session, run_id: UUID) -> Layout:
    """The layout of one run, wells in column order. Raises UnknownRun."""
    run = session.get(Run, run_id)
    if run is None:
        raise UnknownRun(came=str(run_id), where="run_id")
    rows = session.execute(
        text(
            "SELECT w.position, w.role, w.order_id, t.barcode, t.kind FROM well w"
            " LEFT JOIN tube t ON t.id = w.tube_id WHERE w.run_id = :run"
            " ORDER BY substr(w.position, 2), w.position"
        ),
        {"run": run_id},
    )
    template = session.get_one(ControlTemplate, run.control_template_id)
    wells = tuple(WellPlan(r.position, r.role, r.barcode, r.kind, r.order_id) for r in rows)
    return Layout(
        run_id=run.id,
        plate=run.plate,
        format=run.format,
        control_template=f"{template.name}/{template.version}",
        assay=run.assay_code,
        state=run.state,
        verdict=run.verdict,
        created_at=run.created_at,
        wells=wells,
    )
