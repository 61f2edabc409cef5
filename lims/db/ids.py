"""UUIDv7 row ids, minted here so that PostgreSQL 16 will do and clients can mint theirs too.

Source: RFC 9562 section 5.7 (layout) and section 6.2 method 2 (monotonic random).
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from hashlib import sha256
from uuid import UUID

_RANDOM_BITS = 74  # rand_a and rand_b taken together
_STEP_BITS = 32  # 2**42 ids of one millisecond fit; the next stays hard to guess
_MILLISECOND_BITS = 48


class IdMint:
    """Each id sorts after the one before it, within a millisecond too.

    When the time goes back, an unyielding mint stays at the latest it has seen.
    """

    def __init__(self, *, yielding: bool = False) -> None:
        self._yielding = yielding
        self._lock = threading.Lock()
        self._last_ms = -1
        self._random = 0

    def mint(self, now_ms: int) -> UUID:
        """`now_ms` counts from the Unix epoch. Raises ValueError outside 48 bits."""
        if not 0 <= now_ms < 1 << _MILLISECOND_BITS:
            raise ValueError(f"expected milliseconds since 1970 within 48 bits; came {now_ms}")
        with self._lock:
            if now_ms > self._last_ms or (self._yielding and now_ms < self._last_ms):
                self._last_ms, self._random = now_ms, secrets.randbits(_RANDOM_BITS - 1)
            else:
                self._random += 1 + secrets.randbits(_STEP_BITS)
                if self._random >> _RANDOM_BITS:
                    self._last_ms, self._random = (
                        self._last_ms + 1,
                        secrets.randbits(_RANDOM_BITS - 1),
                    )
            return _laid_out(self._last_ms, self._random)


def uuid7(now_ms: int | None = None) -> UUID:
    """By the clock, ids of this process only ever grow, even when the clock is set back.

    A given `now_ms` (a story told at its own pace, an import of old rows) is believed: ids grow as
    long as the times told do not go back.
    """
    if now_ms is None:
        return _by_the_clock.mint(time.time_ns() // 1_000_000)
    return _as_told.mint(now_ms)


def milliseconds(id: UUID) -> int:
    """When a UUIDv7 was minted, in milliseconds since the Unix epoch."""
    return id.int >> 80


def derived(parent: UUID, said: str) -> UUID:
    """The id of one part of a request: the request's moment and a digest of what the part says.

    So that the same request sent twice is the same rows.
    """
    digest = sha256(parent.bytes + said.encode()).digest()
    return _laid_out(milliseconds(parent), int.from_bytes(digest[:10]) >> 6)


def _laid_out(ms: int, random: int) -> UUID:
    rand_a, rand_b = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


_by_the_clock = IdMint()
_as_told = IdMint(yielding=True)


def _mint_afresh() -> None:
    # Two forked workers must not continue from the same number, nor wait on a lock held at fork.
    global _by_the_clock, _as_told
    _by_the_clock, _as_told = IdMint(), IdMint(yielding=True)


os.register_at_fork(after_in_child=_mint_afresh)
