"""S21: nobody listens, or nobody claims: 15, 30, 45 minutes, each step a row, never nowhere."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.escalation import Reached
from lims.domain.registration import AreaRef
from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import Claim, Contact, EscalationStep, F0Case, Subscription, Team
from lims.work.claim import claim, release_claim
from lims.work.duty import Span, add_contact, plan_duty
from lims.work.escalate import escalate
from lims.work.subscribe import disable, enable, subscribe
from lims.work.views.calls import to_ring
from lims.work.views.reconcile import reconcile
from lims.work.voice import Reader, Said, claim_by_word, record_call
from lims.work.zones import Belonging, join_zones, open_zone, set_zone_open
from tests import seen
from tests.builders import HOME, PROVINCE, WORK, Bench, open_bench

BY = "user:op"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _positive(bench: Bench, *, area: AreaRef | None = HOME) -> UUID:
    """A case opened now."""
    person = bench.swab(area=area)
    bench.run({person.barcode: 24.0})
    return bench.session.scalars(
        select(F0Case.id).where(F0Case.person_id == person.person_id)
    ).one()


def _team_of(bench: Bench, subscription: UUID) -> UUID:
    return bench.session.get_one(Subscription, subscription).team_id


def _on_call(bench: Bench, team: UUID, name: str, place: int) -> UUID:
    who = add_contact(
        bench.session,
        team,
        name=name,
        phone=f"090100000{place}",
        site_id=bench.site_id,
        by=BY,
        now=bench.now,
    )
    spans = [Span(bench.now, bench.now + timedelta(hours=12))]
    plan_duty(bench.session, who, place, spans, site_id=bench.site_id, by=BY, now=bench.now)
    return who


def _look(bench: Bench, opened: datetime, minutes: int) -> list[tuple[str, str | None, str | None]]:
    """The deliverer looks so many minutes after the case was opened; what it did then."""
    at = opened + timedelta(minutes=minutes)
    escalate(bench.session, at, site_id=bench.site_id)
    rows = bench.session.execute(
        select(EscalationStep.step, Team.name, Contact.name)
        .outerjoin(Team, Team.id == EscalationStep.team_id)
        .outerjoin(Contact, Contact.id == EscalationStep.contact_id)
        .where(EscalationStep.at == at)
        .order_by(EscalationStep.id)
    )
    order = ["roster", "ward", "province", "nation", "voice"]
    return sorted(
        ((step, team, who) for step, team, who in rows), key=lambda row: order.index(row[0])
    )


def _told(bench: Bench) -> set[UUID]:
    return {n.subscription_id for n in seen.notices(bench.session, "case.opened")}


def test_no_team_in_the_ward_then_the_province_and_without_one_the_national_desk(
    bench: Bench,
) -> None:
    _positive(bench)
    assert _told(bench) == {bench.desk()}
    province = bench.later(5).subscribe(PROVINCE)
    bench.later(5)
    _positive(bench)
    assert _told(bench) == {bench.desk(), province}


def test_nobody_claims_after_15_minutes_the_next_in_the_roster_30_province_45_voice_list(
    bench: Bench,
) -> None:
    home = bench.subscribe(HOME, name="Tổ Tân Định")
    province = bench.subscribe(PROVINCE, name="CDC")
    team = _team_of(bench, home)
    _on_call(bench, team, "Lan", 1)
    _on_call(bench, team, "Hùng", 2)
    case = _positive(bench)
    opened = bench.session.get_one(F0Case, case).opened_at

    assert _look(bench, opened, 14) == []
    assert _look(bench, opened, 15) == [("roster", "Tổ Tân Định", "Hùng")]
    assert _told(bench) == {home}
    assert _look(bench, opened, 30) == [("province", "CDC", None)]
    assert _told(bench) == {home, province}
    assert _look(bench, opened, 45) == [
        ("nation", "National desk", None),
        ("voice", None, None),
    ]
    assert _told(bench) == {home, province, bench.desk()}
    assert _look(bench, opened, 46) == []


def test_a_claim_at_any_moment_ends_the_steps_and_giving_back_begins_them_again(
    bench: Bench,
) -> None:
    team = _team_of(bench, bench.subscribe(HOME))
    case = _positive(bench)
    opened = bench.session.get_one(F0Case, case).opened_at
    assert len(_look(bench, opened, 15)) == 1
    at = opened + timedelta(minutes=16)
    claim(bench.session, case, team, by="user:hanh", now=at)
    assert _look(bench, opened, 500) == []
    back = opened + timedelta(minutes=501)
    release_claim(bench.session, case, by="user:hanh", now=back, reason="chuyển phường")
    assert [_look(bench, back, m) for m in (14, 15)] == [
        [],
        [("roster", f"Team {HOME.scheme} {HOME.code}", None)],
    ]


def test_the_voice_list_is_rung_the_call_is_kept_and_only_a_claim_claims(bench: Bench) -> None:
    home = bench.subscribe(HOME, name="Tổ Tân Định")
    team = _team_of(bench, home)
    lan = _on_call(bench, team, "Lan", 1)
    case = _positive(bench)
    opened = bench.session.get_one(F0Case, case).opened_at
    _look(bench, opened, 45)
    at, reader = opened + timedelta(minutes=50), Reader(everything=True)
    ask: dict[str, Any] = {
        "reader": reader,
        "as_of": at,
        "site_id": bench.site_id,
        "by": BY,
        "now": at,
    }

    first = next(
        one
        for one in to_ring(bench.session, reader, site_id=bench.site_id, now=at)
        if one.team_id == team
    )
    assert (first.shown, first.numbers[0].contact_id) == ([case], lan)
    said = Said(uuid7(), team, lan, Reached.REACHED, "sẽ nhận ngay")
    assert record_call(bench.session, said, **ask).cases == 1
    assert bench.session.scalars(select(Claim.id)).all() == []
    assert claim_by_word(bench.session, team, **ask).claimed == (case,)
    assert to_ring(bench.session, reader, site_id=bench.site_id, now=at) == []


def test_a_worker_of_a_zone_is_told_of_to_home_work_and_the_zone_and_the_day_adds_up(
    bench: Bench,
) -> None:
    start = bench.now
    home, work = bench.subscribe(HOME), bench.subscribe(WORK)
    given: dict[str, Any] = {"site_id": bench.site_id, "by": BY, "now": bench.now}
    zone = open_zone(bench.session, name="KCN Tân Tạo", kind=ZoneKind.INDUSTRIAL, **given)
    far = _team_of(bench, bench.subscribe(PROVINCE))
    theirs = subscribe(
        bench.session,
        team_id=far,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        url="",
        private=False,
        **given,
    ).subscription_id
    person = bench.swab(area=HOME, work_area=WORK)
    late = bench.swab(area=HOME)
    tie = Belonging(person.person_id, zone, Tie.WORKER)
    join_zones(bench.session, [tie], **given)
    bench.later(5)
    bench.run({person.barcode: 24.0, late.barcode: 25.0})

    assert _told(bench) == {home, work, theirs}
    bench.later(5)
    join_zones(
        bench.session,
        [Belonging(late.person_id, zone, Tie.RESIDENT)],
        site_id=bench.site_id,
        by=BY,
        now=bench.now,
    )
    _look(bench, bench.now, 60)
    day = reconcile(
        bench.session,
        site_id=bench.site_id,
        since=start,
        until=bench.now + timedelta(days=1),
    )
    assert day.clean, day.differences
    assert day.told.due == 4


def test_a_recipient_that_was_stopped_when_a_case_opened_and_listens_again_was_not_due(
    bench: Bench,
) -> None:
    """S22: a receiver answers 410; an operator mends it. The day adds up all the same."""
    ward = bench.subscribe(area=HOME)
    bench.subscribe(area=PROVINCE)
    disable(bench.session, ward, by=BY, now=bench.now)
    bench.later(5)
    _positive(bench)
    bench.later(5)
    enable(bench.session, ward, by=BY, now=bench.now)
    bench.later(5)
    _positive(bench)


def test_a_zone_that_was_closed_when_a_case_opened_and_is_open_again_was_not_due(
    bench: Bench,
) -> None:
    given: dict[str, Any] = {"site_id": bench.site_id, "by": BY}
    zone = open_zone(
        bench.session, name="KCN Tân Tạo", kind=ZoneKind.INDUSTRIAL, now=bench.now, **given
    )
    subscribe(
        bench.session,
        team_id=_team_of(bench, bench.subscribe(area=HOME)),
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        private=False,
        now=bench.now,
        **given,
    )
    person = bench.swab(area=HOME)
    tie = Belonging(person.person_id, zone, Tie.WORKER)
    join_zones(bench.session, [tie], now=bench.now, **given)
    set_zone_open(bench.session, zone, False, now=bench.now, **given)
    bench.later(5)
    bench.run({person.barcode: 24.0})
    bench.later(5)
    set_zone_open(bench.session, zone, True, now=bench.now, **given)
