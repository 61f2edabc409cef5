"""A team's token reads the people of its communes and of its cases, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.exchange.fhir import listing
from lims.exchange.fhir.asked import asked
from lims.exchange.fhir.listing import read_one, search
from lims.exchange.fhir.observations import DIAGNOSTIC_REPORT, OBSERVATION
from lims.exchange.fhir.patients import PATIENT
from lims.exchange.fhir.reach import Reach, reach_of
from lims.tables import F0Case, Person
from lims.work.subscribe import subscribe
from lims.work.tell import CaseNews, owe_case_news
from lims.work.zones import Belonging, join_zones, open_zone
from tests.builders_handoff import CAU_GIAY, Ward, ward


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was written has come."""
    monkeypatch.setattr(listing, "complete_until_now", lambda _: datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


@pytest.fixture
def zone(here: Ward) -> UUID:
    return open_zone(
        here.session,
        site_id=here.site_id,
        name="KCN Tân Tạo",
        kind=ZoneKind.INDUSTRIAL,
        by="user:op",
        now=here.now,
    )


def listens(here: Ward, team: UUID, zone: UUID | None) -> None:
    subscribe(
        here.session,
        site_id=here.site_id,
        team_id=team,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        private=False,
        by="user:op",
        now=here.now,
    )


def reach(here: Ward, team: UUID) -> Reach:
    return reach_of(here.session, team, site_id=here.site_id)


def patients(here: Ward, team: UUID) -> set[UUID]:
    here.session.commit()
    every = asked([], PATIENT.parameters, zone=UTC, in_url=True)
    page = search(here.session, PATIENT, every, reach(here, team), site_id=here.site_id)
    return {person for one in page.shown for person in one.people}


def owed(here: Ward, case_id: UUID) -> UUID:
    case = here.session.get_one(F0Case, case_id)
    news = CaseNews(
        case.id, case.person_id, NoticeKind.CASE_OPENED, 1, CaseState.CONFIRMED, Basis.PCR
    )
    owe_case_news(here.session, [news], site_id=here.site_id, now=here.now)
    return case.person_id


def test_a_zone_s_team_reads_its_cases_and_not_the_country(here: Ward, zone: UUID) -> None:
    team = here.team("Y tế KCN")
    listens(here, team, zone)
    case = here.case(name="Công nhân")
    worker = here.session.get_one(F0Case, case).person_id
    given = [Belonging(worker, zone, Tie.WORKER)]
    join_zones(here.session, given, site_id=here.site_id, by="user:op", now=here.now)
    owed(here, case)
    _, stranger = here.specimen(name="Người xa", area=CAU_GIAY)
    assert patients(here, team) == {worker}
    assert read_one(here.session, PATIENT, stranger, reach(here, team), here.site_id) is None


def test_a_ward_that_also_hears_of_a_zone_keeps_to_its_ward(here: Ward, zone: UUID) -> None:
    team = here.team()
    here.board(team=team)
    listens(here, team, zone)
    _, neighbour = here.specimen()
    here.specimen(name="Người xa", area=CAU_GIAY)
    assert patients(here, team) == {neighbour}


def test_the_national_desk_reads_the_country(here: Ward) -> None:
    team = here.team("Trực quốc gia")
    listens(here, team, None)
    people = {here.specimen()[1], here.specimen(area=CAU_GIAY)[1]}
    assert patients(here, team) == people


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_team_gets_neither_cycles_nor_card_numbers(here: Ward, everywhere: bool) -> None:
    """As in lists and on the board; the laboratory's own systems get both."""
    team = here.team()
    if everywhere:
        listens(here, team, None)
    else:
        here.board(team=team)
    _, person = here.specimen()
    here.session.get_one(Person, person).national_id = "001087000123"
    here.session.commit()

    def said(who: Reach) -> str:
        shown = read_one(here.session, PATIENT, person, who, here.site_id)
        assert shown is not None
        return str(shown.resource)

    assert "001087000123" in said(Reach(None))
    assert "001087000123" not in said(reach(here, team))
    for kind in (OBSERVATION, DIAGNOSTIC_REPORT):
        assert kind.masked({"status": "final", "component": ["23.7"]}) == {"status": "final"}
