"""A panel binds the pools made after it, and the pools of its own site and assay alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.pooling.validation_panel import DilutionRow, Panel
from lims.domain.refusals import DifferentBody, InvalidBody, PoolAboveValidated
from lims.tables import AuditEvent, Tube
from lims.work.validation_panel import (
    enter_panel,
    most_to_a_pool,
    panel_in_force,
    panel_of,
    validated_pool,
)
from tests.builders import Bench, open_bench

ROWS = (DilutionRow(4, 30.0, 32.0, 20, 20), DilutionRow(20, 30.0, 34.3, 20, 20))
PANEL = Panel(lod_ct=36.0, weak_positive_ct=34.0, rows=ROWS)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def entered(
    bench: Bench,
    panel: Panel = PANEL,
    source: str = "Biên bản 12/2021",
    panel_id: UUID | None = None,
) -> int:
    fitted = enter_panel(
        bench.session,
        panel_id or uuid7(),
        panel,
        source=source,
        site_id=bench.site_id,
        by="user:operator",
        now=bench.now,
    )
    return fitted.largest_pool


def test_without_a_panel_the_site_s_own_size_holds(bench: Bench) -> None:
    assert validated_pool(bench.session, site_id=bench.site_id, assay="sars-cov-2") is None
    assert most_to_a_pool(bench.session, site_id=bench.site_id) == 20
    bench.lab_pool(bench.swabs(10))


def test_a_pool_above_the_validated_size_is_refused_and_nothing_is_kept(bench: Bench) -> None:
    assert entered(bench) == 4
    swabs = bench.swabs(5)
    with pytest.raises(PoolAboveValidated) as refused:
        bench.lab_pool(swabs)
    assert refused.value.came == "5 tubes, at most 4"
    assert bench.session.scalars(select(Tube).where(Tube.kind == "lab_pool")).all() == []
    bench.lab_pool(swabs[:4])
    assert most_to_a_pool(bench.session, site_id=bench.site_id) == 4


def test_pools_made_before_are_untouched_and_the_newest_panel_holds(bench: Bench) -> None:
    before = bench.lab_pool(bench.swabs(10))
    entered(bench)
    bench.later(5)
    wider = Panel(lod_ct=38.0, weak_positive_ct=33.0, rows=ROWS)
    assert entered(bench, wider) == 20
    bench.lab_pool(bench.swabs(12))
    receipt = bench.run({before: 27.0})
    assert receipt is not None


def test_the_same_panel_again_is_the_same_and_another_under_its_id_is_refused(
    bench: Bench,
) -> None:
    panel_id = uuid7()
    for _ in range(2):
        entered(bench, source=" Biên  bản ", panel_id=panel_id)
    stored = panel_in_force(bench.session, site_id=bench.site_id, assay="sars-cov-2")
    assert stored is not None
    assert (stored.source, panel_of(bench.session, stored)) == ("Biên bản", PANEL)
    said = select(AuditEvent).where(AuditEvent.verb == "enter_validation_panel")
    assert len(bench.session.scalars(said).all()) == 1
    with pytest.raises(DifferentBody):
        entered(bench, Panel(36.5, 34.0, ROWS), source="Biên bản", panel_id=panel_id)


def test_a_panel_names_its_report(bench: Bench) -> None:
    with pytest.raises(InvalidBody):
        entered(bench, source="  ")
