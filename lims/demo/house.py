"""One demonstration's house: its home folder, ports, database and all its processes."""

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import Engine

from lims.db.embedded import EmbeddedServer
from lims.db.engine import connect, session_factory
from lims.db.laboratory import utc_now
from lims.demo.analysers import Analyser
from lims.demo.founding import (
    CARTRIDGES,
    GATEWAY_TOKEN,
    RECEIVER_BOOK,
    RECEIVER_CONFIG,
    Founded,
    Founder,
    cycler_names,
)
from lims.demo.ledger import Ledger
from lims.demo.processes import CannotLive, Program, Supervisor
from lims.demo.stand_down import remove
from lims.demo.truth import Places
from lims.opening import prepare
from lims.settings import Settings
from lims.work.sites import found_site

SITE: Final = "TT"
INTERACTIVE_PORT: Final = 8080
OPEN_S: Final = 60.0
LEASE_S: Final = "5"  # nobody receives slowly here, and a watcher does not wait a minute
REPLY_TIMEOUT_S: Final = 2.0  # a simulated analyser waits less than the 15 s of LIS1-A 6.5.2


@dataclass(frozen=True)
class House:
    """Everything that runs, and the way to it."""

    home: Path
    url: str
    engine: Engine
    places: Places
    founded: Founded
    supervisor: Supervisor
    cyclers: tuple[Analyser, ...]
    cartridges: Analyser
    receiver_book: Path
    server: EmbeddedServer
    site_id: UUID


@dataclass(frozen=True)
class Machines:
    """The analysers of a laboratory, as whoever loads them knows them."""

    names: tuple[str, ...]
    cyclers: tuple[Analyser, ...]
    cartridges: Analyser

    @classmethod
    def beside(cls, ledger: Ledger, names: Sequence[str]) -> "Machines":
        """One for each name, and the cartridge reader; the ledger hears what was acknowledged."""
        return cls(
            tuple(names),
            tuple(Analyser(ledger.plates_sent.add) for _ in names),
            Analyser(lambda name: ledger.cartridges_sent.update([name])),
        )

    def start(self, program: Program, supervisor: Supervisor) -> None:
        """Start it; an analyser's is met by the one who loads it."""
        known = dict(zip((*self.names, CARTRIDGES), (*self.cyclers, self.cartridges), strict=True))
        analyser = known.get(program.name.removeprefix("analyser-"))
        supervisor.start(program, analyser.meet if analyser else None)


@contextmanager
def open_house(
    *, seed: int, ledger: Ledger, home: Path | None, interactive: bool, cyclers: int = 1
) -> Iterator[House]:
    """Set up, start everything, and leave nothing behind: no process, no file.

    Raises the refusals of the database, and CannotLive when a program does not start.
    """
    place = _home(home)
    port = _port(INTERACTIVE_PORT if interactive else 0)
    receiver_port = _port(0)
    environ = _environ(place, port)
    settings = Settings.from_env(environ)
    server = EmbeddedServer(place)
    supervisor = Supervisor(place, environ, server)
    try:
        prepare(settings)
        supervisor.keep()
        engine = connect(server.url(), pool_size=2, application_name="demo")
        sessions = session_factory(engine)
        with sessions.begin() as session:
            site_id = found_site(session, prefix=SITE, name=SITE, now=utc_now())
        url, door = (f"http://127.0.0.1:{each}" for each in (port, _port(0)))
        receiver_url = f"http://127.0.0.1:{receiver_port}"
        names = cycler_names(cyclers)
        bench = Machines.beside(ledger, names)
        for program in programs(place, door, names):
            bench.start(program, supervisor)
        founder = Founder(sessions, site_id, utc_now())
        places = founder.places(seed)
        founded = founder.found(places, place, names, lims_url=url, receiver_url=receiver_url)
        supervisor.start(receiver(place, receiver_port))
        for opened in (url, door):
            _await_open(opened, supervisor)
        yield House(
            place,
            url,
            engine,
            places,
            founded,
            supervisor,
            bench.cyclers,
            bench.cartridges,
            place / RECEIVER_BOOK,
            server,
            site_id,
        )
        engine.dispose()
    finally:
        _hear_no_more()
        supervisor.stop()
        remove(place, server.data)


