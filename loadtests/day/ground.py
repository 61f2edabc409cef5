"""Where a day is lived: a laboratory of our own on this machine, opened for it and closed after."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import text

from lims.db.engine import session_factory
from lims.demo.campaigns import CampaignPlan
from lims.demo.house import SITE, House, open_house
from lims.demo.ledger import Ledger
from lims.demo.machines import cyclers
from lims.demo.processes import Supervisor
from lims.demo.receiver import read_book
from lims.demo.truth import Commune, Places
from lims.domain.pooling.choice import Resolution
from loadtests.day.faults import Happened
from loadtests.day.objectives import Measured, webhook_verdicts
from loadtests.day.reckoning import DayReckoned, reckon_day
from loadtests.day.timeline import moments_in
from loadtests.day.today import Keys, Premises
from loadtests.figures.registration import pgbench_ceiling


class Ground(Protocol):
    """What a day needs to know of the laboratory it is lived in."""

    @property
    def premises(self) -> Premises: ...
    @property
    def places(self) -> Places: ...
    @property
    def supervisor(self) -> Supervisor: ...
    @property
    def may_be_struck(self) -> bool:
        """Whether its processes are ours to kill."""

    def waits(self) -> bool:
        """Whether anything waits for a test, a person or a receiver."""

    def told(self) -> Mapping[str, int]:
        """Figures for the screen: known, f0, claimed, owed, delivered."""

    def reckon(self, commune: Commune, ledger: Ledger) -> DayReckoned:
        """The end of the day."""

    def webhooks(self, happened: Sequence[Happened]) -> list[Measured]:
        """The verdict on result to webhook."""

    def moments(self) -> Mapping[str, Sequence[datetime]]:
        """For the timeline."""

    def ceiling_per_s(self, seconds: float) -> float | None:
        """Registrations a second that the database takes without the LIMS; None: cannot be told."""


TEN_ALONE: Final = CampaignPlan("cả ngày", 10, Resolution.DORFMAN)

_WAITING = text("""
SELECT (SELECT count(*) FROM test_order WHERE state IN ('queued', 'plated'))
     + (SELECT count(*) FROM sub_pool WHERE state = 'wanted')
     + (SELECT count(*) FROM recollection WHERE state = 'open')
     + (SELECT count(*) FROM notice WHERE state = 'owed')
     + (SELECT count(*) FROM finding WHERE current AND status = 'P' AND outcome = 'positive')
""")

_TOLD = text("""
SELECT (SELECT count(*) FROM finding
        WHERE current AND outcome IN ('negative', 'positive')) AS known,
       (SELECT count(*) FROM f0_case WHERE state IN ('presumptive', 'confirmed')) AS f0,
       (SELECT count(*) FROM claim WHERE ended_at IS NULL) AS claimed,
       (SELECT count(*) FROM notice) AS owed,
       (SELECT count(*) FROM notice WHERE state = 'delivered') AS delivered
""")


@dataclass(frozen=True)
class OurHouse:
    """The demonstration's house: every process and the database are ours."""

    house: House
    campaign: CampaignPlan
    opened: datetime = field(default_factory=lambda: datetime.now(UTC))
    may_be_struck: bool = True

    @property
    def premises(self) -> Premises:
        house, keys = self.house, self.house.founded.keys
        return Premises(
            url=house.url,
            site=SITE,
            campaign_id=house.founded.campaigns[0],
            pool_size=self.campaign.pool_size,
            parts_pools=self.campaign.resolution is not Resolution.DORFMAN,
            keys=Keys(keys.desk, keys.bench, keys.watch, house.founded.password),
            cyclers=house.cyclers,
            cartridges=house.cartridges,
            spools=house.home,
        )

    @property
    def places(self) -> Places:
        return self.house.places

    @property
    def supervisor(self) -> Supervisor:
        return self.house.supervisor

    def waits(self) -> bool:
        with self.house.engine.connect() as connection:
            return bool(connection.execute(_WAITING).scalar_one())

    def told(self) -> Mapping[str, int]:
        with self.house.engine.connect() as connection:
            return dict(connection.execute(_TOLD).mappings().one())

    def reckon(self, commune: Commune, ledger: Ledger) -> DayReckoned:
        with session_factory(self.house.engine)() as session:
            return reckon_day(
                session,
                commune,
                ledger,
                read_book(self.house.receiver_book),
                site_id=self.house.site_id,
                since=self.opened - timedelta(minutes=5),
                until=datetime.now(UTC) + timedelta(minutes=1),
            )

    def webhooks(self, happened: Sequence[Happened]) -> list[Measured]:
        with session_factory(self.house.engine)() as session:
            return webhook_verdicts(session, happened)

    def moments(self) -> Mapping[str, Sequence[datetime]]:
        with session_factory(self.house.engine)() as session:
            return moments_in(session)

    def ceiling_per_s(self, seconds: float) -> float | None:
        return pgbench_ceiling(self.house.server, self.house.site_id, seconds)


@contextmanager
def our_house(
    ledger: Ledger,
    people: int,
    *,
    seed: int,
    campaign: CampaignPlan = TEN_ALONE,
    home: Path | None = None,
) -> Iterator[OurHouse]:
    """Open it; nothing of it is left afterwards. Raises what opening a house raises."""
    with open_house(
        seed=seed,
        ledger=ledger,
        home=home,
        interactive=False,
        for_plates=cyclers(cyclers_for(people)),
        campaigns=[campaign],
    ) as house:
        yield OurHouse(house, campaign)


def cyclers_for(people: int) -> int:
    """How many plate cyclers stand in the laboratory, all on one gateway."""
    return 1 + min(3, people // 2_000)
