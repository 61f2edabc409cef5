"""Registers that are asked about people: the contracts of docs/exchange.md over real HTTP.

One server is a population database and a register of vaccinations at once, each under its path. It
knows people by their number, and can be told to refuse, to stall, to change its mind and to speak
nonsense. What it was asked is kept: the bodies, and the addresses as a log would have them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "so-dan-cu-79080001"
LABORATORY = "79-0001"
Judge = Callable[[dict[str, Any]], dict[str, Any] | None]
Broken = Callable[[int], tuple[int, bytes] | None]


@dataclass(frozen=True)
class Citizen:
    """Somebody as a register has them."""

    name: str
    born: str
    doses: tuple[str, ...] = ()


@dataclass
class Registers:
    """``citizens`` by number; ``asked`` every entry in order, repeats too. ``judge`` may answer an
    entry in the register's place; ``while_asked`` runs before the answer goes out."""

    port: int
    broken: Broken
    citizens: dict[str, Citizen] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    judge: Judge = lambda _entry: None
    while_asked: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/quoc-gia"

    def names(self) -> list[str]:
        return [one["name"] for one in self.asked]

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        entries = body["entries"]
        if len(entries) > 100 or body["laboratory"] != LABORATORY:
            raise ValueError(body)
        self.batches.append(len(entries))
        self.asked += entries
        answered = [self._one(path, entry) for entry in entries]
        self.while_asked()
        return {"entries": [one for one in answered if one != {}]}

    def _one(self, path: str, entry: dict[str, Any]) -> dict[str, Any]:
        said = self.judge(entry)
        if said is None:
            said = self._known(path, entry)
        return said and {"question": entry["question"], **said}

    def _known(self, path: str, entry: dict[str, Any]) -> dict[str, Any]:
        known = self.citizens.get(entry["cccd"])
        if known is None:
            return {"outcome": "unverified"}
        differs = [] if known.name == entry["name"] else ["name"]
        if not known.born.startswith(entry.get("born", "")[:4]):
            differs.append("birth")
        if differs:
            return {"outcome": "conflict", "differs": differs}
        if path == "/vaccinations":
            days = list(known.doses)
            return {"outcome": "verified", "doses": len(days), "dates": days}
        return {"outcome": "verified"}


@contextmanager
def registers(*, broken: Broken = lambda _: None) -> Iterator[Registers]:
    """`broken` is asked before each request: a status and a body in place of an answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.addresses.append(self.path)
            instead = made.broken(len(made.addresses))
            path = self.path.removeprefix("/quoc-gia")
            if instead is None and self.headers["Authorization"] != f"Bearer {TOKEN}":
                instead = 401, b'{"title": "no such token"}'
            if instead is None and path not in ("/identity-checks", "/vaccinations"):
                instead = 404, b""
            if instead is None:
                try:
                    instead = 200, json.dumps(made.answer(path, json.loads(body))).encode()
                except ValueError:
                    instead = 400, b'{"detail": "cannot read the body"}'
            self._answer(*instead)

        def _answer(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Registers(server.server_address[1], broken)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
