"""Who is told of which area."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.refusals import DeskStays, InvalidBody
from lims.domain.telling import Channel
from lims.tables import AuditEvent, Subscription, Team
from lims.work import subscribe
from lims.work.sites import found_site
from lims.work.subscribe import may_be_called
from lims.work.teams import create_team


@pytest.fixture
def site_id(session: Session, now: datetime) -> UUID:
    return found_site(session, prefix="TT", name="PXN Cầu Giấy", now=now)


@pytest.fixture
def team_id(session: Session, site_id: UUID, now: datetime) -> UUID:
    return create_team(
        session, site_id=site_id, name="Tổ 1", phone="024 3833 3333", by="user:minh", now=now
    )


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://cdc.example.vn/hook?team=4", True),
        ("https://cdc.example.vn:8443/hook", True),
        ("http://127.0.0.1:9000/hook", True),
        ("http://localhost:9000/", True),
        ("http://[::1]:9000/", True),
        ("http://cdc.example.vn/hook", False),
        ("http://127.0.0.1.example.vn/", False),
        ("ftp://cdc.example.vn/", False),
        ("https:///hook", False),
        ("https://user:word@cdc.example.vn/", False),
        ("https://cdc.example.vn/ hook", False),
        ("https://cdc.example.vn:port/", False),
        ("", False),
    ],
)
def test_a_case_never_crosses_a_network_in_the_clear(url: str, may: bool) -> None:
    assert may_be_called(url, private=True) is may


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://cdc.example.vn/hook?team=4", True),
        ("https://8.8.8.8/hook", True),
        ("http://127.0.0.1:9000/hook", False),
        ("http://localhost:9000/", False),
        ("https://localhost/", False),
        ("https://lims.localhost/", False),
        ("https://127.0.0.1/", False),
        ("https://10.1.2.3/", False),
        ("https://192.168.1.1/", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[::1]/", False),
        ("https://[fe80::1]/", False),
        ("https://[fd00::1]/", False),
        ("https://[::ffff:10.1.2.3]/", False),
    ],
)
def test_unless_an_operator_allows_it_no_receiver_is_behind_the_firewall(
    url: str, may: bool
) -> None:
    assert may_be_called(url, private=False) is may


def test_a_webhook_gets_a_secret_of_its_own_that_the_record_does_not_show(
    session: Session, site_id: UUID, team_id: UUID, now: datetime
) -> None:
    made = [
        subscribe.subscribe(
            session,
            site_id=site_id,
            team_id=team_id,
            area=None,
            channel=Channel.WEBHOOK,
            url="https://cdc.example.vn/hook",
            private=False,
            by="user:minh",
            now=now,
        )
        for _ in range(2)
    ]
    secrets = [one.secret or "" for one in made]
    assert [len(b64decode(secret.removeprefix("whsec_"))) for secret in secrets] == [32, 32]
    assert secrets[0] != secrets[1]
    session.flush()
    assert secrets[0] not in str(session.scalars(select(AuditEvent.detail)).all())


def test_a_subscription_without_a_team_or_with_a_bad_address_is_refused(
    session: Session, site_id: UUID, now: datetime
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        subscribe.subscribe(
            session,
            site_id=site_id,
            team_id=None,
            area=None,
            channel=Channel.WEBHOOK,
            url="http://cdc.example.vn",
            private=True,
            by="user:minh",
            now=now,
        )
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {"#/team", "#/url"}


def test_only_the_board_of_the_whole_country_cannot_be_switched_off(
    session: Session, site_id: UUID, team_id: UUID, now: datetime
) -> None:
    desk = session.scalars(select(Subscription.id)).one()
    with pytest.raises(DeskStays):
        subscribe.disable(session, desk, by="user:minh", now=now)
    webhook = subscribe.subscribe(
        session,
        site_id=site_id,
        team_id=team_id,
        area=None,
        channel=Channel.WEBHOOK,
        url="https://cdc.example.vn/hook",
        private=False,
        by="user:minh",
        now=now,
    ).subscription_id
    session.flush()
    subscribe.disable(session, webhook, by="user:minh", now=now)
    assert session.get_one(Subscription, webhook).disabled_at == now
    subscribe.enable(session, webhook, by="user:minh", now=now)
    assert session.get_one(Subscription, webhook).disabled_at is None


def test_a_team_keeps_its_telephone_in_one_form_and_its_name_to_itself(
    session: Session, site_id: UUID, team_id: UUID, now: datetime
) -> None:
    assert session.get_one(Team, team_id).phone == "+842438333333"
    with pytest.raises(InvalidBody) as refusal:
        create_team(session, site_id=site_id, name="Tổ 1", phone="12", by="user:minh", now=now)
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {"#/name", "#/phone"}


def test_a_new_secret_is_said_once_and_the_old_one_signs_for_a_day(
    session: Session, site_id: UUID, team_id: UUID, now: datetime
) -> None:
    made = subscribe.subscribe(
        session,
        site_id=site_id,
        team_id=team_id,
        area=None,
        channel=Channel.WEBHOOK,
        url="https://cdc.example.vn/hook",
        private=False,
        by="user:minh",
        now=now,
    )
    fresh = subscribe.rotate(session, made.subscription_id, by="user:minh", now=now)
    kept = session.get_one(Subscription, made.subscription_id)
    assert (kept.secret, kept.old_secret) == (fresh, made.secret)
    assert kept.old_secret_until == now + subscribe.OVERLAP
    subscribe.drop_old_secret(session, made.subscription_id, by="user:minh", now=now)
    subscribe.drop_old_secret(session, made.subscription_id, by="user:minh", now=now)
    signing = select(Subscription.old_secret_until).where(Subscription.id == made.subscription_id)
    assert session.scalars(signing).one() is None
    events = session.scalars(select(AuditEvent).where(AuditEvent.subject == str(kept.id))).all()
    assert sorted(event.verb for event in events)[:2] == ["old-secret-dropped", "secret-rotated"]
    assert all(fresh not in str(event.detail) for event in events)


def test_a_board_has_no_secret_to_change(session: Session, site_id: UUID, now: datetime) -> None:
    board = session.scalars(select(Subscription.id).where(Subscription.channel == "board")).one()
    with pytest.raises(subscribe.NoSecret):
        subscribe.rotate(session, board, by="user:minh", now=now)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"area": subscribe.AreaKey("2025-07", "99999")}, "#/area"),
        ({"area": subscribe.AreaKey("1999", "00166")}, "#/area"),
        ({"channel": Channel.EMAIL, "email": "nobody"}, "#/email"),
        ({"channel": Channel.EMAIL, "email": "a@b.test\nBcc: c@d.test"}, "#/email"),
        ({"channel": Channel.EMAIL, "email": "a@b.test", "gather_s": 1}, "#/gather"),
    ],
)
def test_an_unknown_area_and_an_unusable_address_are_refused_by_field(
    session: Session,
    site_id: UUID,
    team_id: UUID,
    now: datetime,
    *,
    wanted: dict[str, Any],
    field: str,
) -> None:
    asked: dict[str, Any] = {"area": None, "channel": Channel.BOARD} | wanted
    with pytest.raises(InvalidBody) as refused:
        subscribe.subscribe(
            session,
            site_id=site_id,
            team_id=team_id,
            private=False,
            by="user:minh",
            now=now,
            **asked,
        )
    errors = refused.value.facts["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == [field]
