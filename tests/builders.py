"""A laboratory for a test: real rows through the real verbs, in as few words as a story needs.

``Bench`` holds one laboratory, one open session and the story's clock. Nothing here commits.
Areas are a handful of rows of two schemes, since a test rarely needs all 3,355.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from instruments import measurement as said
from lims.db.ids import uuid7
from lims.domain.barcodes import minted_from
from lims.domain.identity import name_key
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.tables import Area, Campaign, Instrument, Subscription, Team
from lims.work.areas import SCHEME
from lims.work.field_pool import (
    FieldPooled,
    FieldPoolRequest,
    HouseholdGiven,
    Swabbed,
    register_field_pool,
)
from lims.work.measure import Receipt, take
from lims.work.plate import RunRequest, lay_out
from lims.work.pool import PoolRequest, make_pool
from lims.work.prepare import PrepareRequest, prepare
from lims.work.receive import receive
from lims.work.register import register
from lims.work.run_layout import Layout
from lims.work.sites import found_site
from tests.captures import Told, called_capture, cartridge_capture, plate_capture

NEW, OLD = SCHEME, "vn-2020"
PROVINCE = AreaRef(NEW, "79")
HOME, WORK, ELSEWHERE = AreaRef(NEW, "26734"), AreaRef(NEW, "26740"), AreaRef(NEW, "26758")
FAR_PROVINCE, FAR_WARD = AreaRef(NEW, "01"), AreaRef(NEW, "00004")

_AREAS = (
    (PROVINCE, None, "Hồ Chí Minh"),
    (FAR_PROVINCE, None, "Hà Nội"),
    (AreaRef(OLD, "79"), None, "Hồ Chí Minh"),
    (HOME, "79", "Tân Định"),
    (WORK, "79", "Sài Gòn"),
    (ELSEWHERE, "79", "Cầu Ông Lãnh"),
    (FAR_WARD, "01", "Ba Đình"),
    (AreaRef(OLD, HOME.code), "79", "Đa Kao"),  # the same code, another commune (S18)
)


@dataclass(frozen=True, slots=True)
class Swab:
    """One registered person in one tube."""

    barcode: str
    specimen_id: UUID
    person_id: UUID


@dataclass
class Bench:
    """One laboratory in one session; ``now`` is the story's clock, moved by ``later``."""

    session: Session
    site_id: UUID
    now: datetime
    instrument: str
    labels: Iterator[str]
    plates: int = 0
    messages: list[said.Capture] = field(default_factory=list)

    def later(self, minutes: int) -> "Bench":
        """Move the story's clock on."""
        self.now += timedelta(minutes=minutes)
        return self

    def campaign(self, *, pool_size: int = 10) -> UUID:
        """A testing order, under which single tubes wait for a pool of this size."""
        made = Campaign(
            id=uuid7(),
            site_id=self.site_id,
            name=f"Campaign {uuid7()}",
            pool_size=pool_size,
            opened_at=self.now,
        )
        self.session.add(made)
        self.session.flush()
        return made.id

    def swab(
        self,
        *,
        area: AreaRef | None = HOME,
        work_area: AreaRef | None = None,
        campaign_id: UUID | None = None,
        person_id: UUID | None = None,
        name: str = "Nguyễn Thị Mai",
        received: bool = True,
    ) -> Swab:
        """One person registered in one tube, and received unless told otherwise."""
        barcode, specimen = next(self.labels), uuid7()
        newcomer = PersonGiven(name, name_key(name), 1980, area=area, work_area=work_area)
        given = Registration(
            specimen_id=specimen,
            barcode=barcode,
            collected_at=self.now,
            person=newcomer if person_id is None else None,
            person_id=person_id,
            campaign_id=campaign_id,
        )
        receipt = register(self.session, given, site_id=self.site_id, by="desk", now=self.now)
        if received:
            receive(self.session, barcode, by="door", now=self.now)
        return Swab(barcode, specimen, receipt.person_id)

    def swabs(self, count: int, *, area: AreaRef | None = HOME) -> list[Swab]:
        """Received single tubes that wait for a pool."""
        campaign = self.campaign()
        return [self.swab(area=area, campaign_id=campaign) for _ in range(count)]

    def lab_pool(self, sources: Sequence[Swab | str]) -> str:
        """A pool made of these tubes; returns its barcode."""
        barcode = next(self.labels)
        scans = tuple(s if isinstance(s, str) else s.barcode for s in sources)
        request = PoolRequest(uuid7(), barcode, scans)
        make_pool(self.session, request, site_id=self.site_id, by="pooler", now=self.now)
        self.session.flush()
        return barcode

    def prepare_sub_pools(self) -> dict[str, str]:
        """Pipette whatever positive pools ask for; the new labels by "row 1", "group 2"."""
        wanted = self.session.execute(
            text("SELECT id, position FROM sub_pool WHERE state = 'wanted' ORDER BY id")
        ).all()
        made = {}
        for row in wanted:
            made[row.position] = next(self.labels)
            request = PrepareRequest(uuid7(), row.id, made[row.position])
            prepare(self.session, request, site_id=self.site_id, by="pooler", now=self.now)
        return made

    def field_pool(
        self, people: int = 5, *, area: AreaRef | None = HOME, received: bool = True
    ) -> FieldPooled:
        """One tube with the swabs of one household."""
        barcode = next(self.labels)
        receipt = register_field_pool(
            self.session,
            FieldPoolRequest(
                tube_id=uuid7(),
                barcode=barcode,
                collected_at=self.now,
                members=tuple(
                    Swabbed(uuid7(), PersonGiven(f"Trần Văn {n}", f"tran van {n}", 1990))
                    for n in range(people)
                ),
                household=HouseholdGiven(uuid7(), "12 Hai Bà Trưng", area=area),
            ),
            site_id=self.site_id,
            by="desk",
            now=self.now,
        )
        if received:
            receive(self.session, barcode, by="door", now=self.now)
            self.session.flush()
        return receipt

    def plate(self, *barcodes: str) -> Layout:
        """A plate from the whole queue, or of exactly these tubes."""
        self.plates += 1
        wells = tuple((f"{'ABCDEFGH'[n % 8]}{n // 8 + 1:02d}", b) for n, b in enumerate(barcodes))
        request = RunRequest(uuid7(), f"PLATE-{self.plates:04d}", wells=wells)
        layout, _ = lay_out(self.session, request, site_id=self.site_id, by="plater", now=self.now)
        return layout

    def take(self, capture: said.Capture) -> Receipt:
        """Hand a message to the laboratory, as the gateway does; a closed system is set up."""
        if capture.instrument == f"{capture.driver}-1":
            set_up(self.session, self.site_id, capture.driver, now=self.now)
        self.messages.append(capture)
        receipt, _ = take(
            self.session, capture, site_id=self.site_id, captured_at=self.now, now=self.now
        )
        return receipt

    def run(
        self,
        cts: Mapping[str, Told] | None = None,
        *,
        ntc: Told = None,
        pc: Told = 25.0,
    ) -> Receipt:
        """Plate whatever is queued and measure it: what ``cts`` does not name is not detected."""
        layout = self.plate()
        self.later(90)
        capture = plate_capture(layout, cts or {}, ntc=ntc, pc=pc, instrument=self.instrument)
        return self.take(capture)

    def cartridge(self, barcode: str, told: Told) -> Receipt:
        """Measure one tube on a cartridge, outside any plate."""
        self.later(45)
        return self.take(cartridge_capture(barcode, told, instrument=self.instrument, at=self.now))

    def called(
        self, barcode: str, calls: Mapping[str, str], *, whole: str | None = None
    ) -> Receipt:
        """Measure one tube on a closed system that sends words and no cycle number."""
        self.later(45)
        return self.take(called_capture(barcode, calls, whole=whole, at=self.now))

    def subscribe(self, area: AreaRef | None, *, name: str | None = None) -> UUID:
        """A team that reads the cases of an area on its board; returns the subscription."""
        team = Team(
            id=uuid7(),
            site_id=self.site_id,
            name=name or (f"Team {area.scheme} {area.code}" if area else "Team VN"),
            created_at=self.now,
        )
        self.session.add(team)
        self.session.flush()
        made = Subscription(
            id=uuid7(),
            site_id=self.site_id,
            team_id=team.id,
            area_scheme=area.scheme if area else None,
            area_code=area.code if area else None,
            channel="board",
            created_at=self.now,
        )
        self.session.add(made)
        self.session.flush()
        return made.id

    def desk(self) -> UUID:
        """The national desk's subscription, which a laboratory is founded with."""
        return self.session.scalars(
            select(Subscription.id).where(Subscription.area_code.is_(None))
        ).one()


