"""A LIMS to post to, and processes to kill: what the tests of the whole gateway stand on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from instruments.measurement import Capture
from instruments.outbox import waiting_in
from tests.ports import held_port
from tests.until import WITHIN_S, until

ROOT = Path(__file__).parent.parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
PATIENT_S = 15.0  # LIS1-A 6.5.2.1: a sender gives up when no reply came for so long
IMPATIENT_S = 2.0  # where what was broken off is to come again: half as long after that


def _open() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Lims:
    """Takes captures as `POST /api/v1/messages` does: 201 at first, 200 on a replay, 401 without
    the token of the day. `refuse` may answer a capture otherwise."""

    token: str = "today"
    taken: dict[str, Capture] = field(default_factory=dict)
    posts: list[str] = field(default_factory=list)
    heartbeats: list[Mapping[str, Any]] = field(default_factory=list)
    orders: list[Mapping[str, Any]] | None = None  # what waits; None: it knows no such analyser
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    packets: bool = True
    may_tell: threading.Event = field(default_factory=_open)  # else what waits is not said yet
    most_bytes: int = 16 * 1024 * 1024
    kind: str = "refused"  # of what `refuse` answers
    away: bool = False
    refuse: Callable[[Capture], int | None] = lambda _capture: None
    _server: ThreadingHTTPServer | None = None
    _place: socket.socket | None = None  # the port stays ours while the LIMS is away
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/messages"

    def start(self) -> None:
        lims = self
        self.away = False

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections stay open

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if lims.away:  # a connection kept alive from before
                    self.close_connection = True
                    return
                status, answer = lims.answer(self.path, self.headers["Authorization"], body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        if self._place is None:
            self._place = held_port()
            self.port = self._place.getsockname()[1]
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """For a while: `start` may follow."""
        self.away = True
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def end(self) -> None:
        self.stop()
        if self._place:
            self._place.close()

    def answer(
        self, path: str, authorization: str, body: bytes
    ) -> tuple[int, Mapping[str, object]]:
        if authorization != f"Bearer {self.token}":
            return 401, {"type": "/problems/not-signed-in"}
        if len(body) > self.most_bytes:
            return 413, {"type": "/problems/body-too-large"}
        return self._at(path, json.loads(body))

    def _at(self, path: str, said: Any) -> tuple[int, Mapping[str, object]]:
        match path.removeprefix("/api/v1"):
            case "/messages":
                return self.take(said)
            case "/messages/batch" if self.packets:
                answers = [self.take(message) for message in said["messages"]]
                if any(status == 500 for status, _answer in answers):
                    return 500, {"type": "about:blank"}
                return 200, {"rows": [_row(status, answer) for status, answer in answers]}
            case "/gateways/heartbeat":
                self.heartbeats.append(said)
                return 200, {"lines": len(said["lines"])}
            case "/instruments/orders" if self.orders is not None:
                self.may_tell.wait(WITHIN_S)
                self.asked.append(said)
                wanted = said["specimens"]
                told = [each for each in self.orders if _is_asked(each["specimen"], wanted)]
                return 200, {"orders": told}
        return 404, {"type": "/problems/not-found"}

    def take(self, said: object) -> tuple[int, Mapping[str, object]]:
        capture = Capture.from_json(said)
        self.posts.append(capture.digest)
        if refused := self.refuse(capture):
            return refused, {
                "type": f"/problems/{self.kind}",
                "detail": capture.digest,
                "status": refused,
            }
        first = capture.digest not in self.taken
        self.taken.setdefault(capture.digest, capture)
        return (201 if first else 200), {"digest": capture.digest}

    @property
    def captures(self) -> list[Capture]:
        """In the order in which they were taken: a copy, for more may come at any moment."""
        return list(self.taken.values())

    def wells(self) -> dict[tuple[str | None, str | None], str]:
        """As the LIMS would de-duplicate: run and well, to what was measured there."""
        told = [m for capture in self.captures for m in capture.measurements]
        wells = {(m.run, m.well): f"{m.specimen} {m.targets}" for m in told}
        for m in told:
            assert wells[m.run, m.well] == f"{m.specimen} {m.targets}", "two stories of one well"
        return wells


def _is_asked(specimen: str, wanted: Sequence[str] | None) -> bool:
    return wanted is None or specimen in wanted


def _row(status: int, answer: Mapping[str, object]) -> Mapping[str, object]:
    taken = status in (200, 201)
    return {"receipt": answer if taken else None, "problem": None if taken else answer}


class Running:
    """A process of ours, its standard output collected."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        self.lines: list[str] = []
        self.terminal: Path | None = None  # the name of the line that goes with it
        with log.open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                env=ENV,
                text=True,
                cwd=ROOT,
            )
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def tell(self, message: Mapping[str, object]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        if self.terminal:  # as udev does; else it would lead to whose terminal has the number next
            self.terminal.unlink(missing_ok=True)
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(WITHIN_S)
        self._collector.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        return code

    def events(self, named: str) -> list[dict[str, Any]]:
        whole, _, _being_written = self.log.read_text().rpartition("\n")
        told = [json.loads(line) for line in whole.splitlines() if line[:1] == "{"]
        return [event for event in told if event["event"] == named]

    def _collect(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))


