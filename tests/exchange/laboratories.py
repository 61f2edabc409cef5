"""A laboratory with hospitals that are owed every final word, and its deliverer."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain.exchange import DestinationKind
from lims.domain.registration import AreaRef
from lims.domain.retries import RetryPlan
from lims.exchange.adapters.area_figures import AreaFigures as AreaFiguresSpeaker
from lims.exchange.adapters.health_book import HealthBook as HealthBookSpeaker
from lims.exchange.deliver import ExchangeDeliverer
from lims.exchange.oru.hospital import Hospital as Speaker
from lims.exchange.pull import Pulled, Puller
from lims.work.destinations import (
    AreaFigures,
    DeclarationPlatform,
    HealthBook,
    Hospital,
    add_destination,
)
from lims.work.review import release_positive
from lims.work.subscribe import AreaKey
from tests.api.caller import Clock
from tests.builders import Bench, Swab
from tests.exchange import declaring
from tests.exchange.platform import LABORATORY, TOKEN

SOON = RetryPlan(waits_s=(30.0, 60.0), jitter=0.0)


@dataclass
class Lab:
    """A laboratory with a hospital that is owed every final word."""

    bench: Bench
    laboratory: Laboratory
    clock: Clock

    def hospital(self, port: int, **given: Any) -> UUID:
        made = add_destination(
            self.bench.session,
            Hospital("127.0.0.1", port, tls=given.pop("tls", False), **given),
            site_id=self.bench.site_id,
            name=f"Bệnh viện {port}",
            area=None,
            by="admin",
            now=self.bench.now,
        )
        self.bench.session.commit()
        return made

    def health_book(self, url: str, *, token: str = TOKEN) -> UUID:
        made = add_destination(
            self.bench.session,
            HealthBook(url, token, LABORATORY),
            site_id=self.bench.site_id,
            name=f"Sổ sức khỏe {url}",
            area=None,
            by="admin",
            now=self.bench.now,
        )
        self.bench.session.commit()
        return made

    def area_app(self, url: str, *, area: AreaRef | None = None) -> UUID:
        made = add_destination(
            self.bench.session,
            AreaFigures(url, TOKEN, LABORATORY),
            site_id=self.bench.site_id,
            name=f"Vùng dịch {url}",
            area=AreaKey(area.scheme, area.code) if area else None,
            by="admin",
            now=self.bench.now,
        )
        self.bench.session.commit()
        return made

    def expects(self, url: str, *, token: str = declaring.TOKEN, certificate: str = "") -> UUID:
        """It is asked what people declared."""
        made = add_destination(
            self.bench.session,
            DeclarationPlatform(url, token, declaring.LABORATORY, certificate),
            site_id=self.bench.site_id,
            name=f"Khai báo {url}",
            area=None,
            by="admin",
            now=self.bench.now,
        )
        self.bench.session.commit()
        return made

    def puller(self) -> Puller:
        return Puller(self.laboratory, answer_s=5.0, rng=Random(1))

    def pull(self) -> Pulled:
        """One turn at the laboratory's clock, which must be due."""
        self.bench.session.commit()
        pulled = self.puller().one()
        assert pulled is not None, "nothing is due"
        return pulled

    def positive(self, name: str = "Nguyễn Thị Mai") -> Swab:
        swab = self.bench.swab(name=name)
        self.bench.run({swab.barcode: 24.5})
        self.release(swab)
        return swab

    def release(self, swab: Swab) -> None:
        finding = self.bench.session.execute(
            text("SELECT id FROM finding WHERE specimen_id = :s AND current"),
            {"s": swab.specimen_id},
        ).scalar_one()
        release_positive(
            self.bench.session, finding, site_id=self.bench.site_id, by="r", now=self.bench.now
        )

    def negatives(self, count: int) -> list[Swab]:
        swabs = [self.bench.swab(name=f"Trần Văn {n}") for n in range(count)]
        self.bench.run()
        return swabs

    def deliver(self) -> None:
        """Everything due at the laboratory's clock, which stands where the bench's does."""
        self.bench.session.commit()
        self.clock.now = max(self.clock.now, self.bench.now)
        self.deliverer().drain()

    def deliverer(self, **more: Any) -> ExchangeDeliverer:
        return ExchangeDeliverer(
            self.laboratory,
            {
                DestinationKind.ORU: Speaker(answer_s=1.0),
                DestinationKind.HEALTH_BOOK: HealthBookSpeaker(answer_s=1.0),
                DestinationKind.AREA_FIGURES: AreaFiguresSpeaker(answer_s=1.0),
            },
            plan=SOON,
            rng=Random(1),
            **more,
        )

    def rows(self) -> list[tuple[str, str, int]]:
        with self.laboratory.sessions.begin() as session:
            found = session.execute(
                text("SELECT says, state, attempts FROM outbound ORDER BY created_at, sequence")
            )
            return [(row.says, row.state, row.attempts) for row in found]

    def answers(self) -> list[str]:
        with self.laboratory.sessions.begin() as session:
            return list(session.execute(text("SELECT answer FROM outbound ORDER BY id")).scalars())

    def destination(self) -> Any:
        with self.laboratory.sessions.begin() as session:
            return session.execute(text("SELECT * FROM destination")).one()
