"""Liquid handlers of the day: they pipette what positive pools ask for, as locust users."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import gevent

from lims.db.ids import uuid7
from lims.demo.bench import SUB_POOLS
from lims.demo.client import Refused
from lims.demo.forms import labels_of
from lims.domain.refusals import SubPoolNotWanted
from loadtests.day.laboratory import AtTheBench

PIPETTING_H: Final = 2 / 60  # a pool, of several on the deck: forty or fifty transfers
A_LOOK_H: Final = 3 / 60
SHORTEST_LOOK_S: Final = 0.5


class LiquidHandler(AtTheBench):
    """Takes the pool that has waited longest of those that no other handler has on its deck."""

    fixed_count = 4
    _labels: Iterator[str] | None = None

    def work(self) -> bool:
        today = self.today
        if not today.premises.parts_pools:
            return False
        pools = [p["barcode"] for p in self.station.get("/sub-pools")["pools"]]
        pool = next((p for p in pools if p not in today.on_deck), None)
        if pool is None:
            gevent.sleep(max(SHORTEST_LOOK_S, today.clock.seconds(A_LOOK_H)))
            return False
        today.on_deck.add(pool)
        today.busy += 1
        try:
            gevent.sleep(today.clock.seconds(PIPETTING_H))
            for one in self.station.get(f"/pools/{pool}/sub-pools")["sub_pools"]:
                if one["state"] == "wanted":
                    self.make(one)
        finally:
            today.busy -= 1
            today.on_deck.discard(pool)
        return True

    def make(self, wanted: dict[str, Any]) -> None:
        """Say what was pipetted. A result may have come meanwhile, and nothing asks for it now."""
        today, label = self.today, self.label()
        body = {"tube_id": str(uuid7()), "sub_pool_id": wanted["sub_pool_id"], "barcode": label}
        try:
            with self.meter.allowing(HTTPStatus.CONFLICT):
                self.station.post("/sub-pools", body)
        except Refused as refusal:
            if f"/problems/{SubPoolNotWanted.slug}" not in str(refusal):
                raise
            today.done["sub-pools not wanted any more"] += 1
        else:
            today.ledger.sub_pool(label, wanted["sources"])
            today.done["sub-pools prepared"] += 1

    def label(self) -> str:
        """The next label of the roll that all handlers share."""
        if LiquidHandler._labels is None:
            LiquidHandler._labels = labels_of(self.today.premises.site, SUB_POOLS)
        return next(LiquidHandler._labels)
