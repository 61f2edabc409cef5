"""A laboratory that tells an epidemic-zone app communes' figures, and what the app would draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lims.db.ids import uuid7
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.exchange.area_keeper import AreaKeeper
from lims.work.rapid import RapidReading, read_rapid_test
from tests.builders import Swab
from tests.builders_rapid import box
from tests.exchange.laboratories import Lab
from tests.exchange.platform import Platform

TODAY = "2021-09-11"
Figures = dict[tuple[str, str], tuple[int, ...]]


@dataclass
class Feed:
    """A laboratory, its app, and who keeps the figures."""

    lab: Lab
    app: Platform
    keeper: AreaKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Whoever kept them was killed; another begins."""
        self.keeper = AreaKeeper(self.lab.laboratory)

    def look(self) -> int:
        """Count what is committed by now; how many figures are owed that were not."""
        self.lab.bench.session.commit()
        self.lab.clock.now = max(self.lab.clock.now, self.lab.bench.now)
        return self.keeper.once()

    def send(self) -> list[dict[str, Any]]:
        """Count and send; what was said."""
        before = len(self.app.said)
        self.look()
        self.lab.deliver()
        return self.app.said[before:]

    def shown(self) -> Figures:
        """What the app would draw: by commune and day, F0 opened, open and closed, PCR answered
        and positive."""
        return {
            (one["area"]["code"], one["day"]): (
                one["f0"]["opened"],
                one["f0"]["open"],
                one["f0"]["closed"],
                one["pcr"]["answered"],
                one["pcr"]["positive"],
            )
            for one in self.app.books.values()
        }

    def stored(self) -> list[tuple[Any, ...]]:
        with self.lab.laboratory.sessions.begin() as session:
            rows = session.execute(
                text(
                    "SELECT day, area_scheme, area_code, opened, open, presumptive, closed,"
                    " pcr_answered, pcr_positive, antigen_read, antigen_positive FROM area_day"
                    " WHERE opened + pcr_answered + antigen_read > 0 ORDER BY 1, 2, 3"
                )
            )
            return [tuple(row) for row in rows]

    def positive(self, **given: Any) -> Swab:
        """Found and signed."""
        swab = self.lab.bench.swab(**given)
        self.lab.bench.run({swab.barcode: 24.5})
        self.lab.release(swab)
        return swab


def strip(lab: Lab, person: UUID, outcome: RapidOutcome) -> None:
    now = lab.bench.now
    read_rapid_test(
        lab.bench.session,
        RapidReading(
            specimen_id=uuid7(),
            started_at=now - timedelta(minutes=20),
            read_at=now,
            outcome=outcome,
            kit_lot_id=box(lab.bench).lot_id,
            person_id=person,
            exposure=Exposure.NONE,
        ),
        site_id=lab.bench.site_id,
        by="desk",
        now=now,
        tube_may_follow=True,
    )
