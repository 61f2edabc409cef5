"""Ask the LIMS for the next plate: an empty queue is an answer, not a fault."""

from http import HTTPStatus
from typing import Any

from lims.demo.bench import ASSAY
from lims.demo.client import Refused, Station
from lims.domain.refusals import QueueEmpty
from loadtests.day.meter import Meter


def next_plate(station: Station, meter: Meter, run_id: str, plate: str) -> dict[str, Any] | None:
    """The layout; None when nothing waits after all: what was queued a moment ago was pooled,
    rejected or answered in between. Raises Refused, NoAnswer, Stopped."""
    try:
        with meter.allowing(HTTPStatus.CONFLICT):
            layout: dict[str, Any] = station.post(
                "/runs", {"run_id": run_id, "plate": plate, "assay": ASSAY}
            )
    except Refused as refusal:
        if refusal.status == HTTPStatus.CONFLICT and f"/problems/{QueueEmpty.slug}" in str(refusal):
            return None
        raise
    return layout
