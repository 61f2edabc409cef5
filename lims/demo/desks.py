"""The desks in the street: people come household by household, each is swabbed and registered."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, Final
from uuid import UUID

from lims.db.ids import uuid7
from lims.demo.client import Station
from lims.demo.forms import family_tube, labels_of, registration, strip_read
from lims.demo.ledger import Ledger
from lims.demo.physics import read_strip
from lims.demo.telling import Audience
from lims.demo.truth import Commune, Household, Route, Villager
from lims.domain.rapid_test import RapidOutcome

BATCH: Final = 20
TWO_SCANS_S: Final = 0.06  # of the watcher's time: the card, then the tube


@dataclass(frozen=True)
class Desks:
    """All desks of the day, over the API with one token; each household under its campaign."""

    base_url: str
    token: str
    site: str
    campaigns: Sequence[UUID]
    ledger: Ledger
    audience: Audience
    stop: threading.Event

    def open(self, commune: Commune) -> None:
        """Swab everybody; returns when the last receipt is in. Raises what a desk raises."""
        by_route = {route: [h for h in commune.households if h.route is route] for route in Route}
        alone = by_route[Route.ALONE]
        half = len(alone) // 2
        with ThreadPoolExecutor(4, thread_name_prefix="desk") as street:
            done = [
                street.submit(self._one_by_one, alone[:half], "D1"),
                street.submit(self._in_batches, alone[half:], "D2"),
                street.submit(self._together, by_route[Route.TOGETHER], "F1"),
                street.submit(self._rapid, by_route[Route.RAPID], "A1", commune.seed),
            ]
            try:
                for desk in done:
                    desk.result()
            except BaseException:  # Ctrl-C too: the other desks must not keep it waiting
                self.stop.set()
                raise

    def _one_by_one(self, households: Sequence[Household], batch: str) -> None:
        labels = labels_of(self.site, batch)
        with self._station() as station:
            for household, villager in _people(households):
                body = self._form(household, villager, next(labels))
                station.post("/specimens", body)
                self.ledger.single(body, villager)
                self.audience.rest(TWO_SCANS_S)

    def _in_batches(self, households: Sequence[Household], batch: str) -> None:
        """A desk that was out of reach of the network, and sends what it noted."""
        labels = labels_of(self.site, batch)
        people = _people(households)
        with self._station() as station:
            while some := list(islice(people, BATCH)):
                rows = [self._form(h, v, next(labels)) for h, v in some]
                answer = station.post("/specimens/batch", {"rows": rows})
                if answer["refused"]:
                    raise RuntimeError(f"expected every row to be kept; came {answer}")
                for row, (_, villager) in zip(rows, some, strict=True):
                    self.ledger.single(row, villager)
                self.audience.rest(TWO_SCANS_S * BATCH)

    def _together(self, households: Sequence[Household], batch: str) -> None:
        labels = labels_of(self.site, batch)
        with self._station() as station:
            for household in households:
                label = next(labels)
                body = family_tube(household, label, self.campaigns[household.campaign])
                station.post("/field-pools", body)
                self.ledger.family(body, household)
                self.audience.rest(TWO_SCANS_S * len(household.villagers))

    def _rapid(self, households: Sequence[Household], batch: str, seed: int) -> None:
        labels = labels_of(self.site, batch)
        with self._station() as station:
            for household, villager in _people(households):
                rng = Random(f"strip {seed} {villager.number}")
                outcome = RapidOutcome.INVALID
                while outcome is RapidOutcome.INVALID:  # a strip without its line is repeated
                    outcome = self._strip(station, household, villager, rng, labels)
                    self.audience.rest(TWO_SCANS_S)

    def _strip(
        self,
        station: Station,
        household: Household,
        villager: Villager,
        rng: Random,
        labels: Iterator[str],
    ) -> RapidOutcome:
        swab = uuid7()
        outcome, deviation = read_strip(rng, str(swab), villager.ct_cycles)
        label = next(labels) if outcome is RapidOutcome.POSITIVE else None
        body = strip_read(household, villager, swab, outcome, label)
        receipt = station.post("/rapid-tests", body)
        self.ledger.note(deviation)
        self.ledger.strip(body, receipt, villager)
        return outcome

    def _form(self, household: Household, villager: Villager, label: str) -> dict[str, Any]:
        return registration(household, villager, label, self.campaigns[household.campaign])

    def _station(self) -> Station:
        return Station(self.base_url, self.token, self.stop)


def _people(households: Sequence[Household]) -> Iterator[tuple[Household, Villager]]:
    return ((h, v) for h in households for v in h.villagers)
