"""Passwords: argon2id hashes (RFC 9106), and the same time spent on a login nobody has.

Each hash is made aside: it takes some fifty milliseconds of a core, without Python's lock.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lims.work.aside import aside

# RFC 9106 section 4, second recommended option scaled to a shared web node: 64 MiB, 3 passes.
_HASHER = PasswordHasher()

MIN_CHARACTERS = 10  # NIST SP 800-63B section 5.1.1.2 asks for 8 or more
MAX_CHARACTERS = 200  # more is somebody feeding the hash function, not a password


def good_enough(password: str, *, login: str) -> bool:
    """Long enough, not endless, and not the login said again."""
    return (
        MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS
        and login.casefold() not in password.casefold()
        and len(set(password)) > 4
    )


def hashed(password: str) -> str:
    """The argon2id hash, with its salt and its parameters."""
    return aside(lambda: _HASHER.hash(password))


def matches(stored: str, password: str) -> bool:
    """True when the password made this hash."""
    try:
        return aside(lambda: _HASHER.verify(stored, password[:MAX_CHARACTERS]))
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """True when today's parameters are stronger than those of the hash."""
    return _HASHER.check_needs_rehash(stored)


# A hash of nothing anybody knows: an unknown login costs the same time as a known one.
_NOBODY = hashed("nobody has this password, and nobody may enter with it")


def spend_the_same_time(password: str) -> None:
    """Hash as if somebody had that login, so that the clock does not tell who exists."""
    matches(_NOBODY, password)
