"""A laboratory that asks registers about its people."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lims.db.ids import uuid7
from lims.domain.exchange import DestinationKind
from lims.domain.identity import name_key
from lims.domain.registration import PersonGiven, Registration
from lims.domain.retries import RetryPlan
from lims.exchange.adapters.register import every_register
from lims.exchange.ask import Asker
from lims.work.destinations import PopulationRegister, VaccinationRegister, add_destination
from lims.work.receive import receive
from lims.work.register import register
from tests.builders import HOME, Swab
from tests.exchange.laboratories import Lab
from tests.exchange.registers import LABORATORY, TOKEN, Citizen, Registers

SOON = RetryPlan(waits_s=(30.0, 60.0), jitter=0.0)
MAI = "079180099999"


def number(n: int) -> str:
    return f"0791800{n:05d}"


@dataclass
class AskingLab:
    """``lab`` with people who have card numbers, and registers to ask."""

    lab: Lab

    def population(self, there: Registers, *, token: str = TOKEN) -> UUID:
        return self._add(PopulationRegister(there.url, token, LABORATORY), "Dữ liệu dân cư")

    def vaccinations(self, there: Registers) -> UUID:
        return self._add(VaccinationRegister(there.url, TOKEN, LABORATORY), "Sổ tiêm chủng")

    def _add(self, given: PopulationRegister | VaccinationRegister, name: str) -> UUID:
        bench = self.lab.bench
        made = add_destination(
            bench.session,
            given,
            site_id=bench.site_id,
            name=name,
            area=None,
            by="admin",
            now=bench.now,
        )
        bench.session.commit()
        return made

    def swab(
        self,
        national_id: str | None,
        name: str = "Nguyễn Thị Mai",
        campaign_id: UUID | None = None,
    ) -> Swab:
        """Somebody who showed a card, in a tube that was received."""
        bench = self.lab.bench
        barcode, specimen = next(bench.labels), uuid7()
        person = PersonGiven(name, name_key(name), 1980, national_id=national_id, area=HOME)
        given = Registration(
            specimen_id=specimen,
            barcode=barcode,
            collected_at=bench.now,
            person=person,
            campaign_id=campaign_id,
        )
        receipt = register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
        receive(bench.session, barcode, by="door", now=bench.now)
        return Swab(barcode, specimen, receipt.person_id)

    def people(self, count: int, there: Registers | None = None) -> list[Swab]:
        """Trần Văn 0, 1, … who are citizens ``there`` too."""
        made = []
        for n in range(count):
            made.append(self.swab(number(n), f"Trần Văn {n}"))
            if there:
                there.citizens[number(n)] = Citizen(f"Trần Văn {n}", "1980-02-03")
        return made

    def f0(self, national_id: str | None = MAI, name: str = "Nguyễn Thị Mai") -> Swab:
        """Somebody with an open case."""
        swab = self.swab(national_id, name)
        self.lab.bench.run({swab.barcode: 24.5})
        return swab

    def case(self, swab: Swab) -> UUID:
        found: UUID = self.lab.bench.session.execute(
            text("SELECT id FROM f0_case WHERE person_id = :p"), {"p": swab.person_id}
        ).scalar_one()
        return found

    def rename(self, swab: Swab, name: str) -> None:
        """As a clerk would mend it; committed at once, from elsewhere."""
        with self.lab.laboratory.sessions.begin() as session:
            session.execute(
                text("UPDATE person SET name = :name, name_key = :key WHERE id = :id"),
                {"name": name, "key": name_key(name), "id": swab.person_id},
            )

    def asker(self, kind: DestinationKind, **more: Any) -> Asker:
        return Asker(
            self.lab.laboratory,
            kind,
            every_register()[kind],
            plan=SOON,
            rng=Random(1),
            **more,
        )

    def ask(self) -> None:
        """Everything that is due of both kinds, at the laboratory's clock."""
        self.lab.bench.session.commit()
        self.lab.clock.now = max(self.lab.clock.now, self.lab.bench.now)
        for kind in every_register():
            self.asker(kind).drain()

    def rows(self, kind: str = "identity") -> list[tuple[str, str | None]]:
        """The newest questions: state and verdict, in the order of the people's names."""
        with self.lab.laboratory.sessions.begin() as session:
            found = session.execute(
                text(
                    "SELECT q.state, q.verdict FROM person_question q JOIN person p"
                    " ON p.id = q.person_id WHERE q.current AND q.kind = :kind ORDER BY p.name"
                ),
                {"kind": kind},
            )
            return [(row.state, row.verdict) for row in found]

    def one(self, sql: str, **values: object) -> Any:
        with self.lab.laboratory.sessions.begin() as session:
            return session.execute(text(sql), values).one()
