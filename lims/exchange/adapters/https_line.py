"""How adapters ask a national platform over HTTPS: bounded in time and size, following nobody.

    answer                               means
    -----------------------------------  -----------------------------------------------------
    200                                  read it
    401, 403                             away: the token is not taken; nothing owed is to blame
    3xx, 404, 408, 429, 5xx, silence     away: tried again later and later
    410                                  gone: away, and what was asked about is no more
    400, 413, 422                        Unreadable: what was asked is to blame, all or a part

Redirects are not followed: the token would go along. In the clear only inside a private network.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from lims.domain.addresses import is_public
from lims.exchange.speaker import Away
from lims.work.outbound import Leased

CONNECT_S: Final = 5.0
ANSWER_S: Final = 30.0
_LONGEST: Final = 8 * 1024 * 1024  # bytes of one answer
_SAID: Final = 200  # characters of theirs that are kept for a person
_OURS: Final = frozenset({400, 413, 422})


class Unreadable(Exception):
    """They answered that they cannot take what was asked as it is; their words."""


class Gone(Away):
    """They answered that what was asked about was there and is no more."""


@dataclass(frozen=True, slots=True)
class Line:
    """A connection to one platform, with its token in every request."""

    client: httpx.Client
    base: str
    answer_s: float

    def get(self, path: str, asked: Mapping[str, str]) -> Any:
        """The JSON value of the answer. Raises Away, Unreadable."""
        return self._ask("GET", path, params=dict(asked))

    def post(self, path: str, body: bytes) -> Any:
        """The JSON value of the answer. Raises Away, Unreadable."""
        return self._ask("POST", path, content=body, headers={"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, **what: Any) -> Any:
        until_s = monotonic() + self.answer_s
        try:
            with self.client.stream(method, self.base + path, **what) as answer:
                said = _whole(answer, until_s)
        except httpx.HTTPError as error:
            raise Away(f"{type(error).__name__}: {error}"[:_SAID]) from error
        if answer.status_code == httpx.codes.OK:
            try:
                return json.loads(said)
            except (ValueError, RecursionError) as error:
                raise Away("answered 200 with what is no JSON") from error
        words = f"{answer.status_code} {_words(said)}".strip()
        if answer.status_code in _OURS:
            raise Unreadable(words)
        if answer.status_code in (401, 403):
            raise Away(f"our token is not taken there: {words}")
        if answer.status_code == httpx.codes.GONE:
            raise Gone(words)
        raise Away(words)


@contextmanager
def https_line(leased: Leased, *, answer_s: float = ANSWER_S) -> Iterator[Line]:
    """Raises Away where nobody may be talked to."""
    parts, base = urlsplit(leased.address), leased.address.rstrip("/")
    if parts.scheme != "https":
        there = _only_private(parts.hostname or "", parts.port or 80)
        base = parts._replace(netloc=f"{there}:{parts.port or 80}").geturl().rstrip("/")
    try:
        trust = ssl.create_default_context(cadata=leased.options.get("certificate"))
    except (ssl.SSLError, ValueError) as error:
        raise Away(f"the certificate given for it cannot be read: {error}") from error
    client = httpx.Client(
        timeout=httpx.Timeout(answer_s, connect=CONNECT_S),
        trust_env=False,
        follow_redirects=False,
        verify=trust,
        headers={
            "Authorization": f"Bearer {leased.options.get('token', '')}",
            "Accept": "application/json",
            "User-Agent": "thantoc",
            "Host": parts.netloc,
        },
    )
    with client:
        yield Line(client, base, answer_s)


def _only_private(host: str, port: int) -> str:
    """The address that was judged, and so the one to talk to: a name may lead elsewhere the next
    time that it is looked up."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Away(f"{host} cannot be looked up: {error}") from error
    addresses = [str(where[0]) for *_, where in found]
    if any(map(is_public, addresses)):
        raise Away("refused: without TLS only inside a private network")
    return f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]


def _whole(answer: httpx.Response, until_s: float) -> bytes:
    """A platform that drips a byte now and then is late all the same."""
    said = bytearray()
    for some in answer.iter_bytes():
        said += some
        if monotonic() > until_s:
            raise Away("the answer as a whole took too long")
        if len(said) > _LONGEST:
            raise Away("an answer without an end")
    return bytes(said)


def _words(said: bytes) -> str:
    """A problem document's words (RFC 9457), or the beginning of whatever it is."""
    try:
        problem = json.loads(said)
    except ValueError:
        return said[:_SAID].decode(errors="replace")
    if isinstance(problem, dict):
        return str(problem.get("detail") or problem.get("title") or "")[:_SAID]
    return ""
