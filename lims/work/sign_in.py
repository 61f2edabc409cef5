"""People sign in by password: counted first, checked outside the transaction, then recorded.

A guess is a row before anybody looks at the password, so that a burst cannot outrun the count,
and no connection or lock is held while argon2 computes:

    with sessions.begin() as session:
        attempt = begin(session, login, address, now)
    proof = prove(attempt, password)
    with sessions.begin() as session:
        me = sign_in(session, attempt, proof, now)

Limits: five failures of one login from one address, so that a stranger's guesses elsewhere do not
lock its owner out; thirty of one address; and fifty of one login wherever they come from, so that
many addresses together cannot guess on.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import TooManyAttempts
from lims.tables import LoginAttempt, User
from lims.work import access, passwords
from lims.work.access import SignedIn
from lims.work.audit import record

WINDOW: Final = timedelta(minutes=15)
FAILURES_HERE: Final = 5  # of one login from one address
FAILURES_PER_ADDRESS: Final = 30
FAILURES_PER_LOGIN: Final = 50


@dataclass(frozen=True)
class Attempt:
    """One try, counted as failed until it is proved. ``stored`` is None for a login nobody has."""

    attempt_id: UUID
    login: str
    address: str
    stored: str | None


@dataclass(frozen=True)
class Proof:
    """Whether the password was the right one, and its hash by today's parameters if outdated."""

    right: bool
    fresh: str | None


def begin(session: Session, login: str, address: str, now: datetime) -> Attempt:
    """Count the attempt; the transaction must commit before the password is looked at.

    Raises TooManyAttempts. One attempt per login and per address is counted at a time (advisory
    locks, the login's first), so that each sees those before it.
    """
    login = login.strip().lower()
    if re.fullmatch(access.LOGIN, login) is None:
        login = ""  # people type passwords here: keep nothing of it
    for key in filter(None, (login, address)):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    _refuse_too_many(session, login, address, now)
    stored = (
        session.scalar(select(User.password_hash).where(User.login == login, User.active))
        if login
        else None
    )
    tried = LoginAttempt(id=uuid7(), login=login, address=address, at=now)
    session.add(tried)
    return Attempt(tried.id, login, address, stored)


def prove(attempt: Attempt, password: str) -> Proof:
    """Holds no connection. A login that nobody has costs the same time as a known one."""
    if attempt.stored is None:
        passwords.spend_the_same_time(password)
        return Proof(right=False, fresh=None)
    right = passwords.matches(attempt.stored, password)
    outdated = right and passwords.outdated(attempt.stored)
    return Proof(right, passwords.hashed(password) if outdated else None)


def sign_in(session: Session, attempt: Attempt, proof: Proof, now: datetime) -> SignedIn | None:
    """None: wrong login or password, or shut out meanwhile; the attempt stays counted."""
    me = confirm(session, attempt, proof)
    if me is not None:
        record(
            session,
            site_id=me.site_id,
            actor=me.actor,
            verb="signed-in",
            subject=str(me.user_id),
            now=now,
        )
    return me


def confirm(session: Session, attempt: Attempt, proof: Proof) -> SignedIn | None:
    """Who it is that knew the password; nobody signs in by it, and nothing is recorded."""
    if not proof.right:
        return None
    user = session.scalar(
        select(User)
        .where(User.login == attempt.login, User.password_hash == attempt.stored, User.active)
        .with_for_update()
    )
    if user is None:
        return None
    user.password_hash = proof.fresh or user.password_hash
    session.execute(
        delete(LoginAttempt).where(
            LoginAttempt.login == attempt.login, LoginAttempt.address == attempt.address
        )
    )
    return access.signed_in(session, user.id, user.session_epoch)


def _refuse_too_many(session: Session, login: str, address: str, now: datetime) -> None:
    of_login, of_address = LoginAttempt.login == login, LoginAttempt.address == address
    limits: list[tuple[int, ColumnElement[bool]]] = [(FAILURES_PER_ADDRESS, of_address)]
    if login:
        limits += [(FAILURES_HERE, of_login & of_address), (FAILURES_PER_LOGIN, of_login)]
    for limit, counted in limits:
        latest = session.scalars(
            select(LoginAttempt.at)
            .where(counted, LoginAttempt.at > now - WINDOW)
            .order_by(LoginAttempt.at.desc())
            .limit(limit)
        ).all()
        if len(latest) == limit:
            again = latest[-1] + WINDOW - now
            raise TooManyAttempts(retry_after_s=int(again.total_seconds()) + 1, where="sign-in")
