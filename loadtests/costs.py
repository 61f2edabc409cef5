"""``python -m loadtests.costs``: what each write of a testing day costs, whatever else runs here.

Statements and CPU milliseconds a request, of the web worker and of PostgreSQL: on a shared machine
the clock tells how busy the neighbours are, and CPU time tells what we ask for. One request at a
time, in a process patched as gunicorn's gevent workers are.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 - everything below is to be imported patched
import cProfile  # noqa: E402 - the same
import itertools  # noqa: E402 - the same
import os  # noqa: E402 - the same
import pstats  # noqa: E402 - the same
import shutil  # noqa: E402 - the same
import sys  # noqa: E402 - the same
import tempfile  # noqa: E402 - the same
import time  # noqa: E402 - the same
from collections.abc import Callable, Iterator  # noqa: E402 - the same
from contextlib import contextmanager  # noqa: E402 - the same
from dataclasses import dataclass, field  # noqa: E402 - the same
from datetime import timedelta  # noqa: E402 - the same
from pathlib import Path  # noqa: E402 - the same
from typing import Any, Final  # noqa: E402 - the same

from flask import Flask  # noqa: E402 - the same
from rich.console import Console  # noqa: E402 - the same
from rich.table import Table  # noqa: E402 - the same
from sqlalchemy import event  # noqa: E402 - the same
from werkzeug.test import Client, TestResponse  # noqa: E402 - the same

from lims.app import create_app  # noqa: E402 - the same
from lims.db.embedded import EmbeddedServer  # noqa: E402 - the same
from lims.db.ids import uuid7  # noqa: E402 - the same
from lims.db.laboratory import Laboratory, utc_now  # noqa: E402 - the same
from lims.opening import open_laboratory, prepare  # noqa: E402 - the same
from lims.settings import Settings  # noqa: E402 - the same
from lims.work.access import Role, create_user  # noqa: E402 - the same
from lims.work.tokens import Scope, issue_token  # noqa: E402 - the same
from loadtests.figures.intake import carried  # noqa: E402 - the same
from loadtests.people import Crowd  # noqa: E402 - the same

WARM: Final = 30  # psycopg prepares a statement at its sixth use, PostgreSQL plans it at the next
TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
PASSWORD: Final = "a desk that only measures"  # noqa: S105 - of a laboratory that is thrown away


@dataclass
class Cost:
    """Sums over the requests of one kind; ``statements`` count BEGIN, COMMIT and ROLLBACK too."""

    name: str
    requests: int = 0
    statements: int = 0
    web_s: float = 0.0
    database_s: float = 0.0

    def row(self) -> tuple[str, str, str, str]:
        n = self.requests
        return (
            self.name,
            f"{self.statements / n:.1f}",
            f"{self.web_s / n * 1000:.2f}",
            f"{self.database_s / n * 1000:.2f}",
        )


@dataclass
class House:
    """One web worker's application on a fresh database, and who asks it."""

    app: Flask
    laboratory: Laboratory
    token: str
    postmaster: int
    cost: Cost = field(default_factory=lambda: Cost("warming"))
    profile: cProfile.Profile | None = None

    def __call__(self, environ: Any, start: Any) -> Any:
        """The application with a stopwatch around it; a client's own work is not counted."""
        if self.profile:
            self.profile.enable()
        began = time.process_time()
        answer = list(self.app.wsgi_app(environ, start))
        self.cost.web_s += time.process_time() - began
        if self.profile:
            self.profile.disable()
        self.cost.requests += 1
        return answer


def main() -> int:
    """Exit 0."""
    options = argparse.ArgumentParser(prog="python -m loadtests.costs", description=__doc__)
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--only", help="a part of the request's name")
    options.add_argument(
        "--profile", choices=["tottime", "cumulative"], help="where the worker's time goes"
    )
    chosen = options.parse_args()
    with _house() as house:
        costs = [
            _measured(house, name, ask, chosen.requests, sorted_by=chosen.profile)
            for name, ask in _requests(house)
            if chosen.only is None or chosen.only in name
        ]
    table = Table("request", "statements", "web ms CPU", "database ms CPU")
    for cost in costs:
        table.add_row(*cost.row())
    Console().print(table)
    return 0


def _measured(
    house: House, name: str, ask: Callable[[], None], requests: int, *, sorted_by: str | None
) -> Cost:
    house.cost = Cost("warming")
    for _ in range(WARM):
        ask()
    time.sleep(0.2)  # the server's statistics and write-ahead log of the warming
    house.cost, before = Cost(name), _database_s(house.postmaster)
    house.profile = cProfile.Profile(time.process_time) if sorted_by else None
    for _ in range(requests):
        ask()
    house.cost.database_s = _database_s(house.postmaster) - before
    if house.profile is not None:
        pstats.Stats(house.profile).sort_stats(sorted_by or "").print_stats(60)
        house.profile = None
    return house.cost


