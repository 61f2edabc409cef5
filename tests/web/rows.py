"""The fewest rows that make something wait, for pages that only count or list it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.identity import name_key
from lims.domain.lifecycle import TubeKind, TubeState
from lims.tables import Area, Campaign, F0Case, Finding, Person, Specimen, Tube
from lims.work.areas import SCHEME


def tube(session: Session, site_id: UUID, at: datetime, *, serial: int, received: bool) -> UUID:
    campaign = session.scalars(select(Campaign)).one_or_none() or Campaign(
        id=uuid7(), site_id=site_id, name="Cầu Giấy", pool_size=10, opened_at=at
    )
    session.add(campaign)
    session.flush()
    made = Tube(
        id=uuid7(),
        site_id=site_id,
        barcode=barcodes.mint("TT", "7K", serial),
        kind=TubeKind.INDIVIDUAL,
        state=TubeState.RECEIVED if received else TubeState.COLLECTED,
        campaign_id=campaign.id,
        assay_code="sars-cov-2",
        created_at=at,
        created_by="test",
        received_at=at if received else None,
        received_by="test" if received else None,
    )
    session.add(made)
    session.flush()
    return made.id


def finding(session: Session, site_id: UUID, at: datetime, outcome: str, status: str) -> Finding:
    person = Person(site_id=site_id, name="Lê Văn Ước", name_key="le van uoc", created_at=at)
    session.add(person)
    session.flush()
    specimen = Specimen(
        site_id=site_id,
        person_id=person.id,
        collected_at=at,
        registered_at=at,
        registered_by="test",
        body_digest="0" * 64,
    )
    session.add(specimen)
    session.flush()
    made = Finding(
        site_id=site_id,
        specimen_id=specimen.id,
        person_id=person.id,
        outcome=outcome,
        status=status,
        rule="test",
        evidence=[],
        created_at=at,
        holds=["positive"] if status == "P" else [],
        released_at=at if status == "F" else None,
        released_by="test" if status == "F" else None,
    )
    session.add(made)
    session.flush()
    return made


def case(session: Session, site_id: UUID, at: datetime) -> UUID:
    found = finding(session, site_id, at, "positive", "F")
    made = F0Case(
        site_id=site_id,
        person_id=found.person_id,
        finding_id=found.id,
        state="confirmed",
        basis="pcr",
        definition="test",
        opened_at=at,
        changed_at=at,
    )
    session.add(made)
    session.flush()
    return made.id


def areas(session: Session) -> None:
    """Hà Nội with Cầu Giấy, and a dozen communes whose names begin alike."""
    session.add(_area("01", "province", None, "Hà Nội", "Thành phố Hà Nội"))
    session.flush()
    session.add(_area("00167", "ward", "01", "Cầu Giấy", "Phường Cầu Giấy"))
    for number in range(12):
        name = f"Tân {'ABCDEGHIKLMN'[number]}"
        session.add(_area(f"90{number:03d}", "ward", "01", name, f"Xã {name}"))
    session.flush()


def _area(code: str, level: str, parent: str | None, name: str, full_name: str) -> Area:
    return Area(
        scheme=SCHEME,
        code=code,
        level=level,
        parent_code=parent,
        name=name,
        name_key=name_key(name),
        full_name=full_name,
    )
