"""How a pool and its members stand, in words and as one of the states that pages colour."""

from typing import Final

from lims.web.lab_words import word_of
from lims.web.language import gettext as _
from lims.web.language import later
from lims.work.views.pool_view import PoolMember, Stand
from lims.work.views.tube_story import Sign

_STANDS: Final = {
    Stand.DISCORDANT: later("Pool and members disagree"),
    Stand.RESOLVING: later("Positive, being resolved"),
    Stand.UNREADABLE: later("Unreadable, repeated"),
    Stand.HELD: later("Held for a reviewer"),
    Stand.PLATED: later("On a plate"),
    Stand.QUEUED: later("Waits for a plate"),
    Stand.RESOLVED: later("Resolved"),
    Stand.NEGATIVE: later("Negative"),
    Stand.REJECTED: later("Rejected"),
}
_SIGNS: Final = {
    Stand.DISCORDANT: "discordant",
    Stand.RESOLVING: "positive",
    Stand.UNREADABLE: "invalid",
    Stand.HELD: "preliminary",
    Stand.PLATED: "waiting",
    Stand.QUEUED: "waiting",
    Stand.RESOLVED: "positive",
    Stand.NEGATIVE: "negative",
    Stand.REJECTED: "invalid",
}


def stand_word(stand: Stand) -> str:
    """Where the pool stands."""
    return _(_STANDS[stand])


def sign_of(stand: Stand) -> str:
    """The state it is coloured as."""
    return _SIGNS[stand]


def next_for(member: PoolMember) -> str:  # noqa: PLR0911 - one sentence for each way to stand
    """What happens next with somebody of a pool."""
    if member.sign is Sign.POSITIVE:
        return _("F0, final") if member.status in ("F", "C") else _("F0, waits for a reviewer")
    if member.recollect:
        return _("swab again")
    if member.order_state == "plated" and member.plate:
        return _("alone, on plate %(plate)s", plate=member.plate)
    if member.order_state == "queued":
        return _("alone, in the queue: %(why)s", why=word_of(member.order_why, "order_reason"))
    if member.sign is Sign.DISCORDANT:
        return _("a reviewer decides")
    if member.sign is Sign.NEGATIVE:
        return _("told")
    return _("waits for the pool")
