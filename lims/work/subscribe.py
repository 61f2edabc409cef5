"""Who is told about the cases of an area, and how: the board, or a webhook with its own secret."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.addresses import is_public
from lims.domain.refusals import DeskStays, NotFound
from lims.tables import Subscription, Team
from lims.work.access import Fault, refuse
from lims.work.audit import record

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - Standard Webhooks' prefix, not a secret
_MOST_CHARACTERS: Final = 2000


class Channel(StrEnum):
    """How a team hears of a case."""

    BOARD = "board"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class AreaKey:
    """A unit by its scheme and code; a code alone names different places in different years."""

    scheme: str
    code: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A new subscription; the secret is said this one time."""

    subscription_id: UUID
    secret: str | None


def subscribe(
    session: Session,
    *,
    site_id: UUID,
    team_id: UUID | None,
    area: AreaKey | None,
    channel: Channel,
    url: str,
    private: bool,
    by: str,
    now: datetime,
) -> Subscribed:
    """Tell a team of an area's cases; no area is the whole country.

    `private`: a webhook on this machine or in a private network is allowed. The secret is 256
    random bits in the form of Standard Webhooks. Raises InvalidBody.
    """
    faults = dict[str, Fault]()
    team = session.get(Team, team_id) if team_id else None
    if team is None or team.site_id != site_id:
        faults["team"] = Fault.TEAM
    url = url.strip()
    if channel is Channel.WEBHOOK and not may_be_called(url, private=private):
        faults["url"] = Fault.URL
    refuse(faults, where="subscription")
    webhook = channel is Channel.WEBHOOK
    secret = SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode() if webhook else None
    subscription = Subscription(
        id=uuid7(),
        site_id=site_id,
        team_id=team_id,
        area_scheme=area.scheme if area else None,
        area_code=area.code if area else None,
        channel=channel,
        url=url if webhook else None,
        secret=secret,
        created_at=now,
    )
    session.add(subscription)
    _record(
        session,
        subscription,
        "subscribed",
        by,
        now,
        team_id=str(team_id),
        channel=str(channel),
        area=area.code if area else None,
    )
    return Subscribed(subscription.id, secret)


def disable(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> None:
    """Nothing more is owed to it; what is owed stays. Twice changes nothing.

    Raises NotFound; DeskStays for a board of the whole country (S21: a case goes to the ward, the
    province or the national desk, never nowhere; the table's own check says the same).
    """
    subscription = _subscription(session, subscription_id)
    if subscription.disabled_at is None:
        if subscription.area_code is None and subscription.channel == Channel.BOARD:
            raise DeskStays(where="subscriptions")
        subscription.disabled_at, subscription.disabled_why = now, "by hand"
        _record(session, subscription, "subscription-disabled", by, now)


def enable(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> None:
    """It is told again of what happens from now on. Raises NotFound."""
    subscription = _subscription(session, subscription_id)
    if subscription.disabled_at is not None:
        subscription.disabled_at = subscription.disabled_why = None
        _record(session, subscription, "subscription-enabled", by, now)


def may_be_called(url: str, *, private: bool) -> bool:
    """https on the open internet; with `private` https anywhere, and http on this machine.

    A case must not cross a network in the clear, nor a notice knock at doors behind the firewall.
    What a name leads to is judged when a notice is sent.
    """
    if len(url) > _MOST_CHARACTERS or any(letter.isspace() for letter in url):
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    if private:
        return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    return parts.scheme == "https" and _may_be_public(host)


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _subscription(session: Session, subscription_id: UUID) -> Subscription:
    found = session.get(Subscription, subscription_id)
    if found is None:
        raise NotFound(came=str(subscription_id), where="subscriptions")
    return found


def _record(
    session: Session,
    subscription: Subscription,
    verb: str,
    by: str,
    now: datetime,
    **detail: object,
) -> None:
    record(
        session,
        site_id=subscription.site_id,
        actor=by,
        verb=verb,
        subject=str(subscription.id),
        now=now,
        **detail,
    )
