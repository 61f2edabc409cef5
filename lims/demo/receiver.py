"""A program that stands for the tracing offices' own systems: it is told, fetches and claims.

Each office has an address and a secret here. A notice is verified, written down durably, and only
then answered for; at-least-once delivery is met by its `webhook-id`. What was written down is
acted upon afterwards, and after a restart again.

    python -m lims.demo.receiver CONFIG PORT
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from lims.own_file import for_us_alone

LARGEST_BODY: Final = 64 * 1024
_PAUSE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Office:
    """One tracing office: the secret its notices are signed with, and its key to the LIMS."""

    name: str
    secret: str
    token: str


@dataclass(frozen=True, slots=True)
class Config:
    """What the receiver is started with. ``book`` is the file it writes down what it was told."""

    lims_url: str
    book: str
    offices: Mapping[str, Office]

    @classmethod
    def read(cls, file: Path) -> "Config":
        said = json.loads(file.read_text(encoding="utf-8"))
        offices = {slug: Office(**office) for slug, office in said["offices"].items()}
        return cls(said["lims_url"], said["book"], offices)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book: ``what`` is told, fetched or claimed."""

    what: str
    webhook_id: str
    office: str
    kind: str
    subject: str
    sequence: int

    @property
    def is_of_case(self) -> bool:
        return self.kind.startswith("case.")


class Book:
    """Lines on disk before anybody hears that they were written."""

    def __init__(self, file: Path) -> None:
        _forget_torn_line(file)
        self.entries = read_book(file)
        self._told = {entry.webhook_id for entry in self.entries if entry.what == "told"}
        self._file = open(file, "a", encoding="utf-8", opener=for_us_alone)  # noqa: SIM115 - closed by close
        self._lock = threading.Lock()

    def close(self) -> None:
        """Nothing is written any more."""
        self._file.close()

    def write(self, entry: Entry) -> bool:
        """False when this notice was told before; then nothing is written."""
        with self._lock:
            if entry.what == "told" and entry.webhook_id in self._told:
                return False
            line = {name: getattr(entry, name) for name in entry.__slots__}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            if entry.what == "told":
                self._told.add(entry.webhook_id)
            return True


def read_book(file: Path) -> list[Entry]:
    """Every whole line, in the order written; none where nothing was ever told."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [Entry(**json.loads(line)) for line in lines]


def _forget_torn_line(file: Path) -> None:
    """A line without its end was never answered for; its sender says it again."""
    if file.exists():
        whole = file.read_bytes()
        os.truncate(file, whole.rfind(b"\n") + 1)


class Tracers:
    """Fetch every case that was told, and claim three in four."""

    def __init__(self, config: Config, book: Book) -> None:
        self._config = config
        self._book = book
        self._waiting: queue.Queue[Entry] = queue.Queue()
        fetched = {e.webhook_id for e in book.entries if e.what == "fetched"}
        for entry in book.entries:
            if entry.what == "told" and entry.webhook_id not in fetched:
                self._waiting.put(entry)

    def act_on(self, entry: Entry) -> None:
        """In a moment, without keeping the sender waiting."""
        self._waiting.put(entry)

    def run(self) -> None:
        """For ever; what could not be asked is asked again."""
        with httpx.Client(base_url=self._config.lims_url, timeout=20, trust_env=False) as client:
            while True:
                entry = self._waiting.get()
                if entry.is_of_case and not self._follow(client, entry):
                    self._waiting.put(entry)
                    time.sleep(_PAUSE_S)

    def _follow(self, client: httpx.Client, entry: Entry) -> bool:
        key = {"Authorization": f"Bearer {self._config.offices[entry.office].token}"}
        case = f"/api/v1/cases/{entry.subject}"
        with suppress(httpx.TransportError):
            answer = client.get(case, headers=key)
            if answer.status_code >= 500:
                return False
            if answer.is_success:
                self._book.write(_now(entry, "fetched"))
                if entry.kind == "case.opened" and _takes(entry.subject):
                    claimed = client.post(f"{case}/claim", headers=key)
                    if claimed.status_code >= 500:
                        return False
                    if claimed.is_success:
                        self._book.write(_now(entry, "claimed"))
            return True
        return False


def _takes(case_id: str) -> bool:
    """What is left lapses, so that the escalation shows, until a person watching claims it."""
    return int(case_id[-1], 16) % 4 != 0


def _now(entry: Entry, what: str) -> Entry:
    return Entry(what, entry.webhook_id, entry.office, entry.kind, entry.subject, entry.sequence)


class _Desk(BaseHTTPRequestHandler):
    """POST /offices/<slug>: verify, write down, answer."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        slug = self.path.removeprefix("/offices/")
        office = self.server.config.offices.get(slug)
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(min(size, LARGEST_BODY))
        if office is None or size > LARGEST_BODY:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        try:
            told: dict[str, Any] = Webhook(office.secret).verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        entry = _entry(told, self.headers["webhook-id"], slug)
        if self.server.book.write(entry):
            self.server.tracers.act_on(entry)
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The book is the log."""


def _entry(told: Mapping[str, Any], webhook_id: str, office: str) -> Entry:
    data = told["data"]
    return Entry(
        what="told",
        webhook_id=webhook_id,
        office=office,
        kind=told["type"],
        subject=data.get("case_id") or data["pool_id"],
        sequence=data["sequence"],
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, config: Config, book: Book, tracers: Tracers) -> None:
        super().__init__(("127.0.0.1", port), _Desk)
        self.config = config
        self.book = book
        self.tracers = tracers


def main(config_file: Path, port: int) -> None:
    config = Config.read(config_file)
    book = Book(Path(config.book))
    tracers = Tracers(config, book)
    threading.Thread(target=tracers.run, name="tracers", daemon=True).start()
    _Server(port, config, book, tracers).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
