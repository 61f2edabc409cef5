"""The ways a team can be told, and the words for why a message did not arrive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST_MAIL: Final = 254


def is_mail_address(said: str) -> bool:
    """One address that every mail server takes, and nothing that ends a header line."""
    return len(said) <= _LONGEST_MAIL and _MAIL.fullmatch(said) is not None


class Channel(StrEnum):
    """How a team hears of a case."""

    BOARD = "board"
    WEBHOOK = "webhook"
    EMAIL = "email"


class Protection(StrEnum):
    """How the way to the mail server is kept from others' eyes."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The office's own mail server. `sender` is the address that letters come from."""

    host: str
    port: int
    sender: str
    protection: Protection = Protection.STARTTLS
    login: str | None = None
    password: str | None = field(default=None, repr=False)


class Failure(StrEnum):
    """Why the last attempt failed, in the words by which an operator mends many at once."""

    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    CERTIFICATE = "certificate"
    PRIVATE = "private"
    REDIRECTED = "redirected"
    GONE = "gone"
    BUSY = "busy"
    REFUSED = "refused"
    BROKEN = "broken"
    OURS = "ours"


def failure_of(status_code: int | None, error: str | None) -> Failure:
    """The reason behind one failed attempt.

    Status codes as RFC 9110 (and RFC 5321 for e-mail, whose codes stop at 554) has them. Without
    one the error says it: its first word is the exception's name, or ours.
    """
    if status_code is not None:
        return _of_status(status_code)
    said = error or ""
    if said.startswith(("not signed", "not set up", "not written")):
        return Failure.OURS
    if "LIMS_WEBHOOK_PRIVATE" in said:
        return Failure.PRIVATE
    if "CERTIFICATE" in said or "certificate" in said:
        return Failure.CERTIFICATE
    if "Timeout" in said:
        return Failure.TOO_SLOW
    return Failure.UNREACHABLE


def _of_status(status_code: int) -> Failure:
    if status_code == 410:
        return Failure.GONE
    if status_code in {421, 429, 450, 451, 452, 503}:
        return Failure.BUSY
    if status_code in {408, 504}:
        return Failure.TOO_SLOW
    if 300 <= status_code < 400:
        return Failure.REDIRECTED
    if 400 <= status_code < 500 or 530 <= status_code < 560:
        return Failure.REFUSED
    return Failure.BROKEN
