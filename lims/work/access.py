"""Who may enter, and is shut out at once (signing in: sign_in.py; machines: tokens.py)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import InvalidBody, LastAdmin, NotFound
from lims.tables import LoginAttempt, User
from lims.work import passwords
from lims.work.audit import record

LOGIN: Final = re.compile(r"[a-z0-9._-]{2,40}")


class Role(StrEnum):
    """What somebody does here; one person may do several."""

    TECHNICIAN = "technician"
    REVIEWER = "reviewer"
    TRACER = "tracer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Fault(StrEnum):
    """What is wrong with one field, as said beside it."""

    LOGIN = "2 to 40 small letters, digits, dots, hyphens or underscores"
    LOGIN_TAKEN = "somebody else has this login"
    NAME = "a name, at most 200 characters"
    NAME_TAKEN = "this name is already used"
    PASSWORD = "at least 10 characters, and not the login itself"  # noqa: S105 - a sentence
    ROLES = "at least one role"
    SCOPES = "at least one scope"
    PHONE = "a Vietnamese telephone number, or +country and number"
    TEAM = "a team of this site"
    TEAM_OF_CASES = "the team whose cases it opens, or every team"
    URL = "an https address, or http on this machine"
    GATHER = "1 minute to 24 hours, or nothing"
    NO_MAIL = "no mail server is set up here: see LIMS_SMTP"
    AREA_UNKNOWN = "no province or commune of this name or code"
    AREA_ASKED = "a commune or province, or a tick at “the whole country”"
    AREA_OR_ALL = "a place or the whole country, not both"
    AREA_SEVERAL = "several places have this name: choose one with its code"
    ZONE = "an area or an open zone, not both"
    HOURS = "hours of at most one day, on one day at least"
    DRIVER = "a driver from the list"
    POOL_SIZE = "1 to 100 swabs in a pool"
    PROMISE = "half an hour to 240 hours"
    RESOLUTION = "one of the ways that are offered"
    LABELS = "1 to 2,000 labels"
    LIST_HOURS = "whole hours of the day, such as 7, 13, 19"
    EMAIL = "an e-mail address such as truyvet@example.vn"
    SOURCE = "the decision or document that it is from"
    RULES = "1 to 40 rules"
    RULE = "a colour, and whole numbers or nothing in each condition"
    RULE_RANGE = (
        "lines that fit somebody: from not above to, age 0 to 130, doses 0 to 20, SpO₂ 50 to 100"
    )
    RULE_SHADOWED = "no line that never decides because a worse line fits all of its people"
    RULE_SEVERE = "a line worse than green for severe signs alone: nobody with them may be green"
    SPO2 = "50 to 100 per cent"
    AGE = "0 to 130 years"
    DOSES = "0 to 20 doses"
    ONSET = "a day that has been, not before December 2019"
    GROUNDS = "PCR, and any of the ways that are offered"
    SECOND_WITHIN = "whole hours, 1 to 168"
    DAY = "a day such as 21/11/2026"
    DAY_JUDGED = "a later day: evidence since this one is judged already, by what held then"
    HOST = "a computer's name or address, without a port"
    HOST_PRIVATE = (
        "an address inside a private network, or encryption: nobody's result in the clear"
    )
    PORT = "a port from 1 to 65535"
    HL7_NAME = "a name without | ^ ~ & or a backslash"
    PLATFORM_URL = "an https address, or http inside a private network"
    PLATFORM_TOKEN = "the token that the platform gave, without spaces"  # noqa: S105 - a sentence
    FACILITY = "the code that the platform knows this laboratory by"
    CERTIFICATE = "a certificate in PEM form, with TLS"


@dataclass(frozen=True)
class SignedIn:
    """Somebody at the HTML door; ``actor`` is how the audit trail calls them."""

    user_id: UUID
    site_id: UUID
    login: str
    name: str
    roles: frozenset[Role]
    team_id: UUID | None
    session_epoch: int

    @property
    def actor(self) -> str:
        return f"user:{self.login}"


def create_user(
    session: Session,
    *,
    site_id: UUID,
    login: str,
    name: str,
    password: str,
    roles: Collection[Role],
    team_id: UUID | None = None,
    by: str,
    now: datetime,
) -> UUID:
    """Raises InvalidBody naming every field that cannot stand."""
    login, name = login.strip().lower(), name.strip()
    faults: dict[str, Fault] = {}
    if not LOGIN.fullmatch(login):
        faults["login"] = Fault.LOGIN
    elif session.scalar(select(User.id).where(User.login == login)):
        faults["login"] = Fault.LOGIN_TAKEN
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    if not passwords.good_enough(password, login=login):
        faults["password"] = Fault.PASSWORD
    if not roles:
        faults["roles"] = Fault.ROLES
    refuse(faults, where="user")
    user = User(
        id=uuid7(),
        site_id=site_id,
        login=login,
        name=name,
        password_hash=passwords.hashed(password),
        roles=sorted(roles),
        team_id=team_id,
        created_at=now,
    )
    session.add(user)
    _record(session, user, "user-created", by, now, login=login, roles=user.roles)
    return user.id


def set_password(session: Session, user_id: UUID, password: str, *, by: str, now: datetime) -> None:
    """Every session of theirs ends. Raises InvalidBody, NotFound."""
    user = _user(session, user_id)
    if not passwords.good_enough(password, login=user.login):
        refuse({"password": Fault.PASSWORD}, where="user")
    user.password_hash = passwords.hashed(password)
    user.session_epoch += 1
    _forget_failures(session, user.login)
    _record(session, user, "password-set", by, now)


def set_roles(
    session: Session,
    user_id: UUID,
    roles: Collection[Role],
    *,
    team_id: UUID | None,
    by: str,
    now: datetime,
) -> None:
    """What they may do and for which team, from their next click on.

    Raises InvalidBody, NotFound, LastAdmin.
    """
    if not roles:
        refuse({"roles": Fault.ROLES}, where="user")
    user = _user(session, user_id)
    if Role.ADMIN not in roles:
        _refuse_without_admin(session, user)
    before = user.roles
    user.roles, user.team_id = sorted(roles), team_id
    _record(session, user, "roles-set", by, now, before=before, after=user.roles)


def set_active(session: Session, user_id: UUID, active: bool, *, by: str, now: datetime) -> None:
    """Deactivated: out at once, on every device; their deeds stay in the record.

    Raises NotFound, LastAdmin.
    """
    user = _user(session, user_id)
    if not active:
        _refuse_without_admin(session, user)
    user.active = active
    user.session_epoch += 1
    _record(session, user, "user-activated" if active else "user-deactivated", by, now)


def sign_out(session: Session, me: SignedIn, now: datetime) -> None:
    """End every session of theirs: a copy of the cookie must not outlive the click.

    Signing out again changes nothing.
    """
    user = _user(session, me.user_id)
    if user.session_epoch == me.session_epoch:
        user.session_epoch += 1
        _record(session, user, "signed-out", me.actor, now)


def signed_in(session: Session, user_id: UUID, session_epoch: int) -> SignedIn | None:
    """Whose session this is; None once they signed out, were shut out or changed their password."""
    values = {"user": user_id, "epoch": session_epoch}
    row = session.execute(_WHO, values).one_or_none()
    if row is None:
        return None
    user_id, site_id, login, name, roles, team_id = row
    return SignedIn(
        user_id, site_id, login, name, frozenset(map(Role, roles)), team_id, session_epoch
    )


# Asked at every page and scan: the columns alone, since an object of the ORM costs twice as much.
_WHO: Final = text("""
SELECT id, site_id, login, name, roles, team_id FROM user_account
WHERE id = :user AND session_epoch = :epoch AND active
""")


def refuse(faults: dict[str, Fault], *, where: str) -> None:
    """Raises InvalidBody with a JSON pointer and a sentence per field (RFC 9457 section 3)."""
    if faults:
        raise InvalidBody(
            errors=[
                {"pointer": f"#/{field}", "detail": str(fault)} for field, fault in faults.items()
            ],
            where=where,
        )


def _forget_failures(session: Session, login: str) -> None:
    session.execute(delete(LoginAttempt).where(LoginAttempt.login == login))


def _user(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(came=str(user_id), where="users")
    return user


def _refuse_without_admin(session: Session, leaving: User) -> None:
    """All admins are locked, so that two of them cannot put each other out at one moment."""
    admins = session.scalars(
        select(User.id)
        .where(User.site_id == leaving.site_id, User.active, User.roles.contains([Role.ADMIN]))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if list(admins) == [leaving.id]:
        raise LastAdmin(where=f"user {leaving.login}")


def _record(
    session: Session, user: User, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=user.site_id,
        actor=by,
        verb=verb,
        subject=str(user.id),
        now=now,
        **detail,
    )
