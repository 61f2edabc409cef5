"""Tracing teams' receivers: real HTTP servers that verify, refuse, dawdle and come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.builders_handoff import SECRET
from tests.until import WITHIN_S


@dataclass(frozen=True)
class Answer:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Receiver:
    """`said` holds what verified, in order of arrival; `answers` is asked once per request."""

    url: str
    answers: Callable[[int], Answer]
    said: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self.said.append(Webhook(SECRET).verify(body, dict(headers)))
        self.ids.append(headers["webhook-id"])
        return self.answers(len(self.ids))


@contextmanager
def receiver(
    answers: Callable[[int], Answer] = lambda _n: Answer(), *, slow: bool = False
) -> Iterator[Receiver]:
    """`slow`: every answer waits until the test opens the gate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = made.take(dict(self.headers), body)
            if slow:
                made.gate.wait(WITHIN_S)
            with suppress(ConnectionError):  # the deliverer may have lost patience
                self._say(answer)

        def _say(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook", answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
