"""People and machines at the door."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.domain.refusals import InvalidBody, LastAdmin, NotSignedIn, TooManyAttempts
from lims.tables import AuditEvent, LoginAttempt, Token, User
from lims.work import access, sign_in
from lims.work.access import Role, SignedIn
from lims.work.sites import found_site
from lims.work.tokens import Scope, issue_token, revoke_token, token_holder

PASSWORD = "trời hôm nay đẹp quá"
HERE = "10.1.2.3"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site_id(session: Session, now: datetime) -> UUID:
    return found_site(session, prefix="TT", name="PXN Cầu Giấy", now=now)


def user(
    session: Session,
    site_id: UUID,
    now: datetime,
    *,
    login: str = "lan",
    roles: tuple[Role, ...] = (Role.TECHNICIAN,),
) -> UUID:
    return access.create_user(
        session,
        site_id=site_id,
        login=login,
        name="KTV Lan",
        password=PASSWORD,
        roles=roles,
        by="test",
        now=now,
    )


def enter(
    session: Session, login: str, password: str, address: str, now: datetime
) -> SignedIn | None:
    """The whole of signing in, as the page does it."""
    attempt = sign_in.begin(session, login, address, now)
    session.flush()
    return sign_in.sign_in(session, attempt, sign_in.prove(attempt, password), now)


def fail(
    session: Session, now: datetime, times: int, login: str = "lan", address: str = HERE
) -> None:
    for _ in range(times):
        assert enter(session, login, "not this one", address, now) is None


def test_the_right_password_opens_whatever_the_case_of_the_login(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    me = enter(session, " Lan ", PASSWORD, HERE, now)
    assert me is not None
    assert me.actor == "user:lan"
    assert me.roles == {Role.TECHNICIAN}


def test_guesses_from_elsewhere_do_not_lock_the_owner_out_until_there_are_fifty(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    for stranger in range(9):
        fail(session, now, 5, address=f"203.0.113.{stranger}")
    assert enter(session, "lan", PASSWORD, HERE, now) is not None
    fail(session, now, 5, address="203.0.113.99")
    with pytest.raises(TooManyAttempts):
        enter(session, "lan", PASSWORD, HERE, now)


def test_a_guess_counts_before_its_password_is_looked_at(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    for _ in range(5):
        sign_in.begin(session, "lan", HERE, now)
        session.flush()
    with pytest.raises(TooManyAttempts):
        sign_in.begin(session, "lan", HERE, now)


def test_a_password_changed_while_it_was_checked_opens_nothing(
    session: Session, site_id: UUID, now: datetime
) -> None:
    who = user(session, site_id, now)
    attempt = sign_in.begin(session, "lan", HERE, now)
    proof = sign_in.prove(attempt, PASSWORD)
    access.set_password(session, who, "một câu khác hẳn", by="user:admin", now=now)
    session.flush()
    assert proof.right
    assert sign_in.sign_in(session, attempt, proof, now) is None


def test_five_failures_close_a_login_here_for_fifteen_minutes_even_to_the_right_password(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    fail(session, now, 5)
    with pytest.raises(TooManyAttempts) as refusal:
        enter(session, "lan", PASSWORD, HERE, now + 5 * MINUTE)
    assert refusal.value.facts["retry_after_s"] == 10 * 60 + 1
    again = now + timedelta(minutes=15, seconds=1)
    assert enter(session, "lan", PASSWORD, HERE, again) is not None


def test_a_success_forgets_the_failures_before_it(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    fail(session, now, 4)
    assert enter(session, "lan", PASSWORD, HERE, now) is not None
    fail(session, now, 4)
    assert enter(session, "lan", PASSWORD, HERE, now) is not None


def test_thirty_failures_of_one_address_close_it_for_every_login(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    for number in range(30):
        fail(session, now, 1, login=f"guess{number}")
    with pytest.raises(TooManyAttempts):
        enter(session, "lan", PASSWORD, HERE, now)
    assert enter(session, "lan", PASSWORD, "10.9.9.9", now) is not None


def test_a_password_typed_as_the_login_is_not_kept(
    session: Session, site_id: UUID, now: datetime
) -> None:
    fail(session, now, 1, login=PASSWORD)
    assert session.scalars(select(LoginAttempt.login)).all() == [""]


def test_nobody_learns_whether_a_login_exists(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    assert enter(session, "lan", "wrong", HERE, now) is None
    assert enter(session, "nobody", "wrong", HERE, now) is None
    assert enter(session, "x" * 500, "wrong", HERE, now) is None


def test_a_new_password_ends_every_session(session: Session, site_id: UUID, now: datetime) -> None:
    who = user(session, site_id, now)
    before = enter(session, "lan", PASSWORD, HERE, now)
    assert before and access.signed_in(session, who, before.session_epoch) == before
    access.set_password(session, who, "một câu khác hẳn", by="user:admin", now=now)
    assert access.signed_in(session, who, before.session_epoch) is None
    assert enter(session, "lan", PASSWORD, HERE, now) is None
    assert enter(session, "lan", "một câu khác hẳn", HERE, now) is not None


def test_somebody_shut_out_is_out_at_once(session: Session, site_id: UUID, now: datetime) -> None:
    who = user(session, site_id, now)
    me = enter(session, "lan", PASSWORD, HERE, now)
    access.set_active(session, who, False, by="user:admin", now=now)
    assert me and access.signed_in(session, who, me.session_epoch) is None
    assert enter(session, "lan", PASSWORD, HERE, now) is None


def test_the_last_administrator_can_neither_leave_nor_be_demoted(
    session: Session, site_id: UUID, now: datetime
) -> None:
    first = user(session, site_id, now, login="first", roles=(Role.ADMIN,))
    with pytest.raises(LastAdmin):
        access.set_active(session, first, False, by="user:first", now=now)
    with pytest.raises(LastAdmin):
        access.set_roles(session, first, {Role.TRACER}, team_id=None, by="user:first", now=now)
    user(session, site_id, now, login="second", roles=(Role.ADMIN, Role.OPERATOR))
    access.set_active(session, first, False, by="user:second", now=now)


def test_every_field_that_cannot_stand_is_named_at_once(
    session: Session, site_id: UUID, now: datetime
) -> None:
    user(session, site_id, now)
    with pytest.raises(InvalidBody) as refusal:
        access.create_user(
            session,
            site_id=site_id,
            login="LAN",
            name=" ",
            password="lan-lan-lan-lan",
            roles=(),
            by="test",
            now=now,
        )
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == ["#/login", "#/name", "#/password", "#/roles"]


@pytest.mark.slow_hash
def test_no_password_stands_anywhere_in_plain(
    session: Session, site_id: UUID, now: datetime
) -> None:
    who = user(session, site_id, now)
    access.set_password(session, who, "một câu khác hẳn", by="user:admin", now=now)
    assert session.get_one(User, who).password_hash.startswith("$argon2id$v=19$m=65536,t=3,")
    details = str(session.scalars(select(AuditEvent.detail)).all())
    assert PASSWORD not in details and "một câu" not in details
    verbs = session.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)).all()
    assert verbs == ["user-created", "password-set"]


def test_parallel_guesses_cannot_outrun_the_count(database: Engine, now: datetime) -> None:
    sessions = session_factory(database)
    with sessions.begin() as setup:
        user(setup, found_site(setup, prefix="TT", name="PXN", now=now), now)
        fail(setup, now, 4)
    with sessions.begin() as one, sessions.begin() as other:
        fail(one, now, 1)
        other.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock timeout"):
            enter(other, "lan", PASSWORD, HERE, now)  # waits for the fifth to be counted
        other.rollback()
    with sessions.begin() as later, pytest.raises(TooManyAttempts):
        enter(later, "lan", PASSWORD, HERE, now)


def test_a_token_opens_its_scopes_until_it_is_revoked(
    session: Session, site_id: UUID, now: datetime
) -> None:
    plain = issue_token(
        session, site_id=site_id, name="gateway 1", scopes={Scope.MEASURE}, by="user:admin", now=now
    )
    session.flush()
    kept = session.scalars(select(Token)).one()
    assert plain.startswith("tt_") and plain not in str(vars(kept))
    holder = token_holder(session, plain, now)
    assert holder.actor == "token:gateway 1"
    assert holder.scopes == {Scope.MEASURE}
    revoke_token(session, kept.id, by="user:admin", now=now)
    with pytest.raises(NotSignedIn):
        token_holder(session, plain, now)
    with pytest.raises(NotSignedIn):
        token_holder(session, plain[:-1], now)


def test_a_busy_token_writes_its_last_use_once_a_minute(
    session: Session, site_id: UUID, now: datetime
) -> None:
    plain = issue_token(
        session, site_id=site_id, name="gateway 1", scopes={Scope.MEASURE}, by="user:admin", now=now
    )
    for seconds in (0, 30, 59, 61):
        token_holder(session, plain, now + timedelta(seconds=seconds))
    assert session.scalars(select(Token.last_used_at)).one() == now + timedelta(seconds=61)


def test_two_tokens_of_one_name_are_refused(session: Session, site_id: UUID, now: datetime) -> None:
    for name, scopes in (("a", {Scope.READ}), ("a", {Scope.READ}), ("b", set[Scope]())):
        try:
            issue_token(session, site_id=site_id, name=name, scopes=scopes, by="x", now=now)
        except InvalidBody:
            continue
    assert session.scalars(select(Token.name)).all() == ["a"]