@dataclass
class Bench:
    """An analyser, a gateway and a LIMS in one folder."""

    folder: Path
    lims: Lims = field(default_factory=Lims)
    _started: list[Running] = field(default_factory=list)
    _ports: list[socket.socket] = field(default_factory=list)

    def port(self) -> int:
        """Nobody else's until the end."""
        self._ports.append(held_port())
        port: int = self._ports[-1].getsockname()[1]
        return port

    def until_nothing_is_owed(self, instrument: str | None = None) -> None:
        """The LIMS' answer to the last capture was heard too; of one line of many, or of the one
        by options."""
        spool = self.folder / "spools" / instrument if instrument else self.spool
        until(lambda: not waiting_in(spool / "outbox"), "an empty outbox")

    @property
    def tty(self) -> Path:
        return self.folder / "tty"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def gateway(
        self,
        driver: str | None = "plate96",
        before: str = "",
        idle_timeout_s: float = 30.0,
        more: Sequence[object] = (),
    ) -> Running:
        """`before` is Python run in the gateway's process first, to make it fall at a point; `more`
        are further words of its command line."""
        self._lims_and_token()
        started = f"{before}\nfrom instruments.gateway import main; main()"
        options = {
            "--link": self.tty,
            **({"--driver": driver} if driver else {}),
            "--spool": self.spool,
            "--post": self.lims.url,
            "--token-file": self.folder / "token",
            "--instrument": "cycler-1",
            "--idle-timeout": idle_timeout_s,
        }
        words = [str(word) for option in options.items() for word in option]
        running = self._run(["-c", started, *words, *map(str, more)], "gateway")
        until(lambda: running.events("link up"), "the gateway's line")
        return running

    def gateway_of(self, *lines: Mapping[str, object], before: str = "", top: str = "") -> Running:
        """All lines in one process, by a gateway.toml; `top` stands above them."""
        self._lims_and_token()
        self.file.write_text(top + self.toml(*lines))
        started = f"{before}\nfrom instruments.gateway import main; main()"
        return self._run(["-c", started, "run", str(self.file)], "gateway")

    @property
    def file(self) -> Path:
        return self.folder / "gateway.toml"

    def toml(self, *lines: Mapping[str, object]) -> str:
        """Each line is a plate96 on a terminal of its own name unless it says otherwise."""
        told = [
            f'name = "lab-1"\npost = "{self.lims.url}"\ntoken_file = "token"\nspool = "spools"\n'
        ]
        for line in lines:
            link = str(self.folder / str(line["instrument"]))
            whole = {"driver": "plate96", "link": link, **line}
            said = {key: value for key, value in whole.items() if value is not None}
            pairs = [f"{key} = {_toml(value)}" for key, value in said.items()]
            told.append("\n".join(["[[line]]", *pairs]) + "\n")
        return "\n".join(told)

    def analyser(
        self,
        driver: str = "plate96",
        *misbehave: str,
        reply_timeout_s: float = PATIENT_S,
        drop_after: int = 5,
        tty: str = "tty",
    ) -> Running:
        """With a shorter `reply_timeout_s` a message that was broken off is sent again sooner, and
        one may be broken off for no more than a slow machine."""
        place = self.folder / tty
        words = ["--driver", driver, "--serial", "C1000", "--pty-link", str(place)]
        words += ["--reply-timeout", str(reply_timeout_s), "--drop-after", str(drop_after)]
        words += [word for kind in misbehave for word in ("--misbehave", kind)]
        running = self._run(["-m", "instruments.simulator", *words], "analyser")
        running.terminal = place
        until(place.exists, "the analyser's line")
        return running

    def simulator(self, driver: str, link: str, *words: str) -> Running:
        """`lims-gateway simulate`; a terminal's link is there when this returns."""
        command = ["-m", "instruments.gateway", "simulate", driver, "--link", link]
        running = self._run([*command, "--reply-timeout", "1.1", *words], f"simulated-{driver}")
        if link.startswith("pty:"):
            running.terminal = Path(link.removeprefix("pty:"))
            until(running.terminal.exists, "the machine's line")
        return running

    def _lims_and_token(self) -> None:
        token = self.folder / "token"
        if not token.exists():
            token.write_text("today\n")
        if not self.lims.port:
            self.lims.start()

    def clear(self) -> None:
        for running in self._started:
            running.end()
        self.lims.end()
        for held in self._ports:
            held.close()

    def _run(self, command: Sequence[str], name: str) -> Running:
        running = Running(command, self.folder / f"{name}-{len(self._started)}.log")
        self._started.append(running)
        return running


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.clear()


def a_plate(name: str = "PL7", wells: int = 6) -> dict[str, object]:
    """The last well is a control; one target in five did not amplify."""
    places = [f"{row}{column:02}" for column in range(1, 13) for row in "ABCDEFGH"][:wells]
    told = [
        {
            "well": place,
            "specimen": f"{name}-{n}",
            "role": "specimen" if n < wells else "negative_control",
            "targets": {"ORF1ab": None if n % 5 == 0 else 20 + n / 8, "N": None, "IC": 27.1},
        }
        for n, place in enumerate(places, start=1)
    ]
    return {"plate": name, "wells": told}
