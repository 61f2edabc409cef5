"""Whoever is found positive is told of to somebody, whatever teams there are: a law, not a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.zones import Tie, ZoneKind
from lims.tables import Campaign, Person, PersonZone, Specimen, Subscription, Team, Zone
from lims.work.tell import recipients
from tests.builders_handoff import CAU_GIAY, DICH_VONG, HANOI, SCHEME, Ward, ward

LATER = "2026-01"
# What a unit is called in both schemes; 00168 names another ward in each (S18).
UNITS = {
    (SCHEME, HANOI): ("hà nội", None),
    (SCHEME, DICH_VONG): ("dịch vọng", HANOI),
    (SCHEME, CAU_GIAY): ("cầu giấy", HANOI),
    (SCHEME, "00168"): ("nghĩa đô", HANOI),
    (LATER, HANOI): ("hà nội", None),
    (LATER, DICH_VONG): ("dịch vọng", HANOI),
    (LATER, "00168"): ("yên hòa", HANOI),
}
PLACES = st.sampled_from([None, *UNITS])
ZONES = 3


@dataclass(frozen=True)
class Listens:
    """One subscription: of an area, else of a zone, else of the whole country."""

    area: tuple[str, str] | None
    zone: int | None
    disabled: bool


@dataclass(frozen=True)
class Lives:
    """Where somebody lives, works, belongs by word (ended or not), and was swabbed (days ago)."""

    home: tuple[str, str] | None
    work: tuple[str, str] | None
    zones: frozenset[tuple[int, bool]]
    swabbed: frozenset[tuple[int, int]]


LISTENERS = st.lists(
    st.one_of(
        st.builds(Listens, st.sampled_from(list(UNITS)), st.none(), st.booleans()),
        st.builds(Listens, st.none(), st.integers(0, ZONES - 1), st.booleans()),
        st.builds(Listens, st.none(), st.none(), st.just(False)),
    ),
    max_size=8,
)
PEOPLE = st.lists(
    st.builds(
        Lives,
        PLACES,
        PLACES,
        st.frozensets(st.tuples(st.integers(0, ZONES - 1), st.booleans()), max_size=3),
        st.frozensets(
            st.tuples(st.integers(0, ZONES - 1), st.sampled_from([0, 20, 22])), max_size=2
        ),
    ),
    min_size=1,
    max_size=5,
)
CLOSED = st.frozensets(st.integers(0, ZONES - 1), max_size=2)


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    """The two schemes, three zones with a campaign each; every example is rolled back to here."""
    built = ward(session, now)
    for (scheme, code), (name, parent) in UNITS.items():
        if (scheme, code) not in {(SCHEME, HANOI), (SCHEME, DICH_VONG), (SCHEME, CAU_GIAY)}:
            built.area(scheme, code, parent, name)
    return built


@given(listeners=LISTENERS, people=PEOPLE, closed=CLOSED)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_is_routed_nowhere_and_everybody_to_whom_the_rule_says(
    here: Ward, listeners: list[Listens], people: list[Lives], closed: frozenset[int]
) -> None:
    trial = here.session.begin_nested()
    try:
        zones = _zones(here, closed)
        subs = {_listen(here, one, zones): one for one in listeners}
        ids = [_live(here, one, zones) for one in people]
        here.session.flush()
        told = recipients(here.session, ids, site_id=here.site_id, now=here.now)
        desk = here.session.scalars(
            select(Subscription.id).where(
                Subscription.area_code.is_(None),
                Subscription.zone_id.is_(None),
                Subscription.site_id == here.site_id,
            )
        ).all()
        founding = set(desk) - set(subs)
        for person, lives in zip(ids, people, strict=True):
            assert told[person], "routed nowhere"
            expected = _by_hand(lives, subs, closed)
            whole = {s for s, one in subs.items() if one.area is None and one.zone is None}
            if not expected[0]:
                expected = (whole | founding, expected[1])
            assert told[person] == expected[0] | expected[1]
    finally:
        trial.rollback()
        here.session.expunge_all()


def _by_hand(
    lives: Lives, subs: dict[UUID, Listens], closed: frozenset[int]
) -> tuple[set[UUID], set[UUID]]:
    """Whom the home's rule names (empty: the desk), and the copies."""

    def at(place: tuple[str, str] | None) -> set[UUID]:
        if place is None:
            return set()
        return {
            sub
            for sub, one in subs.items()
            if one.area
            and not one.disabled
            and one.area[1] == place[1]
            and UNITS[one.area] == UNITS[place]
        }

    near = at(lives.home)
    if not near and lives.home is not None and UNITS[lives.home][1]:
        near = at((lives.home[0], HANOI))
    belongs = {z for z, ended in lives.zones if not ended}
    belongs |= {z for z, days in lives.swabbed if days < 21}
    zoned = {
        sub
        for sub, one in subs.items()
        if one.zone in belongs and one.zone not in closed and not one.disabled
    }
    return near, at(lives.work) | zoned


def _zones(here: Ward, closed: frozenset[int]) -> list[tuple[UUID, UUID]]:
    made = []
    for n in range(ZONES):
        zone = Zone(
            id=uuid7(),
            site_id=here.site_id,
            kind=ZoneKind.INDUSTRIAL,
            name=f"KCN {n}",
            name_key=f"kcn {n}",
            created_at=here.now,
            created_by="user:op",
            closed_at=here.now if n in closed else None,
        )
        here.session.add(zone)
        here.session.flush()
        campaign = Campaign(
            id=uuid7(), site_id=here.site_id, name=f"C {n}", zone_id=zone.id, opened_at=here.now
        )
        here.session.add(campaign)
        here.session.flush()
        made.append((zone.id, campaign.id))
    return made


def _listen(here: Ward, one: Listens, zones: list[tuple[UUID, UUID]]) -> UUID:
    team = Team(id=uuid7(), site_id=here.site_id, name=str(uuid7()), created_at=here.now)
    here.session.add(team)
    here.session.flush()
    row = Subscription(
        id=uuid7(),
        site_id=here.site_id,
        team_id=team.id,
        area_scheme=one.area[0] if one.area else None,
        area_code=one.area[1] if one.area else None,
        zone_id=None if one.zone is None else zones[one.zone][0],
        channel="board",
        created_at=here.now,
        disabled_at=here.now if one.disabled else None,
    )
    here.session.add(row)
    here.session.flush()
    return row.id


def _live(here: Ward, lives: Lives, zones: list[tuple[UUID, UUID]]) -> UUID:
    home, work = lives.home or (None, None), lives.work or (None, None)
    person = Person(
        id=uuid7(),
        site_id=here.site_id,
        name="A",
        name_key="a",
        area_scheme=home[0],
        area_code=home[1],
        work_area_scheme=work[0],
        work_area_code=work[1],
        created_at=here.now,
    )
    here.session.add(person)
    here.session.flush()
    for zone, ended in lives.zones:
        here.session.add(
            PersonZone(
                site_id=here.site_id,
                person_id=person.id,
                zone_id=zones[zone][0],
                tie=Tie.WORKER,
                created_at=here.now,
                created_by="user:op",
                ended_at=here.now if ended else None,
                ended_by="user:op" if ended else None,
            )
        )
    for zone, days in lives.swabbed:
        here.session.add(
            Specimen(
                site_id=here.site_id,
                person_id=person.id,
                campaign_id=zones[zone][1],
                collected_at=here.now - timedelta(days=days),
                registered_at=here.now,
                registered_by="desk",
                body_digest="",
            )
        )
    return person.id
