"""A small world for the hand-off: areas, teams that are told, people found positive, notices."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, FindingOutcome, MemberState, NoticeKind
from lims.tables import (
    AlertMember,
    Area,
    F0Case,
    Finding,
    Instrument,
    Measurement,
    Notice,
    Person,
    RawMessage,
    Result,
    Specimen,
    Subscription,
    Team,
    TestOrder,
    Tube,
    TubeSpecimen,
)
from lims.work.sites import found_site

SCHEME = "2025-07"
SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes ok!").decode()
HANOI, DICH_VONG, CAU_GIAY = "01", "00166", "00167"


@dataclass
class Ward:
    """One laboratory, one province of two wards. Every method flushes; the test commits."""

    session: Session
    site_id: UUID
    now: datetime

    def team(self, name: str = "Tổ truy vết Dịch Vọng") -> UUID:
        row = Team(site_id=self.site_id, name=name, created_at=self.now)
        self.session.add(row)
        self.session.flush()
        return row.id

    def webhook(self, url: str, *, team: UUID | None = None, area: str | None = DICH_VONG) -> UUID:
        return self._subscribe(
            team or self.team(name=url), area, channel="webhook", url=url, secret=SECRET
        )

    def board(self, *, team: UUID, area: str | None = DICH_VONG, scheme: str = SCHEME) -> UUID:
        return self._subscribe(team, area, channel="board", scheme=scheme)

    def area(self, scheme: str, code: str, parent: str | None, name: str) -> None:
        """One unit more; its parent first."""
        self.session.add(
            Area(
                scheme=scheme,
                code=code,
                level="ward" if parent else "province",
                parent_code=parent,
                name=name,
                name_key=name.lower(),
                full_name=f"Phường {name}" if parent else f"Thành phố {name}",
            )
        )
        self.session.flush()

    def case(
        self,
        *,
        name: str = "Phạm Thị Hồng Nhung",
        area: str = DICH_VONG,
        work_area: str | None = None,
        state: CaseState = CaseState.CONFIRMED,
        basis: Basis = Basis.PCR,
        ct_cycles: float | None = 23.7,
        opened_at: datetime | None = None,
        phone: str | None = "+84912345218",
        address: str | None = "Ngõ 165 Cầu Giấy",
    ) -> UUID:
        at = opened_at or self.now
        specimen_id, person_id = self.specimen(
            name=name, area=area, work_area=work_area, at=at, phone=phone, address=address
        )
        finding = Finding(
            site_id=self.site_id,
            specimen_id=specimen_id,
            person_id=person_id,
            outcome=FindingOutcome.POSITIVE,
            status="F",
            rule="sars-cov-2/1",
            evidence=[],
            ct_cycles=ct_cycles,
            created_at=at,
            released_at=at,
            released_by="user:reviewer",
        )
        self.session.add(finding)
        self.session.flush()
        case = F0Case(
            site_id=self.site_id,
            person_id=person_id,
            finding_id=finding.id,
            state=state,
            basis=basis,
            definition="byt-2021-12-29",
            opened_at=at,
            changed_at=at,
        )
        self.session.add(case)
        self.session.flush()
        return case.id

    def case_with_result(self, *, ct_cycles: float) -> UUID:
        """A case whose finding names the PCR result behind it."""
        case = self.case(ct_cycles=ct_cycles)
        finding = self.session.get_one(Finding, self.session.get_one(F0Case, case).finding_id)
        finding.evidence = [self._result(finding.specimen_id, ct_cycles)]
        self.session.flush()
        return case

    def specimen(
        self,
        *,
        name: str = "Trần Quốc Việt",
        area: str = DICH_VONG,
        work_area: str | None = None,
        at: datetime | None = None,
        phone: str | None = None,
        address: str | None = None,
    ) -> tuple[UUID, UUID]:
        person = Person(
            site_id=self.site_id,
            name=name,
            name_key=name.lower(),
            birth_year=1987,
            sex="female",
            phone=phone,
            address=address,
            area_scheme=SCHEME,
            area_code=area,
            work_area_scheme=SCHEME if work_area else None,
            work_area_code=work_area,
            created_at=self.now,
        )
        self.session.add(person)
        self.session.flush()
        specimen = Specimen(
            site_id=self.site_id,
            person_id=person.id,
            collected_at=at or self.now,
            registered_at=at or self.now,
            registered_by="desk",
            body_digest="",
        )
        self.session.add(specimen)
        self.session.flush()
        return specimen.id, person.id

    def positive_pool(self, *, people: int, area: str = DICH_VONG) -> UUID:
        pool = self._tube("lab_pool", capacity=people)
        for number in range(people):
            specimen_id, _ = self.specimen(name=f"Người {number}", area=area)
            self.session.add(
                AlertMember(
                    pool_id=pool.id,
                    specimen_id=specimen_id,
                    site_id=self.site_id,
                    state=MemberState.PROVISIONAL,
                    raised_at=self.now,
                    changed_at=self.now,
                )
            )
        self.session.flush()
        return pool.id

    def owe(
        self,
        subscription: UUID,
        *,
        case: UUID | None = None,
        pool: UUID | None = None,
        sequence: int = 1,
        kind: NoticeKind | None = None,
        facts: dict[str, Any] | None = None,
        due: datetime | None = None,
    ) -> UUID:
        if case is None and pool is None:
            case = self.case()
        notice = Notice(
            site_id=self.site_id,
            subscription_id=subscription,
            kind=kind or (NoticeKind.CASE_OPENED if case else NoticeKind.ALERT_RAISED),
            case_id=case,
            pool_id=pool,
            sequence=sequence,
            facts=facts or {"basis": "pcr"},
            next_attempt_at=due or self.now,
            created_at=self.now,
        )
        self.session.add(notice)
        self.session.flush()
        return notice.id

    def _result(self, specimen_id: UUID, ct_cycles: float) -> UUID:
        tube = self._tube("individual", capacity=1)
        order = TestOrder(
            site_id=self.site_id,
            tube_id=tube.id,
            assay_code="sars-cov-2",
            state="resulted",
            created_at=self.now,
            closed_at=self.now,
        )
        instrument = Instrument(site_id=self.site_id, name="qs5", driver="qs5", created_at=self.now)
        self.session.add_all([order, instrument])
        self.session.flush()
        message = RawMessage(
            site_id=self.site_id,
            instrument_id=instrument.id,
            digest="0" * 64,
            driver="qs5",
            driver_version="1",
            body=b"",
            state="accepted",
            captured_at=self.now,
            stored_at=self.now,
            receipt={},
        )
        self.session.add(message)
        self.session.flush()
        measurement = Measurement(
            site_id=self.site_id,
            message_id=message.id,
            instrument_id=instrument.id,
            path="0",
            specimen_text=tube.barcode,
            role="specimen",
            tube_id=tube.id,
            order_id=order.id,
            assay_text="sars-cov-2",
            targets=[],
            content="",
            standing="matched",
            received_at=self.now,
        )
        self.session.add_all([measurement, TubeSpecimen(tube_id=tube.id, specimen_id=specimen_id)])
        self.session.flush()
        result = Result(
            site_id=self.site_id,
            order_id=order.id,
            tube_id=tube.id,
            measurement_id=measurement.id,
            outcome="detected",
            ct_cycles=ct_cycles,
            rule="sars-cov-2/1",
            why="",
            status="F",
            created_at=self.now,
        )
        self.session.add(result)
        self.session.flush()
        return result.id

    def _tube(self, kind: str, *, capacity: int) -> Tube:
        row = Tube(
            site_id=self.site_id,
            barcode=f"TTP{uuid7().hex[-16:].upper()}",
            kind=kind,
            state="received",
            assay_code="sars-cov-2",
            capacity=capacity,
            created_at=self.now,
            created_by="bench",
            received_at=self.now,
            received_by="bench",
        )
        self.session.add(row)
        self.session.flush()
        return row

    def _subscribe(
        self,
        team: UUID,
        area: str | None,
        *,
        channel: str,
        url: str | None = None,
        secret: str | None = None,
        scheme: str = SCHEME,
    ) -> UUID:
        row = Subscription(
            site_id=self.site_id,
            team_id=team,
            area_scheme=scheme if area else None,
            area_code=area,
            channel=channel,
            url=url,
            secret=secret,
            created_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        return row.id


def ward(session: Session, now: datetime) -> Ward:
    """The site, Hà Nội and two of its wards."""
    site_id = found_site(session, prefix="TT", name="CDC Hà Nội", now=now)
    made = Ward(session, site_id, now)
    for code, parent, name in (
        (HANOI, None, "Hà Nội"),
        (DICH_VONG, HANOI, "Dịch Vọng"),
        (CAU_GIAY, HANOI, "Cầu Giấy"),
        ("79", None, "Hồ Chí Minh"),
        ("26734", "79", "Bến Nghé"),
    ):
        made.area(SCHEME, code, parent, name)
    return made


def laboratory(engine: Engine, site_id: UUID) -> Laboratory:
    return Laboratory(engine, session_factory(engine), site_id, "TT")
