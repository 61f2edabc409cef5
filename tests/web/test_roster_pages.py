"""The pages of zones and rosters: who is told beside the communes, and who is on call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.tables import Contact, Duty, Subscription, Zone
from lims.work.access import Role
from tests.builders_handoff import Ward, ward
from tests.builders_roster import contact
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

SATURDAY = "2021-09-11"


@pytest.fixture
def here(session: Session, site_id: UUID, now: datetime) -> Ward:
    return ward(session, now)


@pytest.fixture
def team(here: Ward) -> UUID:
    made = here.team("Tổ Dịch Vọng")
    here.session.commit()
    return made


@pytest.fixture
def operator(signed_in: SignIn, team: UUID) -> Browser:
    return signed_in(Role.OPERATOR)


def plan(operator: Browser, team: UUID, who: UUID, **changed: object) -> str:
    sent: dict[str, object] = {
        "contact": str(who),
        "place": "1",
        "day": [SATURDAY, "2021-09-12"],
        "starts": "19:00",
        "ends": "07:00",
        "week": SATURDAY,
    }
    answer = operator.post(f"/admin/teams/{team}/duties", sent | changed)
    return words(answer if answer.status_code != 303 else operator.get(answer.location or ""))


def test_a_zone_is_made_subscribed_to_and_closed(here: Ward, team: UUID, operator: Browser) -> None:
    made = operator.post("/admin/zones", {"name": "KCN Tân Tạo", "kind": "industrial"})
    assert made.location == "/admin/zones"
    zone = here.session.scalars(select(Zone)).one()
    assert "nobody yet: choose a team" in words(operator.get("/admin/zones"))
    assert (
        f'value="{zone.id}" selected' in operator.get(f"/admin/subscriptions?zone={zone.id}").text
    )
    sent = {"team": str(team), "zone": str(zone.id), "channel": "board"}
    operator.post("/admin/subscriptions", sent)
    row = here.session.scalars(select(Subscription).where(Subscription.zone_id.is_not(None))).one()
    assert (row.team_id, row.area_code) == (team, None)
    assert "KCN Tân Tạo industrial zone 0 0 0 Tổ Dịch Vọng" in words(operator.get("/admin/zones"))
    listed = operator.get("/admin/subscriptions")
    assert "KCN Tân Tạo" in words(listed)
    assert f"/admin/subscriptions/{row.id}/disable" in listed.text
    operator.post(f"/admin/zones/{zone.id}/open", {"open": "no"})
    assert "closed 11 Sep 08:00" in words(operator.get("/admin/zones"))
    refused = operator.post("/admin/subscriptions", sent)
    assert "an area or an open zone, not both" in words(refused)


def test_a_zone_with_a_name_that_is_there_already_is_refused(team: UUID, operator: Browser) -> None:
    for _ in range(2):
        answer = operator.post("/admin/zones", {"name": "BV Bạch Mai", "kind": "hospital"})
    assert answer.status_code == 422
    assert "this name is already used" in words(answer)


def test_a_week_of_nights_is_planned_and_shown_on_the_days_they_begin(
    here: Ward, team: UUID, operator: Browser
) -> None:
    lan = contact(here, team, "Lê Thị Lan")
    here.session.commit()
    page = plan(operator, team, lan)
    assert "2 duties planned." in page
    assert "Sat 11/09 · today Lê Thị Lan first, 19:00–07:00" in page
    spans = here.session.execute(
        select(Duty.starts_at, Duty.ends_at).order_by(Duty.starts_at)
    ).all()
    evening = datetime(2021, 9, 11, 12, tzinfo=UTC)
    assert [(row.starts_at, row.ends_at - row.starts_at) for row in spans] == [
        (evening, timedelta(hours=12)),
        (evening + timedelta(days=1), timedelta(hours=12)),
    ]
    next_week = operator.post(f"/admin/teams/{team}/duties/repeat", {"week": "2021-09-13"})
    assert "Sat 18/09 Lê Thị Lan" in words(operator.get(next_week.location or ""))


@pytest.mark.parametrize(
    "changed",
    [
        {"day": []},
        {"day": ["2021-13-40"]},
        {"starts": "soon"},
        {"ends": "25:00"},
        {"place": "3"},
        {"contact": ""},
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_form_as_it_was(
    here: Ward, team: UUID, operator: Browser, changed: dict[str, object]
) -> None:
    lan = contact(here, team, "Lê Thị Lan")
    here.session.commit()
    page = plan(operator, team, lan, **changed)
    assert "hours of at most one day" in page or "somebody of the team" in page
    assert here.session.scalars(select(Duty)).all() == []


def test_a_place_that_is_taken_is_refused_in_words(
    here: Ward, team: UUID, operator: Browser
) -> None:
    lan, hung = (contact(here, team, name) for name in ("Lan", "Hùng"))
    here.session.commit()
    plan(operator, team, lan)
    assert "On call already" in plan(operator, team, hung, starts="06:00", ends="20:00")
    assert len(here.session.scalars(select(Duty)).all()) == 2


def test_the_directory_is_kept_and_a_duty_taken_away(
    here: Ward, team: UUID, operator: Browser
) -> None:
    base = f"/admin/teams/{team}"
    operator.post(f"{base}/contacts", {"name": "Lê Thị Lan", "phone": "0901 000 001"})
    lan = here.session.scalars(select(Contact)).one()
    refused = operator.post(f"{base}/contacts", {"name": "Mai", "phone": "12"})
    assert (refused.status_code, "telephone number" in words(refused)) == (422, True)
    plan(operator, team, lan.id)
    duty = here.session.scalars(select(Duty.id).order_by(Duty.starts_at)).first()
    operator.post(f"{base}/duties/{duty}/end", {"week": SATURDAY})
    assert len(here.session.scalars(select(Duty)).all()) == 1
    operator.post(f"{base}/contacts/{lan.id}", {"phone": "0987654321"})
    assert "0987 654 321" in words(operator.get(f"{base}/roster"))
    operator.post(f"{base}/contacts/{lan.id}", {"leaves": "yes"})
    page = words(operator.get(f"{base}/roster"))
    assert "Lê Thị Lan" not in page
    assert "Nobody in the directory yet." in page
    here.session.expire_all()
    assert here.session.scalars(select(Duty)).all() == []


def test_a_team_that_is_not_there_has_no_roster(operator: Browser, here: Ward) -> None:
    assert operator.get(f"/admin/teams/{here.site_id}/roster").status_code == 404


def test_the_minutes_of_the_steps_are_changed_on_the_policys_page(
    here: Ward, signed_in: SignIn, team: UUID
) -> None:
    admin = signed_in(Role.ADMIN)
    sent = {"shown": "15", "became": "10", "reason": "công văn 12"}
    assert admin.post("/admin/policy/roster_after_min", sent).status_code == 303
    page = words(admin.get("/admin/policy"))
    assert "the next in the roster : 10 minutes" in page
    for wrong in ("0", "1441", "x"):
        answer = admin.post(
            "/admin/policy/voice_after_min", {"shown": "45", "became": wrong, "reason": "thử"}
        )
        assert "minutes, from 1 to 1,440" in words(answer)


def test_a_duty_of_twenty_four_hours_says_that_it_ends_the_next_day(
    here: Ward, team: UUID, operator: Browser
) -> None:
    who = contact(here, team, "Mai")
    here.session.commit()
    page = plan(operator, team, who, starts="15:31", ends="15:31", day=SATURDAY)
    assert "15:31–15:31 the next day" in page
    page = plan(operator, team, who, place="2", starts="07:00", ends="19:00", day="2021-09-12")
    assert "07:00–19:00 the next day" not in page
