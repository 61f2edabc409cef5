"""The desks in the street as locust users: each takes the next household that stands in line.

Arrivals follow the plan and not the answers: a LIMS that is slow makes a queue, and the figures
do not become better for it.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar
from uuid import UUID

import gevent

from lims.db.ids import uuid7
from lims.demo.forms import family_tube, labels_of, registration, strip_read
from lims.demo.physics import read_strip
from lims.demo.telling import Broke
from lims.demo.truth import Household, Villager
from lims.domain.rapid_test import RapidOutcome
from loadtests.day.person import Person
from loadtests.day.plan import Desk, LateBatch, Oddity, Visit

A_PERSON_H = 20 / 3600  # at a desk: the card, the swab, the tube
CONFLICT = 409


class FieldTeam(Person):
    """One team in the street; its labels come from the roll of its kind of desk."""

    abstract = True
    desk: ClassVar[Desk]
    roll: ClassVar[str]
    _labels: ClassVar[dict[str, Iterator[str]]] = {}

    def on_start(self) -> None:
        """Open the desk."""
        self.station, self.meter = self.today.station(self.today.premises.keys.desk)

    def on_stop(self) -> None:
        """Close it."""
        super().on_stop()
        self.station.close()

    def label(self) -> str:
        """The next label of the roll."""
        rolls = FieldTeam._labels
        if self.roll not in rolls:
            rolls[self.roll] = labels_of(self.today.premises.site, self.roll)
        return next(rolls[self.roll])

    def work(self) -> bool:
        waiting = self.today.waiting
        visit = waiting.visit(self.desk, self.today.clock.now_h())
        if visit is None:
            return False
        waiting.at_work += 1
        try:
            self.attend(visit)
        finally:
            waiting.at_work -= 1
        return True

    def attend(self, visit: Visit) -> None:
        """Swab and register one household."""
        raise NotImplementedError

    def takes_time(self) -> None:
        """The card, the swab, the tube."""
        gevent.sleep(self.today.clock.seconds(A_PERSON_H))

    def sent(self, barcode: str) -> None:
        """The tube leaves for the laboratory."""
        self.today.leaves_for_the_laboratory(barcode)


class ScanByScan(FieldTeam):
    """One registration a person, while they stand there. Some desks do odd things besides."""

    weight = 40
    desk = Desk.ONE_BY_ONE
    roll = "D1"
    _taken: ClassVar[str | None] = None

    def attend(self, visit: Visit) -> None:
        for villager in visit.household.villagers:
            self.takes_time()
            label = self.label()
            body = registration(visit.household, villager, label, self.today.premises.campaign_id)
            if visit.oddity is Oddity.TAKEN_LABEL and ScanByScan._taken is not None:
                self.refused({**body, "barcode": ScanByScan._taken}, "taken labels")
            self.station.post("/specimens", body)
            self.today.ledger.single(body, villager)
            self.sent(label)
            ScanByScan._taken = label
            if visit.oddity is Oddity.SAID_TWICE:
                self.station.post("/specimens", body)
                self.today.done["said twice"] += 1
            if visit.oddity is Oddity.OTHER_BODY:
                other = {**body, "person": {**body["person"], "address": "Số 0, nơi khác"}}
                self.refused(other, "other bodies")

    def refused(self, body: dict[str, Any], what: str) -> None:
        """Say what the LIMS must refuse with 409; an acceptance is a failure of the day."""
        with self.meter.expecting(CONFLICT):
            try:
                self.station.post("/specimens", body)
            except Broke:
                self.today.done[f"{what} refused"] += 1
            else:
                raise RuntimeError(f"expected 409 for {what}; it was accepted: {body['barcode']}")


class OutOfReach(FieldTeam):
    """A team without a network: it comes back with a hundred lines at once, some of them wrong."""

    weight = 6
    roll = "D2"

    def work(self) -> bool:
        waiting = self.today.waiting
        batch = waiting.batch(self.today.clock.now_h())
        if batch is None:
            return False
        waiting.at_work += 1
        try:
            self.send(batch)
        finally:
            waiting.at_work -= 1
        return True

    def send(self, batch: LateBatch) -> None:
        """All rows; then the bad ones, corrected; and all again where the team was unsure."""
        campaign = self.today.premises.campaign_id
        lines = [
            (row, registration(row.household, row.villager, self.label(), campaign))
            for row in batch.rows
        ]
        said = [{**b, "barcode": miswritten(b["barcode"])} if r.bad else b for r, b in lines]
        self.rows(said, refused=sum(row.bad for row, _ in lines))
        self.rows([body for row, body in lines if row.bad])
        for row, body in lines:
            self.today.ledger.single(body, row.villager)
            self.sent(body["barcode"])
        if batch.again:
            with self.meter.named(" (again)"):
                self.rows([body for _, body in lines], replayed=len(lines))

    def rows(self, rows: list[dict[str, Any]], *, refused: int = 0, replayed: int = 0) -> None:
        """Post them and hold the answer against what it must be, on a second attempt too."""
        if not rows:
            return
        answer = self.station.post("/specimens/batch", {"rows": rows})
        kept = answer["registered"] + answer["replayed"]
        if answer["refused"] != refused or kept != len(rows) - refused:
            raise RuntimeError(
                f"expected {refused} of {len(rows)} rows refused; came {answer}"[:600]
            )
        if replayed and answer["registered"]:
            raise RuntimeError(f"{answer['registered']} rows were registered a second time")
        self.today.done["bad rows refused"] += refused
        self.today.done["rows replayed"] += replayed


class Families(FieldTeam):
    """One tube for everybody behind a door."""

    weight = 14
    desk = Desk.FAMILY
    roll = "F1"

    def attend(self, visit: Visit) -> None:
        household, label = visit.household, self.label()
        for _ in household.villagers:
            self.takes_time()
        body = family_tube(household, label, self.today.premises.campaign_id)
        self.station.post("/field-pools", body)
        self.today.ledger.family(body, household)
        self.sent(label)


class Strips(FieldTeam):
    """A rapid antigen test each; a positive one leaves a PCR tube. An invalid strip is repeated."""

    weight = 16
    desk = Desk.RAPID
    roll = "A1"

    def attend(self, visit: Visit) -> None:
        for villager in visit.household.villagers:
            rng = Random(f"strip {self.today.plan.seed} {villager.number}")
            outcome = RapidOutcome.INVALID
            while outcome is RapidOutcome.INVALID:
                self.takes_time()
                outcome = self.strip(visit.household, villager, rng)

    def strip(self, household: Household, villager: Villager, rng: Random) -> RapidOutcome:
        """Read one strip and say what it shows."""
        swab: UUID = uuid7()
        outcome, deviation = read_strip(rng, str(swab), villager.ct_cycles)
        label = self.label() if outcome is RapidOutcome.POSITIVE else None
        body = strip_read(household, villager, swab, outcome, label)
        receipt = self.station.post("/rapid-tests", body)
        self.today.ledger.note(deviation)
        self.today.ledger.strip(body, receipt, villager)
        if label is not None:
            self.sent(label)
        return outcome


def miswritten(barcode: str) -> str:
    """A label copied with its last character wrong, so that the check character tells."""
    return barcode[:-1] + ("7" if barcode[-1] != "7" else "8")


FIELD_TEAMS: tuple[type[FieldTeam], ...] = (ScanByScan, OutOfReach, Families, Strips)
