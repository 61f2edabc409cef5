"""A national platform: the contracts of docs/exchange.md, served over real HTTP. It is one of
electronic health books, or an epidemic-zone app (`areas=True`).

It keeps the newest word of each record, as a platform of another maker would, and can be told to
refuse, to dawdle, to lose what it took and to speak nonsense.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "nen-tang-79080001"
LABORATORY = "79-0001"
Judge = Callable[[dict[str, Any]], tuple[str, str]]
Broken = Callable[[int], tuple[int, bytes] | None]
A_PAGE = 3  # records: a list of any length has several pages


def take(_entry: dict[str, Any]) -> tuple[str, str]:
    return "accepted", ""


@dataclass
class Platform:
    """``books`` is the newest entry by record; ``said`` every entry in order, repeats too."""

    port: int
    judge: Judge
    broken: Broken
    listed_as: tuple[str, ...]
    books: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/lab"

    def results(self) -> dict[str, tuple[str, str | None]]:
        """By name: status and result, as a citizen would read them."""
        return {
            one["person"]["name"]: (one["status"], one.get("result")) for one in self.books.values()
        }

    def take(self, body: dict[str, Any]) -> dict[str, Any]:
        self.batches.append(len(body["entries"]))
        return {"entries": [self._one(entry) for entry in body["entries"]]}

    def _one(self, entry: dict[str, Any]) -> dict[str, Any]:
        self.said.append(entry)
        outcome, reason = self.judge(entry)
        had = self.books.get(entry["record"])
        if outcome == "accepted" and had and had["sequence"] >= entry["sequence"]:
            outcome = "known"
        if outcome == "accepted":
            self.books[entry["record"]] = entry
        said = {"message": entry["message"], "outcome": outcome}
        return said | ({"reason": reason} if reason else {})

    def listed(self, asked: dict[str, str]) -> dict[str, Any]:
        found = sorted(
            record
            for record, entry in self.books.items()
            if asked["told_since"] <= entry["told_at"] < asked["told_before"]
            and record > asked.get("after", "")
        )
        page = found[:A_PAGE]
        records = [{name: self.books[record][name] for name in self.listed_as} for record in page]
        return {"records": records, "next": page[-1] if len(found) > len(page) else None}


@contextmanager
def platform(
    judge: Judge = take, *, broken: Broken = lambda _: None, areas: bool = False
) -> Iterator[Platform]:
    """`broken` is asked before each request: a status and a body in place of an answer."""
    path = "/lab/areas" if areas else "/lab/results"
    says = ("f0", "pcr", "antigen") if areas else ("status",)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self._mine():
                try:
                    said = made.take(json.loads(body))
                except ValueError:
                    self._answer(400, b'{"detail": "cannot read the body"}')
                else:
                    self._answer(200, json.dumps(said).encode())

        def do_GET(self) -> None:
            asked = {name: one[0] for name, one in parse_qs(urlsplit(self.path).query).items()}
            if self._mine():
                self._answer(200, json.dumps(made.listed(asked)).encode())

        def _mine(self) -> bool:
            made.asked += 1
            instead = made.broken(made.asked)
            if instead is None and self.headers["Authorization"] != f"Bearer {TOKEN}":
                instead = 401, b'{"title": "no such token"}'
            if instead is None and urlsplit(self.path).path != path:
                instead = 404, b""
            if instead is not None:
                self._answer(*instead)
            return instead is None

        def _answer(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Platform(server.server_address[1], judge, broken, ("record", "sequence", *says))
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