def receiver(home: Path, port: int) -> Program:
    """The tracing offices' own system; it needs to know whom it stands for."""
    arguments = ("lims.demo.receiver", str(home / RECEIVER_CONFIG), str(port))
    return Program("receiver", arguments)


def programs(home: Path, door: str, cyclers: Sequence[str]) -> list[Program]:
    """The real commands, as an operator would start them; the gateways have a ``door`` of their
    own, so that no plate waits behind the desks (docs/decisions.md 49)."""
    at_once = signal.SIGINT  # to gunicorn
    apart = ("--listen", door.removeprefix("http://"), "--workers", "1")
    return [
        Program("web", ("lims.cli", "serve"), stop_signal=at_once),
        Program("analysers-door", ("lims.cli", "serve", *apart), stop_signal=at_once),
        Program("deliverer", ("lims.cli", "deliver", "--lease", LEASE_S)),
        *analyser_programs(home, door, cyclers),
    ]


def analyser_programs(home: Path, url: str, cyclers: Sequence[str]) -> list[Program]:
    """Simulated analysers on pseudo-terminals, each with a gateway that posts to ``url``."""
    started: list[Program] = []
    for name, driver in (*((name, "plate") for name in cyclers), (CARTRIDGES, "genexpert")):
        line = str(home / f"{name}.line")
        simulator = ("instruments.simulator", "--driver", driver, "--serial", name.upper())
        timeout = ("--reply-timeout", str(REPLY_TIMEOUT_S))
        gateway = ("instruments.gateway", "--link", line, "--driver", driver)
        kept = ("--spool", str(home / f"{name}.spool"), "--instrument", name)
        post = ("--post", f"{url}/api/v1/messages", "--token-file", str(home / GATEWAY_TOKEN))
        started.append(
            Program(f"analyser-{name}", (*simulator, *timeout, "--pty-link", line), piped=True)
        )
        started.append(Program(f"gateway-{name}", (*gateway, *kept, *post)))
    return started


def stop_on_signals() -> None:
    """A closed terminal and a polite kill end the demonstration as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def _hear_no_more() -> None:
    """A second Ctrl-C must not leave half of it standing."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _home(asked: Path | None) -> Path:
    if asked is None:
        place = Path(tempfile.mkdtemp(prefix="thantoc-demo-"))
    else:
        place = asked.resolve()
        place.mkdir(parents=True)
    place.chmod(0o711)  # the database's account must pass through
    return place


def _environ(home: Path, port: int) -> dict[str, str]:
    """Nothing of another laboratory's settings reaches the demonstration, but the address under
    which whoever shows it wants it to be found: else slips lead to this machine."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LIMS_")}
    return inherited | {
        "LIMS_HOME": str(home),
        "LIMS_LISTEN": f"127.0.0.1:{port}",
        "LIMS_PUBLIC_URL": os.environ.get("LIMS_PUBLIC_URL") or f"http://127.0.0.1:{port}",
        "LIMS_SITE": SITE,
        "LIMS_WEBHOOK_PRIVATE": "allow",  # the offices are programs of this machine
        "PYTHONUNBUFFERED": "1",
    }


def _port(wanted: int) -> int:
    """The wanted port or the next free one; any free one for 0."""
    for port in range(wanted, wanted + 50) if wanted else (0,):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotLive(f"no free port from {wanted} to {wanted + 49}")


def _await_open(url: str, supervisor: Supervisor) -> None:
    until = time.monotonic() + OPEN_S
    while time.monotonic() < until:
        if supervisor.fault is not None:
            raise supervisor.fault
        try:
            if httpx.get(f"{url}/api/openapi.json", trust_env=False).is_success:
                return
        except httpx.TransportError:
            threading.Event().wait(0.1)
    raise CannotLive(f"the web process did not answer within {OPEN_S:.0f} s")
