"""Cards that act when they are scanned: what a pair of gloved hands cannot reach for.

The payload has no vowel, and a hyphen before its digits: a scanner types, and the Vietnamese input
methods (Telex, VNI) that are on at most desks rewrite letters after vowels and digits after D.
"""

import re
from enum import StrEnum
from typing import Final


class Command(StrEnum):
    """The payload of each card, as Code 128 and QR carry it."""

    UNDO = "CMD-10"
    CLOSE = "CMD-20"
    ONE = "CMD-31"
    HOUSEHOLD = "CMD-32"
    RAPID = "CMD-33"
    RECEIVE = "CMD-41"
    POOL = "CMD-42"


_SPACES: Final = re.compile(r"[\s\ufeff]+")
_HYPHENS: Final = re.compile(r"[\u2010-\u2015\u2212_/]")


def command_of(text: str) -> Command | None:
    """The command that was scanned, if it was one; some keyboard layouts swap the hyphen."""
    payload = _HYPHENS.sub("-", _SPACES.sub("", text)).upper()
    return Command(payload) if payload in set(Command) else None
