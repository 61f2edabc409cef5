"""Reports about a day of a million tubes: the situation on paper, the day's results by pages."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from lims.db.laboratory import utc_now
from lims.work.access import Role, create_user
from loadtests.figures.figure import Figure
from loadtests.mass_day import fill_day
from loadtests.rig import Rig

TUBES = 1_000_000
AIM_SITUATION_S = 10.0
AIM_FIRST_MS = 1000.0
AIM_NEXT_MS = 200.0
_LOGIN, _PASSWORD = "bench-reader", "a sentence only benches know"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_NEXT = re.compile(r'href="(/results\?[^"]+)" rel="next"')


def measure(rig: Rig, *, tubes: int = TUBES, pages: int = 20) -> list[Figure]:
    """Fill yesterday with the tubes, then measure both."""
    zone = ZoneInfo(rig.laboratory.timezone)
    day = datetime.now(zone).date() - timedelta(days=1)
    began = time.perf_counter()
    fill_day(
        rig.laboratory.engine,
        site_id=rig.laboratory.site_id,
        day_start=datetime.combine(day, clock.min, zone),
        tubes=tubes,
    )
    filling_s = time.perf_counter() - began
    return [_situation(rig, day, tubes, filling_s), *_pages(rig, day, tubes, pages)]


def _situation(rig: Rig, day: date, tubes: int, filling_s: float) -> Figure:
    took: list[float] = []
    began_cpu = _children_s()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            out = Path(folder) / f"{number}.pdf"
            began = time.perf_counter()
            subprocess.run(
                [
                    *(sys.executable, "-m", "lims.cli", "report", "situation"),
                    *("--day", day.isoformat(), "--out", str(out)),
                ],
                env=rig.environment,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            took.append(time.perf_counter() - began)
    return Figure(
        name=f"situation report, {tubes:,} tubes, to PDF",
        measured=statistics.median(took),
        unit="s",
        limit=None,
        limit_name="",
        ratio=None,
        aim=f"≤ {AIM_SITUATION_S:.0f} s",
        met=statistics.median(took) <= AIM_SITUATION_S,
        details={
            "worst_s": max(took),
            "cpu_s_without_server": (_children_s() - began_cpu) / len(took),
            "filling_s": filling_s,
        },
    )


def _children_s() -> float:
    """Processor seconds of our finished children: what a busy machine does not stretch."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pages(rig: Rig, day: date, tubes: int, pages: int) -> Iterator[Figure]:
    with httpx.Client(base_url=f"http://127.0.0.1:{rig.port}", timeout=60.0) as client:
        _sign_in(rig, client)
        client.get("/results?day=2000-01-01").raise_for_status()  # the process's first page
        for outcome in ("", "positive", "discordant"):
            first, following = _walk(client, f"/results?day={day}&outcome={outcome}", pages)
            said = outcome or "every outcome"
            yield _figure(f"results of {tubes:,} tubes, first page, {said}", [first], AIM_FIRST_MS)
            if following:
                yield _figure(f"results, next page, {said}", following, AIM_NEXT_MS)


def _walk(client: httpx.Client, path: str, pages: int) -> tuple[float, list[float]]:
    """Milliseconds of the first page, and of each that its link leads to."""
    took: list[float] = []
    where: str | None = path
    while where and len(took) <= pages:
        began = time.perf_counter()
        answer = client.get(where).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
        found = _NEXT.search(answer.text)
        where = found[1].replace("&amp;", "&") if found else None
    return took[0], took[1:]


def _figure(name: str, took_ms: list[float], aim_ms: float) -> Figure:
    slowest = max(took_ms)
    return Figure(
        name=name,
        measured=statistics.median(took_ms),
        unit="ms",
        limit=None,
        limit_name="",
        ratio=None,
        aim=f"each ≤ {aim_ms:.0f} ms",
        met=slowest <= aim_ms,
        details={"worst_ms": slowest, "pages": len(took_ms)},
    )


def _sign_in(rig: Rig, client: httpx.Client) -> None:
    with rig.laboratory.sessions.begin() as session:
        create_user(
            session,
            site_id=rig.laboratory.site_id,
            login=_LOGIN,
            name="Bench",
            password=_PASSWORD,
            roles=[Role.OPERATOR],
            by="bench",
            now=utc_now(),
        )
    token = _TOKEN.search(client.get("/login").text)
    form = {"login": _LOGIN, "password": _PASSWORD, "csrf_token": token[1] if token else ""}
    answer = client.post("/login", data=form)
    if answer.status_code != 303:
        raise RuntimeError(f"the bench could not sign in: {answer.status_code}")
