"""Administration through the pages, as an administrator does it."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Flask
from sqlalchemy import select

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.tables import AuditEvent, Subscription, User
from lims.work.access import Role
from lims.work.areas import SCHEME, load_areas
from lims.work.tokens import token_holder
from lims.work.views.areas import find_areas, the_one_meant
from tests.web.browsing import PASSWORD, Browser, words
from tests.web.conftest import SignIn
from tests.web.rows import areas


def test_somebody_new_signs_in_and_is_shut_out_again(
    signed_in: SignIn, app: Flask, laboratory: Laboratory
) -> None:
    admin = signed_in(Role.ADMIN)
    form = {"login": "Lan.Nguyen", "name": "KTV Lan", "password": PASSWORD, "roles": ["technician"]}
    page = admin.post("/admin/users", form, seen="/admin/users").location
    lan = Browser(app.test_client())
    assert lan.sign_in("lan.nguyen", PASSWORD).location == "/"
    assert lan.get("/").status_code == 200

    admin.post(page + "/active", {"active": "no"}, seen=page)
    assert lan.get("/").status_code == 303
    assert "Shut out: cannot sign in" in words(admin.get(page))
    with laboratory.sessions.begin() as session:
        verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.actor == "user:admin"))
        assert {"user-created", "user-deactivated"} <= set(verbs)


def test_a_form_that_cannot_stand_comes_back_with_the_fault_beside_the_field(
    signed_in: SignIn,
) -> None:
    form = {"login": "Ánh", "name": "Chị Ánh", "password": "abcabc"}
    answer = signed_in(Role.ADMIN).post("/admin/users", form, seen="/admin/users")
    assert answer.status_code == 422
    said = words(answer)
    assert "2 to 40 small letters" in said and "at least one role" in said
    assert 'value="Chị Ánh"' in answer.text and "abcabc" not in answer.text


def test_a_new_role_counts_from_the_next_click(signed_in: SignIn, laboratory: Laboratory) -> None:
    admin, technician = signed_in(Role.ADMIN), signed_in(Role.TECHNICIAN)
    assert technician.get("/admin/teams").status_code == 403
    with laboratory.sessions.begin() as session:
        who = session.scalars(select(User.id).where(User.login == "technician")).one()
    page = f"/admin/users/{who}"
    admin.post(page + "/roles", {"roles": ["operator"]}, seen=page)
    assert technician.get("/admin/teams").status_code == 200


def test_the_last_administrator_is_told_why_they_must_stay(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    admin = signed_in(Role.ADMIN)
    with laboratory.sessions.begin() as session:
        who = session.scalars(select(User.id)).one()
    answer = admin.post(f"/admin/users/{who}/active", {"active": "no"}, seen="/admin/users")
    assert answer.status_code == 409
    assert "make somebody else administrator first" in words(answer)


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    admin = signed_in(Role.ADMIN)
    form = {"name": "gateway 1", "scopes": ["measure", "everything"]}
    issued = re.search(r"tt_[\w-]+", admin.post("/admin/tokens", form, seen="/admin/tokens").text)
    assert issued is not None
    listed = admin.get("/admin/tokens").text
    assert "gateway 1" in listed and issued[0] not in listed
    with laboratory.sessions.begin() as session:
        holder = token_holder(session, issued[0], now)
    assert holder.scopes == {"measure"}
    admin.post(f"/admin/tokens/{holder.token_id}/revoke", seen="/admin/tokens")
    assert "revoked" in words(admin.get("/admin/tokens"))


def test_a_token_for_cases_names_its_team_or_says_every_team(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    form = {"name": "tracing", "scopes": ["cases"]}
    page = admin.post("/admin/tokens", form, seen="/admin/tokens")
    assert page.status_code == 422
    assert "the team whose cases it opens, or every team" in words(page)
    strange = {**form, "team": str(uuid7())}
    assert admin.post("/admin/tokens", strange, seen="/admin/tokens").status_code == 422
    every = admin.post("/admin/tokens", {**form, "team": "every"}, seen="/admin/tokens")
    assert "tt_" in every.text


def test_a_team_is_told_of_a_commune_found_by_its_name(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    with laboratory.sessions.begin() as session:
        areas(session)
    operator = signed_in(Role.OPERATOR)
    offered = (
        words(operator.get("/admin/areas?q=cau giay"))
        + operator.get("/admin/areas?q=C%E1%BA%A7u Gi%E1%BA%A5y").text
    )
    assert "Phường Cầu Giấy, Hà Nội" in offered
    operator.post("/admin/teams", {"name": "Tổ Cầu Giấy"}, seen="/admin/teams")
    listed = operator.get("/admin/subscriptions").text
    team = re.search(r'<option value="([\w-]{36})">Tổ Cầu Giấy', listed)
    form = {"team": team and team[1], "area": "phường Cầu Giấy, Hà Nội", "channel": "board"}
    operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    assert "Tổ Cầu Giấy Phường Cầu Giấy, Hà Nội board" in words(
        operator.get("/admin/subscriptions")
    )


def test_an_area_that_many_share_is_asked_for_again_with_its_code(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    with laboratory.sessions.begin() as session:
        areas(session)
    operator = signed_in(Role.OPERATOR)
    listed = operator.get("/admin/subscriptions").text
    desk = re.search(r'<option value="([\w-]{36})">', listed)
    form = {"team": desk and desk[1], "area": "Tân", "channel": "board"}
    answer = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    assert answer.status_code == 422
    assert "several places have this name" in words(answer)
    assert answer.text.count("<option value=") > 10
    nowhere = {**form, "area": "Atlantis"}
    again = operator.post("/admin/subscriptions", nowhere, seen="/admin/subscriptions")
    assert "no province or commune of this name" in words(again)


def test_a_full_name_within_its_province_is_meant_and_the_others_can_be_chosen(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    with laboratory.sessions.begin() as session:
        load_areas(session)
        asked = "Xã Tam Dương, Phú Thọ"
        found = find_areas(session, SCHEME, asked)
        meant = the_one_meant(found, asked)
        assert len(found) > 1 and meant is not None and meant.full_name == "Xã Tam Dương"
        assert the_one_meant(find_areas(session, SCHEME, "Tân"), "Tân") is None
    operator = signed_in(Role.OPERATOR, language="vi")
    listed = operator.get("/admin/subscriptions").text
    assert "Bàn trực quốc gia" in listed and "National desk" not in listed
    desk = re.search(r'<option value="([\w-]{36})">', listed)
    form = {"team": desk and desk[1], "area": "Tân", "channel": "board"}
    answer = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    offered = re.findall(r'name="area_chosen" value="([^"]+)"', answer.text)
    assert len(offered) > 1
    chosen = {**form, "area_chosen": offered[1]}
    operator.post("/admin/subscriptions", chosen, seen="/admin/subscriptions")
    assert offered[1].split(" · ")[1] in words(operator.get("/admin/subscriptions"))


HOOK = {"channel": "webhook", "url": "https://cdc.example.vn/hook"}


def test_a_webhooks_secret_is_shown_once_and_it_can_be_switched_off_and_on(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    operator = signed_in(Role.OPERATOR)
    desk = re.search(r'<option value="([\w-]{36})">', operator.get("/admin/subscriptions").text)
    form = {"team": desk and desk[1], "everywhere": "yes"} | HOOK
    answer = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    assert answer.text.count("whsec_") == 1
    assert "whsec_" not in operator.get("/admin/subscriptions").text
    with laboratory.sessions.begin() as session:
        hook = session.scalars(
            select(Subscription.id).where(Subscription.channel == "webhook")
        ).one()
    page = f"/admin/subscriptions/{hook}"
    operator.post(page + "/disable", seen="/admin/subscriptions")
    assert "off since 11 Sep 08:00: by hand" in words(operator.get("/admin/subscriptions"))
    operator.post(page + "/enable", seen="/admin/subscriptions")
    assert "off since" not in words(operator.get("/admin/subscriptions"))


def test_a_new_secret_is_shown_once_while_the_old_one_still_signs(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    operator = signed_in(Role.OPERATOR)
    desk = re.search(r'<option value="([\w-]{36})">', operator.get("/admin/subscriptions").text)
    form = {"team": desk and desk[1], "everywhere": "yes"} | HOOK
    first = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    with laboratory.sessions.begin() as session:
        hook = session.scalars(
            select(Subscription.id).where(Subscription.channel == "webhook")
        ).one()
    page = f"/admin/subscriptions/{hook}/secret"
    changed = operator.post(page, seen="/admin/subscriptions")
    (old,), (new,) = (re.findall(r"whsec_[\w+/=]+", one.text) for one in (first, changed))
    assert old != new
    assert "the old secret signs too until 12 Sep 08:00" in words(changed)
    assert "whsec_" not in operator.get("/admin/subscriptions").text
    asks = re.search(
        r"<details[^>]*><summary>Drop the old secret…(.*?)</details>", changed.text, re.S
    )
    assert asks and "There is no way back." in asks[1] and f'action="{page}/old"' in asks[1]
    operator.post(page + "/old", seen="/admin/subscriptions")
    assert "signs too" not in words(operator.get("/admin/subscriptions"))


def test_no_letters_are_promised_where_no_mail_server_is_set_up(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR)
    desk = re.search(r'<option value="([\w-]{36})">', operator.get("/admin/subscriptions").text)
    form = {"team": desk and desk[1], "channel": "email", "email": "truyvet@example.vn"}
    form |= {"everywhere": "yes"}
    answer = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    assert answer.status_code == 422
    assert "LIMS_SMTP" in words(answer)


def test_a_forgotten_area_is_asked_for_and_never_means_the_whole_country(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    operator = signed_in(Role.OPERATOR)
    desk = re.search(r'<option value="([\w-]{36})">', operator.get("/admin/subscriptions").text)
    form = {"team": desk and desk[1]} | HOOK
    answer = operator.post("/admin/subscriptions", form, seen="/admin/subscriptions")
    assert answer.status_code == 422
    assert "a commune or province, or a tick at “the whole country”" in words(answer)
    both = form | {"everywhere": "yes", "area": "Hà Nội"}
    answer = operator.post("/admin/subscriptions", both, seen="/admin/subscriptions")
    assert answer.status_code == 422
    assert "a place or the whole country, not both" in words(answer)
    with laboratory.sessions.begin() as session:
        hooks = select(Subscription.id).where(Subscription.channel == "webhook")
        assert session.scalars(hooks).all() == []


def test_the_hint_of_a_webhook_says_what_is_taken_here(signed_in: SignIn, app: Flask) -> None:
    operator = signed_in(Role.OPERATOR)
    app.config["PRIVATE_WEBHOOKS"] = False
    assert "https only" in words(operator.get("/admin/subscriptions"))
    app.config["PRIVATE_WEBHOOKS"] = True
    page = words(operator.get("/admin/subscriptions"))
    assert "https only" not in page and "or http on this machine" in page