def _requests(house: House) -> Iterator[tuple[str, Callable[[], None]]]:
    crowd = Crowd("TT", seed=5)
    api = _Api(house)
    registered: list[str] = []

    def specimen() -> None:
        body = crowd.registration(campaign_id=None)
        registered.append(body["barcode"])
        api.post("/specimens", body)

    def rapid() -> None:
        api.post("/rapid-tests", _strip(crowd.registration(), "negative", None))

    def rapid_positive() -> None:
        api.post("/rapid-tests", _strip(crowd.registration(), "positive", crowd.barcode()))

    def family() -> None:
        api.post("/field-pools", _family([crowd.registration() for _ in range(4)]))

    received = itertools.count()

    def reception() -> None:
        api.post("/receptions", {"barcodes": [registered[next(received)]]})

    desk = _Desk(house, crowd)
    yield "POST /specimens", specimen
    yield "POST /rapid-tests, negative", rapid
    yield "POST /rapid-tests, positive", rapid_positive
    yield "POST /field-pools, four people", family
    yield "POST /receptions, one scan", reception
    yield "POST /collect/scan, the card", desk.card
    yield "POST /collect/scan, the tube (registers)", desk.tube


class _Api:
    def __init__(self, house: House) -> None:
        self._client = Client(house, TestResponse)
        self._headers = {"Authorization": f"Bearer {house.token}"}

    def post(self, path: str, body: dict[str, Any]) -> None:
        answer = self._client.post(f"/api/v1{path}", json=body, headers=self._headers)
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)}")


class _Desk:
    """A technician with a scanner; each half of a registration counts alone."""

    def __init__(self, house: House, crowd: Crowd) -> None:
        self._house, self._crowd = house, crowd
        self._client = Client(house, TestResponse)
        door = carried(self._client.get("/login").text, "<main")
        self._client.post("/login", data={**door, "login": "costs-desk", "password": PASSWORD})
        self._page = self._client.get("/collect").text
        self._tube = ""

    def card(self) -> None:
        said = self._crowd.registration()
        self._tube = said["barcode"]
        person = said["person"]
        self._scan(
            f"{person['national_id']}||{person['name']}|0503{person['birth_year']}|Nam"
            f"|{person['address']}|01012021"
        )

    def tube(self) -> None:
        counted, self._house.cost = self._house.cost, Cost("uncounted")
        profile, self._house.profile = self._house.profile, None
        self.card()
        self._house.cost, self._house.profile = counted, profile
        self._scan(self._tube)

    def _scan(self, text: str) -> None:
        form = {**carried(self._page, '<form class="scan"'), "text": text}
        answer = self._client.post("/collect/scan", data=form, headers={"X-Scan": "1"})
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:2000]}")
        self._page = answer.text


def _strip(said: dict[str, Any], outcome: str, tube: str | None) -> dict[str, Any]:
    read_at = utc_now()
    return {
        "specimen_id": said["specimen_id"],
        "person": said["person"],
        "started_at": (read_at - timedelta(minutes=20)).isoformat(),
        "read_at": read_at.isoformat(),
        "outcome": outcome,
        "kit_lot": "(01)08935212000017(17)491231(10)AG-2110-07",
        "pcr_barcode": tube,
    }


def _family(said: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "tube_id": str(uuid7()),
        "barcode": said[0]["barcode"],
        "collected_at": said[0]["collected_at"],
        "household": {"household_id": str(uuid7()), "label": "Nhà số 5", "address": "Ngõ 3"},
        "members": [{"specimen_id": one["specimen_id"], "person": one["person"]} for one in said],
    }


@contextmanager
def _house() -> Iterator[House]:
    home = Path(tempfile.mkdtemp(prefix="thantoc-costs-"))
    home.chmod(0o711)
    environment = {**os.environ, "LIMS_HOME": str(home)}
    for name in ("LIMS_DATABASE_URL", "LIMS_SECRET_KEY"):
        environment.pop(name, None)
    settings = Settings.from_env(environment)
    database = EmbeddedServer(settings.home)
    try:
        prepare(settings)
        laboratory = open_laboratory(settings, name="costs", pool_size=4)
        postmaster = int((database.data / "postmaster.pid").read_text().split()[0])
        with laboratory.sessions.begin() as session:
            token = issue_token(
                session,
                site_id=laboratory.site_id,
                name="costs",
                scopes=list(Scope),
                every_team=True,
                by="costs",
                now=utc_now(),
            )
            create_user(
                session,
                site_id=laboratory.site_id,
                login="costs-desk",
                name="Bàn đo",
                password=PASSWORD,
                roles=[Role.TECHNICIAN],
                by="costs",
                now=utc_now(),
            )
        house = House(create_app(laboratory, settings), laboratory, token, postmaster)
        _count_statements(house)
        yield house
        laboratory.engine.dispose()
    finally:
        database.stop("fast")
        shutil.rmtree(database.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _count_statements(house: House) -> None:
    def one_more(*_: object) -> None:
        house.cost.statements += 1

    def begins(connection: Any) -> None:
        if not connection.connection.dbapi_connection.autocommit:
            house.cost.statements += 1

    engine = house.laboratory.engine
    event.listen(engine, "before_cursor_execute", one_more)
    for ends in ("begin", "commit", "rollback"):
        event.listen(engine, ends, begins)


def _database_s(postmaster: int) -> float:
    """CPU seconds of our PostgreSQL and of its children, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it has ended since
        parent, itself = int(after_name[1]), int(stat.parent.name)
        if postmaster in (parent, itself):
            ticks += sum(map(int, after_name[11 : 15 if itself == postmaster else 13]))
    return ticks * TICK_S


if __name__ == "__main__":
    sys.exit(main())
