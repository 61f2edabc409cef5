"""The desks in the street: people come household by household, each is swabbed and registered.

Every id and label is made before the first attempt to say it, so that saying it again after a
broken connection is the same word.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final
from uuid import UUID

from lims.db.ids import uuid7
from lims.demo.client import Station
from lims.demo.ledger import Ledger
from lims.demo.physics import read_strip
from lims.demo.telling import Audience
from lims.demo.truth import Commune, Household, Route, Villager, Ward
from lims.domain.barcodes import minted_from
from lims.domain.rapid_test import RapidOutcome

BATCH: Final = 20
TWO_SCANS_S: Final = 0.06  # of the watcher's time: the card, then the tube
STRIP: Final = timedelta(minutes=20)  # from the drop to the reading
KIT_LOT: Final = "(01)08935212000017(17)491231(10)AG-2110-07"


@dataclass(frozen=True)
class Desks:
    """All desks of the day, over the API with one token."""

    base_url: str
    token: str
    site: str
    campaign_id: UUID
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
                body = self._registration(household, villager, next(labels))
                station.post("/specimens", body)
                self._registered(body, villager)
                self.audience.rest(TWO_SCANS_S)

    def _in_batches(self, households: Sequence[Household], batch: str) -> None:
        """A desk that was out of reach of the network, and sends what it noted."""
        labels = labels_of(self.site, batch)
        people = _people(households)
        with self._station() as station:
            while some := list(islice(people, BATCH)):
                rows = [self._registration(h, v, next(labels)) for h, v in some]
                answer = station.post("/specimens/batch", {"rows": rows})
                if answer["refused"]:
                    raise RuntimeError(f"expected every row to be kept; came {answer}")
                for row, (_, villager) in zip(rows, some, strict=True):
                    self._registered(row, villager)
                self.audience.rest(TWO_SCANS_S * BATCH)

    def _together(self, households: Sequence[Household], batch: str) -> None:
        labels = labels_of(self.site, batch)
        with self._station() as station:
            for household in households:
                label = next(labels)
                members = [
                    {"specimen_id": str(uuid7()), "person": person(household, villager)}
                    for villager in household.villagers
                ]
                body = {
                    "tube_id": str(uuid7()),
                    "barcode": label,
                    "collected_at": _now(),
                    "campaign_id": str(self.campaign_id),
                    "household": {
                        "household_id": str(uuid7()),
                        "label": household.label,
                        "address": household.address,
                        "area": area(household.ward),
                    },
                    "members": members,
                }
                station.post("/field-pools", body)
                for member, villager in zip(members, household.villagers, strict=True):
                    self._swabbed(str(member["specimen_id"]), villager)
                self._labelled(label, [v.number for v in household.villagers])
                self.audience.rest(TWO_SCANS_S * len(members))

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
        read_at = datetime.now(UTC)
        body = {
            "specimen_id": str(swab),
            "person": person(household, villager),
            "started_at": (read_at - STRIP).isoformat(),
            "read_at": read_at.isoformat(),
            "outcome": str(outcome),
            "kit_lot": KIT_LOT,
            "pcr_barcode": label,
        }
        receipt = station.post("/rapid-tests", body)
        self.ledger.note(deviation)
        self.ledger.swabs[swab] = villager.number
        self.ledger.registered.add(swab)
        if label is not None:
            self.ledger.swabs[UUID(receipt["pcr_specimen_id"])] = villager.number
            self.ledger.registered.add(UUID(receipt["pcr_specimen_id"]))
            self._labelled(label, [villager.number])
        return outcome

    def _registration(self, household: Household, villager: Villager, label: str) -> dict[str, Any]:
        return {
            "specimen_id": str(uuid7()),
            "barcode": label,
            "collected_at": _now(),
            "campaign_id": str(self.campaign_id),
            "person": person(household, villager),
        }

    def _registered(self, body: dict[str, Any], villager: Villager) -> None:
        self._swabbed(body["specimen_id"], villager)
        self._labelled(body["barcode"], [villager.number])

    def _swabbed(self, specimen_id: str, villager: Villager) -> None:
        self.ledger.swabs[UUID(specimen_id)] = villager.number
        self.ledger.registered.add(UUID(specimen_id))

    def _labelled(self, label: str, villagers: Sequence[int]) -> None:
        self.ledger.contents[label] = tuple(villagers)
        self.ledger.labelled.add(label)

    def _station(self) -> Station:
        return Station(self.base_url, self.token, self.stop)


def labels_of(site: str, batch: str) -> Iterator[str]:
    """The roll of labels that was printed for this desk."""
    return (barcode for _, barcode in minted_from(site, batch, 0))


def person(household: Household, villager: Villager) -> dict[str, Any]:
    """What the card and the mouth say."""
    return {
        "name": villager.name,
        "birth_year": villager.birth_year,
        "sex": villager.sex,
        "phone": villager.phone,
        "national_id": villager.national_id,
        "address": household.address,
        "area": area(household.ward),
        "work_area": area(villager.work) if villager.work else None,
    }


def area(ward: Ward) -> dict[str, str]:
    """A code with its scheme."""
    return {"scheme": ward.scheme, "code": ward.code}


def _people(households: Sequence[Household]) -> Iterator[tuple[Household, Villager]]:
    return ((h, v) for h in households for v in h.villagers)


def _now() -> str:
    return datetime.now(UTC).isoformat()