def open_bench(
    session: Session, now: datetime, *, prefix: str = "TT", pools_of_pools: bool = False
) -> Bench:
    """Found a laboratory with a few areas and one plate instrument."""
    site_id = found_site(session, prefix=prefix, name="Phòng xét nghiệm", now=now)
    if pools_of_pools:
        session.execute(text("UPDATE site SET pools_of_pools = true"))
    add_areas(session)
    instrument = add_instrument(session, site_id, now=now)
    labels = (barcode for _, barcode in minted_from(prefix, "A1", 1))
    return Bench(session, site_id, now, instrument, labels)


def add_areas(session: Session) -> None:
    """Two provinces and four communes of the present scheme, and a few of the old one."""
    known = {(row.scheme, row.code) for row in session.execute(select(Area.scheme, Area.code))}
    for area, parent, name in _AREAS:
        if (area.scheme, area.code) in known:
            continue
        session.add(
            Area(
                scheme=area.scheme,
                code=area.code,
                level="ward" if parent else "province",
                parent_code=parent,
                name=name,
                name_key=name_key(name),
                full_name=name,
            )
        )
        session.flush()


def add_instrument(
    session: Session,
    site_id: UUID,
    *,
    now: datetime,
    name: str = "QS5-1",
    driver: str = "plate-csv",
) -> str:
    """An analyser set up at the site; returns the name its gateway gives."""
    session.add(Instrument(site_id=site_id, name=name, driver=driver, created_at=now))
    session.flush()
    return name


def set_up(session: Session, site_id: UUID, driver: str, *, now: datetime) -> str:
    """The first analyser of this driver, set up once."""
    name = f"{driver}-1"
    if session.scalar(select(Instrument.id).where(Instrument.name == name)) is None:
        add_instrument(session, site_id, now=now, name=name, driver=driver)
    return name
