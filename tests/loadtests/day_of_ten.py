"""A day of ten people at the bench, resolved, and what its receipts say."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from lims.demo.ledger import Ledger
from lims.demo.truth import Commune, Household, Route, Villager, Ward
from loadtests.day.reckoning import DayReckoned, reckon_day
from tests.builders import NEW, Bench, Swab

SICK = 3


class DayOfTen:
    """One pool of ten with one who is infected; everybody was told."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.swabs: list[Swab] = bench.swabs(10)
        self.ledger = Ledger()
        for number, swab in enumerate(self.swabs):
            self.ledger.swabs[swab.specimen_id] = number
            self.ledger.registered.add(swab.specimen_id)
            self.ledger.contents[swab.barcode] = (number,)
            self.ledger.labelled.add(swab.barcode)
            self.ledger.received.add(swab.barcode)

    def resolved(self) -> None:
        pool = self.bench.lab_pool(self.swabs)
        self.bench.run({pool: 28.0})
        self.bench.run({self.swabs[SICK].barcode: 25.0})
        self.sql("UPDATE notice SET state = 'delivered', delivered_at = now()")
        self.sql(
            "INSERT INTO delivery (id, notice_id, attempt, at, status_code, took_ms)"
            " SELECT mint_uuid7(now()), id, 1, now(), 200, 1 FROM notice"
        )

    def lose_notices(self, which: str) -> None:
        """Behind the LIMS' back; ``which``: a condition on the notice."""
        these = f"SELECT id FROM notice WHERE {which}"
        self.sql(f"DELETE FROM delivery WHERE notice_id IN ({these})")
        self.sql(f"DELETE FROM notice WHERE id IN ({these})")

    def sql(self, statement: str, **values: object) -> None:
        self.bench.session.execute(text(statement), values)

    def reckoned(self) -> DayReckoned:
        now = self.bench.now
        return reckon_day(
            self.bench.session,
            _commune(),
            self.ledger,
            (),
            site_id=self.bench.site_id,
            since=now - timedelta(days=2),
            until=now + timedelta(days=2),
        )


def _commune() -> Commune:
    ward = Ward(NEW, "26734", "Tân Định")
    people = tuple(
        Villager(
            number=n,
            name=f"Người {n}",
            birth_year=1980,
            sex="female",
            phone="0740000000",
            national_id=f"{n:012d}",
            work=None,
            ct_cycles=25.0 if n == SICK else None,
        )
        for n in range(10)
    )
    return Commune(1, (Household(0, "Hộ", "Số 1", ward, Route.ALONE, people),))
