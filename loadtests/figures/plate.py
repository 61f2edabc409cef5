"""One run of 94 ten-swab pools (940 people), all negative: from POST to commit."""

import statistics
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from instruments.measurement import Capture, Measurement, Role, TargetReading, digest_of
from lims.db.ids import uuid7
from lims.db.laboratory import utc_now
from lims.tables import Campaign
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

POOLS, SIZE = 94, 10
AIM_MS = 300.0


def measure(rig: Rig, *, rounds: int) -> Figure:
    """Milliseconds to take the message and clear 940 people, median of the rounds."""
    crowd = Crowd("TT", seed=3)
    order = campaign(rig)
    took: list[float] = []
    with rig.client() as client:
        for number in range(rounds):
            layout = lay_out(client, crowd, order, f"BENCH-{number:04d}")
            body = capture(layout, {}).to_json()
            began = time.perf_counter()
            answer = client.post("/messages", json=body)
            took.append((time.perf_counter() - began) * 1000)
            if answer.json().get("matched") != POOLS + 2:
                raise RuntimeError(f"the run was not taken whole: {answer.text[:300]}")
    return Figure(
        name="94-pool run, 940 people negative",
        measured=statistics.median(took),
        unit="ms",
        limit=None,
        limit_name="",
        ratio=None,
        aim=f"≤ {AIM_MS:.0f} ms",
        met=statistics.median(took) <= AIM_MS,
        details={"worst_ms": max(took)},
    )


def capture(layout: dict[str, Any], cts: dict[str, float]) -> Capture:
    """What the analyser would say of a layout; ``cts`` by barcode, all others negative."""
    measurements = tuple(_well(n, well, layout, cts) for n, well in enumerate(layout["wells"]))
    raw = uuid7().bytes + layout["plate"].encode()
    return Capture(
        digest=digest_of(raw),
        instrument="bench-1",
        driver="plate",
        driver_version="2",
        captured_at=datetime.now(UTC).isoformat(),
        complete=True,
        raw=raw,
        measurements=measurements,
    )


def _well(
    number: int, well: dict[str, Any], layout: dict[str, Any], cts: dict[str, float]
) -> Measurement:
    role = Role(well["role"])
    barcode = well["barcode"] or "control"
    ct = 25.0 if role is Role.POSITIVE_CONTROL else cts.get(barcode)
    return Measurement(
        path=f"O{number}",
        specimen=barcode,
        role=role,
        assay="sars-cov-2",
        run=layout["plate"],
        well=well["position"],
        targets=(
            TargetReading("ORF1ab", ct),
            TargetReading("N", ct),
            TargetReading("IC", 27.0),
        ),
    )


def campaign(rig: Rig) -> UUID:
    """A testing order with pools of ten."""
    with rig.laboratory.sessions.begin() as session:
        made = Campaign(
            id=uuid7(),
            site_id=rig.laboratory.site_id,
            name=f"bench {uuid7()}",
            pool_size=SIZE,
            opened_at=utc_now(),
        )
        session.add(made)
        return made.id


def lay_out(client: httpx.Client, crowd: Crowd, order: UUID, plate: str) -> dict[str, Any]:
    """Register 940 people, pool them by ten and plate the pools."""
    rows = [crowd.registration(campaign_id=order) for _ in range(POOLS * SIZE)]
    client.post("/specimens/batch", json={"rows": rows}).raise_for_status()
    client.post("/receptions", json={"barcodes": [r["barcode"] for r in rows]}).raise_for_status()
    for start in range(0, len(rows), SIZE):
        sources = [row["barcode"] for row in rows[start : start + SIZE]]
        pool = {"pool_id": str(uuid7()), "barcode": crowd.barcode(), "sources": sources}
        client.post("/pools", json=pool).raise_for_status()
    answer = client.post("/runs", json={"run_id": str(uuid7()), "plate": plate})
    layout: dict[str, Any] = answer.raise_for_status().json()
    return layout
