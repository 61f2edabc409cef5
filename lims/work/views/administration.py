"""What the administration pages list: people, tokens, teams, subscriptions. Never a secret."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from lims.domain.refusals import NotFound
from lims.domain.telling import Channel
from lims.tables import Area, Subscription, Team, Token, User, Zone
from lims.work.access import Role
from lims.work.tokens import Scope


@dataclass(frozen=True, slots=True)
class UserLine:
    """Somebody who may sign in."""

    user_id: UUID
    login: str
    name: str
    roles: tuple[Role, ...]
    team_id: UUID | None
    team: str | None
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A machine's token, without the token."""

    token_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    team: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A tracing team, its people and what it is told."""

    team_id: UUID
    name: str
    phone: str | None
    members: int
    subscriptions: int


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """Who is told of which area or zone, and how. Neither is the whole country."""

    subscription_id: UUID
    team: str
    area: str | None
    zone: str | None
    channel: Channel
    to: str | None
    gather_s: int | None
    old_secret_until: datetime | None
    failing_since: datetime | None
    failures: int
    rests_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None

    @property
    def stays(self) -> bool:
        """The board of the whole country cannot be switched off (S21)."""
        return self.area is None and self.zone is None and self.channel is Channel.BOARD


def users(session: Session, site_id: UUID) -> list[UserLine]:
    """The active first, by login."""
    rows = session.execute(
        select(User, Team.name)
        .outerjoin(Team, Team.id == User.team_id)
        .where(User.site_id == site_id)
        .order_by(User.active.desc(), User.login)
    )
    return [_user(user, team) for user, team in rows]


def names_by_login(session: Session, site_id: UUID) -> dict[str, str]:
    """What people are called, also those who may not sign in any more."""
    found = session.execute(select(User.login, User.name).where(User.site_id == site_id))
    return {row.login: row.name for row in found}


def user(session: Session, site_id: UUID, user_id: UUID) -> UserLine:
    """Raises NotFound."""
    row = session.execute(
        select(User, Team.name)
        .outerjoin(Team, Team.id == User.team_id)
        .where(User.site_id == site_id, User.id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound(came=str(user_id), where="users")
    return _user(row[0], row[1])


def tokens(session: Session, site_id: UUID) -> list[TokenLine]:
    """Those that open something first, then the revoked, by name."""
    rows = session.execute(
        select(Token, Team.name)
        .outerjoin(Team, Team.id == Token.team_id)
        .where(Token.site_id == site_id)
        .order_by(Token.revoked_at.is_not(None), Token.name)
    )
    return [
        TokenLine(
            token.id,
            token.name,
            tuple(map(Scope, token.scopes)),
            team,
            token.created_at,
            token.last_used_at,
            token.revoked_at,
        )
        for token, team in rows
    ]


def teams(session: Session, site_id: UUID) -> list[TeamLine]:
    """By name."""
    members = (
        select(func.count())
        .where(User.team_id == Team.id, User.active)
        .correlate(Team)
        .scalar_subquery()
    )
    told = (
        select(func.count())
        .where(Subscription.team_id == Team.id, Subscription.disabled_at.is_(None))
        .correlate(Team)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Team.id, Team.name, Team.phone, members, told)
        .where(Team.site_id == site_id)
        .order_by(Team.name)
    )
    return [TeamLine(*row) for row in rows]


def subscriptions(session: Session, site_id: UUID) -> list[SubscriptionLine]:
    """Those that are told first, by team."""
    parent = aliased(Area)
    rows = session.execute(
        select(Subscription, Team.name, Area.full_name, parent.name, Zone.name)
        .join(Team, Team.id == Subscription.team_id)
        .outerjoin(
            Area,
            (Area.scheme == Subscription.area_scheme) & (Area.code == Subscription.area_code),
        )
        .outerjoin(parent, (parent.scheme == Area.scheme) & (parent.code == Area.parent_code))
        .outerjoin(Zone, Zone.id == Subscription.zone_id)
        .where(Subscription.site_id == site_id)
        .order_by(Subscription.disabled_at.is_not(None), Team.name, Subscription.created_at)
    )
    return [
        SubscriptionLine(
            row.id,
            team,
            ", ".join(name for name in (area, province) if name) or None,
            zone,
            Channel(row.channel),
            row.url or row.email,
            row.gather_s,
            row.old_secret_until,
            row.failing_since,
            row.failures,
            row.rests_until,
            row.created_at,
            row.disabled_at,
            row.disabled_why,
        )
        for row, team, area, province, zone in rows
    ]


def _user(row: User, team: str | None) -> UserLine:
    return UserLine(
        row.id,
        row.login,
        row.name,
        tuple(map(Role, row.roles)),
        row.team_id,
        team,
        row.active,
        row.created_at,
    )
