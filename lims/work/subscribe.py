"""Who is told about the cases of an area, and how: the board, an e-mail, or a webhook with its own
secret."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.addresses import is_public
from lims.domain.refusals import Conflict, DeskStays, NotFound
from lims.domain.telling import Channel, is_mail_address
from lims.tables import Area, Subscription, Team
from lims.work.access import Fault, refuse
from lims.work.audit import record
from lims.work.stand_ins import owe_missed
from lims.work.zones import zone_is_open

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - Standard Webhooks' prefix, not a secret
OVERLAP: Final = timedelta(hours=24)  # how long the old secret signs too
GATHERS_S: Final = (10, 24 * 3600)  # the shortest and the longest pause between two digests
_MOST_CHARACTERS: Final = 2000


class NoSecret(Conflict):
    slug = "no-secret"
    expected = "a webhook, whose messages are signed"
    todo = "choose one of the webhooks"


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
    zone_id: UUID | None = None,
    channel: Channel,
    url: str = "",
    email: str = "",
    gather_s: int | None = None,
    private: bool,
    by: str,
    now: datetime,
) -> Subscribed:
    """Tell a team of an area's or a zone's cases; neither is the whole country.

    `private`: a webhook on this machine or in a private network is allowed. The secret is 256
    random bits in the form of Standard Webhooks. `gather_s`: at most one message in so many
    seconds, which holds everything owed by then. What the team missed while none of its
    subscriptions listened is owed at once. Raises InvalidBody.
    """
    faults = dict[str, Fault]()
    team = session.get(Team, team_id) if team_id else None
    if team is None or team.site_id != site_id:
        faults["team"] = Fault.TEAM
    if zone_id is not None and (area or not zone_is_open(session, zone_id, site_id=site_id)):
        faults["zone"] = Fault.ZONE
    url, email = url.strip(), email.strip()
    webhook = channel is Channel.WEBHOOK
    if area is not None and session.get(Area, (area.scheme, area.code)) is None:
        faults["area"] = Fault.AREA_UNKNOWN
    if webhook and not may_be_called(url, private=private):
        faults["url"] = Fault.URL
    if channel is Channel.EMAIL and not is_mail_address(email):
        faults["email"] = Fault.EMAIL
    if channel is Channel.BOARD:
        gather_s = None
    if gather_s is not None and not GATHERS_S[0] <= gather_s <= GATHERS_S[1]:
        faults["gather"] = Fault.GATHER
    refuse(faults, where="subscription")
    secret = _new_secret() if webhook else None
    subscription = Subscription(
        id=uuid7(),
        site_id=site_id,
        team_id=team_id,
        area_scheme=area.scheme if area else None,
        area_code=area.code if area else None,
        zone_id=zone_id,
        channel=channel,
        url=url if webhook else None,
        secret=secret,
        email=email if channel is Channel.EMAIL else None,
        gather_s=gather_s,
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
        zone_id=str(zone_id) if zone_id else None,
    )
    owe_missed(session, subscription.id, now=now)
    return Subscribed(subscription.id, secret)


def rotate(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> str:
    """A new secret, said this one time; for a day the old one signs each message too, so that the
    receiver may change when it likes. One that was still signing beside it stops.

    Source: Standard Webhooks 1.0, "Zero downtime secret rotation". Raises NotFound, NoSecret.
    """
    subscription = _subscription(session, subscription_id)
    if subscription.secret is None:
        raise NoSecret(came=str(subscription.channel), where=f"subscription {subscription.id}")
    subscription.old_secret, subscription.old_secret_until = subscription.secret, now + OVERLAP
    subscription.secret = fresh = _new_secret()
    _record(session, subscription, "secret-rotated", by, now, old_until=(now + OVERLAP).isoformat())
    return fresh


def drop_old_secret(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> None:
    """The receiver has changed, or the old one was seen by somebody: it signs no more.

    Twice changes nothing. Raises NotFound.
    """
    subscription = _subscription(session, subscription_id)
    if subscription.old_secret is not None:
        subscription.old_secret = subscription.old_secret_until = None
        _record(session, subscription, "old-secret-dropped", by, now)


def disable(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> None:
    """Nothing more is owed to it; what is owed stays. What changes later in the cases that it was
    told of, its team hears by another subscription or by the desk. Twice changes nothing.

    Raises NotFound; DeskStays for a board of the whole country (S21: a case goes to the ward, the
    province or the national desk, never nowhere; the table's own check says the same).
    """
    subscription = _subscription(session, subscription_id)
    if subscription.disabled_at is None:
        everywhere = subscription.area_code is None and subscription.zone_id is None
        if everywhere and subscription.channel == Channel.BOARD:
            raise DeskStays(where="subscriptions")
        subscription.disabled_at, subscription.disabled_why = now, "by hand"
        _record(session, subscription, "subscription-disabled", by, now)


def enable(session: Session, subscription_id: UUID, *, by: str, now: datetime) -> None:
    """It is told again of what happens from now on, and of what changed meanwhile in the cases that
    it was told of. Raises NotFound."""
    subscription = _subscription(session, subscription_id)
    if subscription.disabled_at is not None:
        subscription.disabled_at = subscription.disabled_why = None
        subscription.failures, subscription.failing_since = 0, None
        subscription.rests_until = None
        _record(session, subscription, "subscription-enabled", by, now)
        owe_missed(session, subscription.id, now=now)


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


def _new_secret() -> str:
    return SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode()


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
