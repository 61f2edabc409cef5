"""A LIMS that takes everything and remembers in which order: `POST /messages`, packets, heartbeat.

It validates each capture as the real one does before it answers, so that what it counts was whole.
"""

import json
import multiprocessing
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from instruments.measurement import Capture, Measurement


@dataclass
class CountingLims:
    """`taken` by digest, in the order of the first post of each."""

    taken: dict[str, Capture] = field(default_factory=dict)
    specimens: set[str] = field(default_factory=set)
    posts: int = 0
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/messages"

    @property
    def measurements(self) -> list[Measurement]:
        return [m for capture in list(self.taken.values()) for m in capture.measurements]

    def of(self, instrument: str) -> Iterator[Capture]:
        return (c for c in list(self.taken.values()) if c.instrument == instrument)

    def take(self, messages: Sequence[object]) -> list[Mapping[str, object]]:
        captures = [Capture.from_json(message) for message in messages]
        with self._lock:
            self.posts += len(captures)
            for capture in captures:
                self.taken.setdefault(capture.digest, capture)
                self.specimens.update(m.specimen for m in capture.measurements)
        return [{"receipt": {"digest": c.digest}, "problem": None} for c in captures]

    def answer(self, path: str, said: Any) -> Mapping[str, object]:
        if path.endswith("/messages/batch"):
            return {"rows": self.take(said["messages"])}
        if path.endswith("/messages"):
            return self.take([said])[0]
        return {}


class _Server(ThreadingHTTPServer):
    """A caller that was killed is nothing to tell."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def answering(lims: CountingLims, port: int = 0) -> Iterator[CountingLims]:
    """On `port` (0: any free one, the same again the next time)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one segment

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # its sender was killed
                self.close_connection = True
                return
            said = json.loads(body)
            content = json.dumps(lims.answer(self.path, said)).encode("utf-8")
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_said: object) -> None:
            """Nothing: what it took is what it says."""

    server = _Server(("127.0.0.1", port or lims.port), Handler)
    server.daemon_threads = True
    lims.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield lims
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def answering_apart() -> Iterator[str]:
    """In a process of its own, so that its work is not the measurer's: its address for messages.
    It believes what it is sent and remembers nothing."""
    ours, theirs = multiprocessing.Pipe()
    apart = multiprocessing.get_context("spawn").Process(
        target=_answer_apart, args=(theirs,), daemon=True
    )
    apart.start()
    try:
        yield str(ours.recv())
    finally:
        apart.terminate()
        apart.join()


class _Believing(CountingLims):
    def take(self, messages: Sequence[object]) -> list[Mapping[str, object]]:
        return [{"receipt": {}, "problem": None} for _message in messages]


def _answer_apart(told: Connection) -> None:
    with answering(_Believing()) as lims:
        told.send(lims.url)
        threading.Event().wait()
