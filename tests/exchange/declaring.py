"""A platform that people declare themselves to: the contract of docs/exchange.md over real HTTP.

It keeps every version as a change of its feed, and can be told to break, to die in the middle of
an answer, and to forget its cursors.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

TOKEN = "nen-tang-khai-bao"
LABORATORY = "79-0001"
DECLARED_AT = "2021-09-11T00:30:00+00:00"
TAN_DINH = {"code": "26734", "name": "Phường Tân Định", "province": "79"}
Broken = Callable[[int], tuple[int, bytes] | None]
Entry = dict[str, Any]


def subject(number: int) -> str:
    """The id of the n-th declaration."""
    return str(UUID(int=(0x0198_C5A0_0000_7000_8000 << 48) | number))


def health(number: int, name: str = "Nguyễn Thị Mai", **said: Any) -> Entry:
    """One person's declaration; what is the person's own comes in ``person``."""
    person = {"name": name, "cccd": f"0791850{number:05}", "born": "1985-03-05", "sex": "female"}
    return {
        "declaration": subject(number),
        "version": 1,
        "state": "declared",
        "declared_at": DECLARED_AT,
        "kind": "health",
        "code": f"KB-{number:06}-HN",
        "home": {"address": "12 Hai Bà Trưng", "commune": TAN_DINH},
        "person": person | said.pop("person", {}),
        **said,
    }


def household(number: int, names: list[str], **said: Any) -> Entry:
    """A door with its people, in order of age; the first one has the card."""
    members = [
        {"member": str(n), "name": name, "born": str(1940 + 20 * n)}
        for n, name in enumerate(names, 1)
    ]
    members[0]["cccd"] = f"0790500{number:05}"
    return {
        "declaration": subject(number),
        "version": 1,
        "state": "declared",
        "declared_at": DECLARED_AT,
        "kind": "household",
        "code": f"HO-{number:06}-0114",
        "home": {"door": f"114/{number}", "address": "114 Lý Tự Trọng", "commune": TAN_DINH},
        "members": members,
        **said,
    }


def withdrawn(entry: Entry) -> Entry:
    """The next version of it, which says nothing of anybody."""
    return {
        "declaration": entry["declaration"],
        "version": entry["version"] + 1,
        "state": "withdrawn",
        "declared_at": entry["declared_at"],
    }


def newer(entry: Entry, **said: Any) -> Entry:
    return entry | {"version": entry["version"] + 1} | said


@dataclass
class Declaring:
    """``feed`` is every change in order: a cursor counts them. ``hidden`` were never fed to us."""

    port: int
    broken: Broken
    a_page: int
    secure: bool = False
    feed: list[Any] = field(default_factory=list)
    hidden: list[Entry] = field(default_factory=list)
    epoch: str = "a"
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    dies: Callable[[int], bool] = lambda _: False

    @property
    def url(self) -> str:
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}/khai-bao"

    def say(self, *entries: Any) -> None:
        self.feed += entries

    def page(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        epoch, _, place = asked.get("after", f"{self.epoch}-0").partition("-")
        if epoch != self.epoch:
            return 410, {"title": "cursor no longer known"}
        first = int(place)
        most = min(int(asked["most"]), self.a_page)
        some = self.feed[first : first + most]
        behind = first + len(some)
        more = behind < len(self.feed)
        return 200, {"entries": some, "next": f"{self.epoch}-{behind}", "more": more}

    def these(self, only: str) -> dict[str, Any]:
        wanted = only.split(",")
        newest = self.newest()
        return {"entries": [newest[one] for one in wanted if one in newest]}

    def held(self, asked: dict[str, str]) -> dict[str, Any]:
        found = sorted(
            one
            for one, entry in self.newest().items()
            if asked["declared_since"] <= entry["declared_at"] < asked["declared_before"]
            and one > asked.get("after", "")
        )
        page = found[: self.a_page]
        newest = self.newest()
        records = [
            {name: newest[one][name] for name in ("declaration", "version", "state")}
            for one in page
        ]
        return {"declarations": records, "next": page[-1] if len(found) > len(page) else None}

    def newest(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for entry in [*self.feed, *self.hidden]:
            if not isinstance(entry, dict) or not isinstance(entry.get("version"), int):
                continue
            had = found.get(entry["declaration"])
            if had is None or had["version"] < entry["version"]:
                found[entry["declaration"]] = entry
        return found


@contextmanager
def declaring(
    *, broken: Broken = lambda _: None, a_page: int = 3, tls: ssl.SSLContext | None = None
) -> Iterator[Declaring]:
    """`broken` is asked before each request: a status and a body in place of an answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name: one[0] for name, one in parse_qs(urlsplit(self.path).query).items()}
            path = urlsplit(self.path).path
            made.asked.append(asked)
            made.paths.append(path)
            instead = made.broken(len(made.asked))
            if instead is None and self.headers["Authorization"] != f"Bearer {TOKEN}":
                instead = 401, b'{"title": "no such token"}'
            if instead is None and asked.get("laboratory") != LABORATORY:
                instead = 422, b'{"title": "no such laboratory"}'
            if instead is not None:
                self._answer(*instead)
            elif path == "/khai-bao/declarations/held":
                self._answer(200, _json(made.held(asked)))
            elif path == "/khai-bao/declarations" and "only" in asked:
                self._answer(200, _json(made.these(asked["only"])))
            elif path == "/khai-bao/declarations":
                status, said = made.page(asked)
                self._answer(status, _json(said))
            else:
                self._answer(404, b"")

        def _answer(self, status: int, said: bytes) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            if made.dies(len(made.asked)):
                self.wfile.write(said[: len(said) // 2])
                self.close_connection = True
                return
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Declaring(server.server_address[1], broken, a_page, secure=tls is not None)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _json(said: Any) -> bytes:
    return json.dumps(said).encode()
