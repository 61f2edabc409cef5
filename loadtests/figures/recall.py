"""A lot behind eleven plates of pools and their single tubes is recalled: 10,340 people at once."""

import time
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.laboratory import utc_now
from lims.domain.recall import ReagentKind, RecallKind, RecallRequest, RecallScope
from lims.work.reagent_lots import say_lot
from lims.work.recall import recall
from loadtests.figures import plate
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

AIM_S = 5.0
PLATES = 11
POSITIVE_POOLS = 3
"""On each plate; their thirty people are tested alone, and every tenth of them is an F0."""


def measure(rig: Rig, *, plates: int = PLATES) -> Figure:
    """Seconds from the request to the commit, preview not counted."""
    lot = _day(rig, plates)
    with rig.laboratory.sessions() as session:
        raw_s = _raw(session)
        session.rollback()
    site_id = rig.laboratory.site_id
    with rig.laboratory.sessions() as session:
        session.execute(text("ANALYZE"))
        session.commit()
    request = RecallRequest(uuid7(), RecallScope(RecallKind.REAGENT_LOT, lot), "bench")
    began = time.perf_counter()
    with rig.laboratory.sessions.begin() as session:
        done = recall(session, request, site_id=site_id, by="bench", now=utc_now())
    took_s = time.perf_counter() - began
    figures = done.figures
    return Figure(
        name=f"recall of a lot, {figures.people:,} people",
        measured=took_s * 1000,
        unit="ms",
        limit=raw_s * 1000,
        limit_name="UPDATE + INSERT of as many rows, no rules",
        ratio=took_s / raw_s,
        aim=f"≤ {AIM_S:.0f} s",
        met=took_s <= AIM_S and figures.people >= plates * plate.POOLS * plate.SIZE,
        details={
            "runs": figures.runs,
            "results": figures.results,
            "cases": figures.all_cases,
            "notices_told": figures.told,
        },
    )


def _day(rig: Rig, plates: int) -> UUID:
    """Plates of ten-swab pools, then the people of the positive ones alone; all of one lot."""
    crowd, order = Crowd("TT", seed=23), plate.campaign(rig)
    with rig.client() as client:
        runs = [_pools(client, crowd, order, f"LOT-{number:04d}") for number in range(plates)]
        runs += _singles(client)
    with rig.laboratory.sessions.begin() as session:
        for run in runs:
            said = say_lot(
                session,
                run,
                ReagentKind.PCR,
                "VN-2198",
                site_id=rig.laboratory.site_id,
                by="bench",
                now=utc_now(),
            )
    return said.lot_id


def _pools(client: httpx.Client, crowd: Crowd, order: UUID, name: str) -> UUID:
    layout = plate.lay_out(client, crowd, order, name)
    wells = [well["barcode"] for well in layout["wells"] if well["role"] == "specimen"]
    _measure(client, layout, dict.fromkeys(wells[:POSITIVE_POOLS], 26.0))
    return UUID(layout["run_id"])


def _singles(client: httpx.Client) -> list[UUID]:
    runs: list[UUID] = []
    while True:
        body = {"run_id": str(uuid7()), "plate": f"ALONE-{len(runs):04d}"}
        answer = client.post("/runs", json=body)
        if answer.is_error:
            return runs
        layout: dict[str, Any] = answer.json()
        wells = [well["barcode"] for well in layout["wells"] if well["role"] == "specimen"]
        _measure(client, layout, dict.fromkeys(wells[::10], 24.0))
        runs.append(UUID(layout["run_id"]))


def _measure(client: httpx.Client, layout: dict[str, Any], cts: dict[str, float]) -> None:
    client.post("/messages", json=plate.capture(layout, cts).to_json()).raise_for_status()


def _raw(session: Session) -> float:
    """As many rows updated and inserted as a recall ends and remembers; rolled back."""
    began = time.perf_counter()
    session.execute(text("UPDATE finding SET current = false WHERE current"))
    session.execute(
        text("CREATE TEMP TABLE remembered ON COMMIT DROP AS SELECT id FROM finding WITH NO DATA")
    )
    session.execute(text("INSERT INTO remembered SELECT id FROM finding WHERE NOT current"))
    return time.perf_counter() - began
