"""A laboratory that somebody else runs: the day comes with its own analysers, and asks its API.

It must be on this machine, or its address must be said twice (``--i-own``): a day writes tens of
thousands of invented people into it. Nothing of it is killed, and its database is not opened; what
the API cannot show is said in docs/load-testing.md.
"""

import ipaddress
import json
import math
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from lims.demo.client import Station
from lims.demo.ledger import Ledger
from lims.demo.machines import GATEWAY_TOKEN, Machines, cyclers_named
from lims.demo.processes import Supervisor
from lims.demo.story import notices
from lims.demo.telling import Broke
from lims.demo.truth import Commune, Places, Ward
from loadtests.day.api_reckoning import reckon_by_api
from loadtests.day.faults import Happened
from loadtests.day.objectives import WEBHOOK_TITLE, Measured, measured
from loadtests.day.reckoning import DayReckoned
from loadtests.day.today import Keys, Premises

GATEWAY_NAME: Final = "load day"  # on the target's page of gateways

KEY_FILE = (
    "a JSON object with campaign_id, site (the barcodes' prefix), password, the tokens desk, bench,"
    " gateway, watch and read, cyclers (names of its plate instruments), and wards and outside"
    ' (lists of {"scheme", "code", "name"})'
)


class NotOurs(Broke):
    """The target is another machine, and nobody said that it may be loaded."""


class BadKeys(Broke):
    """The file of keys lacks something; the message says what it is to hold."""


def refuse_foreign(url: str, i_own: str | None) -> None:
    """Raises NotOurs unless every address of the URL's host is this machine's, or it is owned."""
    host = urlsplit(url).hostname
    if urlsplit(url).scheme not in {"http", "https"} or not host:
        raise NotOurs(f"expected http://… or https://…; came {url}")
    if i_own == url or all(_is_here(address) for address in _addresses(host)):
        return
    said = f"; --i-own names {i_own}" if i_own else ""
    raise NotOurs(
        f"{url} is not this machine: a load day writes invented people into it by the ten thousand."
        f" If it is yours and holds nothing real, say --i-own {url}{said}"
    )


def _addresses(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError as unknown:
        raise NotOurs(f"{host} cannot be found: {unknown}") from unknown


def _is_here(address: str) -> bool:
    """Loopback, or an address that a socket of ours can be bound to."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if parsed.is_loopback:
        return True
    family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind((address, 0))
        return True
    return False


@dataclass(frozen=True)
class KeysGiven:
    """What the owner of the target gives the day."""

    site: str
    campaign_id: UUID
    desk: str
    bench: str
    gateway: str
    watch: str
    read: str
    password: str
    cyclers: tuple[str, ...]
    wards: tuple[Ward, ...]
    outside: tuple[Ward, ...]
    pool_size: int = 10
    parts_pools: bool = False

    @classmethod
    def in_file(cls, file: Path) -> "KeysGiven":
        """Raises BadKeys."""
        try:
            said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            wards, outside = ([Ward(**ward) for ward in said.pop(k)] for k in ("wards", "outside"))
            return cls(
                campaign_id=UUID(said.pop("campaign_id")),
                cyclers=tuple(said.pop("cyclers")),
                wards=tuple(wards),
                outside=tuple(outside),
                **said,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise BadKeys(f"{file}: {type(wrong).__name__} {wrong}; expected {KEY_FILE}") from wrong


@dataclass(frozen=True)
class TheirHouse:
    """The target, through its API alone."""

    url: str
    given: KeysGiven
    premises: Premises
    supervisor: Supervisor
    watch: Station
    bench: Station
    reader: Station
    may_be_struck: bool = False

    @property
    def places(self) -> Places:
        home = self.given.wards[0]
        return Places(home.scheme, "", "", self.given.wards, self.given.outside)

    def waits(self) -> bool:
        if int(self.bench.get("/queues/sars-cov-2")["tests"]) or self.bench.get("/recollections"):
            return True
        if self.premises.parts_pools and self.bench.get("/sub-pools")["pools"]:
            return True
        return any(notice["state"] == "owed" for notice in notices(self.watch)[0])

    def told(self) -> Mapping[str, int]:
        said = notices(self.watch)[0]
        delivered = sum(notice["state"] == "delivered" for notice in said)
        f0 = len({notice["case_id"] for notice in said if notice["kind"] == "case.opened"})
        return {"known": 0, "f0": f0, "claimed": 0, "owed": len(said), "delivered": delivered}

    def reckon(self, commune: Commune, ledger: Ledger) -> DayReckoned:
        return reckon_by_api(self.reader, self.watch, commune, ledger)

    def webhooks(self, happened: Sequence[Happened]) -> list[Measured]:  # noqa: ARG002 - a Ground's
        note = "its receivers are not ours: when a webhook arrived cannot be told from here"
        return [measured(WEBHOOK_TITLE, math.inf, [], note)]

    def moments(self) -> Mapping[str, Sequence[datetime]]:
        owed = [datetime.fromisoformat(notice["owed_at"]) for notice in notices(self.watch)[0]]
        return {"owed": owed}

    def ceiling_per_s(self, seconds: float) -> float | None:  # noqa: ARG002 - a Ground's
        return None


@contextmanager
def their_house(ledger: Ledger, url: str, keys: Path) -> Iterator[TheirHouse]:
    """Start our analysers and their gateway beside it; end them afterwards. Raises BadKeys."""
    given = KeysGiven.in_file(keys)
    home = Path(tempfile.mkdtemp(prefix="thantoc-loadtest-"))
    (home / GATEWAY_TOKEN).touch(mode=0o600)
    (home / GATEWAY_TOKEN).write_text(given.gateway, encoding="utf-8")
    supervisor = Supervisor(home, {**_environment(), "PYTHONUNBUFFERED": "1"}, None)
    stop = threading.Event()
    machines = Machines.beside(ledger, cyclers_named(given.cyclers))
    try:
        supervisor.keep()
        machines.start(home, supervisor, url, gateway=GATEWAY_NAME)
        premises = Premises(
            url=url,
            site=given.site,
            campaign_id=given.campaign_id,
            pool_size=given.pool_size,
            parts_pools=given.parts_pools,
            keys=Keys(given.desk, given.bench, given.watch, given.password),
            cyclers=machines.cyclers,
            cartridges=machines.cartridges,
            spools=home,
        )
        with (
            Station(url, given.watch, stop) as watch,
            Station(url, given.bench, stop) as bench,
            Station(url, given.read, stop) as reader,
        ):
            yield TheirHouse(url, given, premises, supervisor, watch, bench, reader)
    finally:
        stop.set()
        supervisor.stop()
        shutil.rmtree(home, ignore_errors=True)


def _environment() -> dict[str, str]:

    return {k: v for k, v in os.environ.items() if not k.startswith("LIMS_")}
