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
from lims.demo.campaigns import BY_EVERY_STRATEGY, CampaignPlan
from lims.demo.founding import RECEIVER_BOOK, RECEIVER_CONFIG, Founded, Founder
from lims.demo.ledger import Ledger
from lims.demo.machines import DEMONSTRATION, GATEWAY_NAME, Machine, Machines
from lims.demo.processes import CannotLive, Program, Supervisor
from lims.demo.stand_down import remove
from lims.demo.truth import Places
from lims.opening import prepare
from lims.settings import Settings
from lims.work.sites import found_site

SITE: Final = "TT"
INTERACTIVE_PORT: Final = 8080
OPEN_S: Final = 180.0
LEASE_S: Final = "5"  # nobody receives slowly here, and a watcher does not wait a minute


@dataclass(frozen=True)
class House:
    """Everything that runs, and the way to it. ``cyclers`` are loaded with plates."""

    home: Path
    url: str
    engine: Engine
    places: Places
    founded: Founded
    supervisor: Supervisor
    machines: tuple[Machine, ...]
    cyclers: tuple[Analyser, ...]
    cartridges: Analyser
    receiver_book: Path
    server: EmbeddedServer
    site_id: UUID

    @property
    def cyclers_by_name(self) -> tuple[tuple[str, Analyser], ...]:
        """Those that are loaded with plates."""
        return tuple((m.name, a) for m, a in zip(self.machines, self.cyclers, strict=False))


@contextmanager
def open_house(
    *,
    seed: int,
    ledger: Ledger,
    home: Path | None,
    interactive: bool,
    for_plates: Sequence[Machine] = DEMONSTRATION,
    campaigns: Sequence[CampaignPlan] = BY_EVERY_STRATEGY,
) -> Iterator[House]:
    """Set up, start everything, and leave nothing behind: no process, no file. Beside the machines
    ``for_plates`` there is a reader of cartridges.

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
        bench = Machines.beside(ledger, for_plates)
        for program in programs(door):
            supervisor.start(program)
        bench.start(place, supervisor, door, gateway=GATEWAY_NAME)
        founder = Founder(sessions, site_id, utc_now())
        places = founder.places(seed)
        founded = founder.found(
            places, place, bench.all, campaigns, lims_url=url, receiver_url=receiver_url
        )
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
            bench.all,
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


def programs(door: str) -> list[Program]:
    """The LIMS' real commands, as an operator would start them; the gateways have a ``door`` of
    their own, so that no plate waits behind the desks (docs/decisions.md 49)."""
    at_once = signal.SIGINT  # to gunicorn
    apart = ("--listen", door.removeprefix("http://"), "--workers", "1")
    return [
        Program("web", ("lims.cli", "serve"), stop_signal=at_once),
        Program("analysers-door", ("lims.cli", "serve", *apart), stop_signal=at_once),
        Program("deliverer", ("lims.cli", "deliver", "--lease", LEASE_S)),
    ]


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
        "TZ": "ICT-7",  # the analysers show the laboratory's time, wherever this machine stands
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
