"""A day of slips as one download, what a page waits meanwhile, and slips a second a core."""

import re
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from lims.db.laboratory import utc_now
from lims.domain import slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.work.access import Role, create_user
from loadtests.figures import plate
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import PATIENCE_S, Rig
from reports.slip import Derived, Paper, Slip, slip_pages

SLIPS = 1_000
AIM_A_SECOND = 40.0
_PASSWORD = "a sentence only the bench knows"  # noqa: S105 - of a laboratory that lives a minute
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def measure(rig: Rig, *, runs: int) -> Figure:
    """Slips a second on one core (processor time of drawing 1,000); the rest of it as details.

    ``download_per_s`` is the whole way beside it: issuing, reading, drawing in the child, HTTP.
    ``page_ms`` and ``page_printing_ms`` are the 99th percentile of a page before and meanwhile.
    """
    rate = _drawn_per_second()
    crowd, campaign = Crowd("TT", seed=9), plate.campaign(rig)
    with rig.client() as client:
        for number in range(runs):
            layout = plate.lay_out(client, crowd, campaign, f"SLIPS-{number:04d}")
            body = plate.capture(layout, {}).to_json()
            client.post("/messages", json=body).raise_for_status()
    with closing(_signed_in(rig)) as browser:
        quiet = _page_waits(browser, seconds=3.0)
        slips, took_s, beside = _printed(browser, campaign)
    return Figure(
        name="1,000 result slips, one core",
        measured=rate,
        unit="slips/s",
        limit=None,
        limit_name="",
        ratio=None,
        aim=f"≥ {AIM_A_SECOND:.0f}/s",
        met=rate >= AIM_A_SECOND,
        details={
            "downloaded": float(slips),
            "download_per_s": slips / took_s,
            "page_ms": _p99(quiet),
            "page_printing_ms": _p99(beside),
        },
    )


def _drawn_per_second() -> float:
    began, size = time.process_time(), 0
    for part in slip_pages(_invented(), count=SLIPS, paper=Paper.A4):
        size += len(part)
    if not size:
        raise RuntimeError("nothing was drawn")
    return SLIPS / (time.process_time() - began)


def _invented() -> Iterator[Slip]:
    at = datetime(2021, 9, 11, 8, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    one = Slip(
        code="",
        verify_url="",
        laboratory="Trung tâm Kiểm soát bệnh tật",
        area="Thành phố Cần Thơ",
        name="",
        birth_year=1980,
        sex="female",
        id_last4="1234",
        barcode="TT7K40FQ9XB",
        material="swab",
        collected_at=at,
        received_at=at,
        released_at=at,
        outcome=FindingOutcome.NEGATIVE,
        assay="sars-cov-2",
        instrument="QS5-1",
        kit_lot=None,
        derived=Derived.LAB_POOL,
        pool_people=10,
        released_by=None,
        rule="auto/1",
        replaces=None,
        issued_at=at,
    )
    crowd, number, made = Crowd("TT", seed=4), 36**18, 0
    while made < SLIPS:
        number += 999_983
        code = slip_codes.from_chance(number % slip_codes.SPACE)
        if code is None:
            continue
        made += 1
        person, barcode = crowd.registration()["person"], crowd.barcode()
        url = f"https://ketqua.example.vn/verify/{code}"
        yield replace(one, code=code, verify_url=url, name=person["name"], barcode=barcode)


def _printed(browser: httpx.Client, campaign: UUID) -> tuple[int, float, list[float]]:
    """How many slips came, in how long, and how a page's answers fared meanwhile."""
    page = browser.get("/slips").text
    token = _TOKEN.search(page)
    done, waits = threading.Event(), list[float]()
    with httpx.Client(base_url=browser.base_url, cookies=browser.cookies) as other:
        beside = threading.Thread(target=_ask_until, args=(other, done, waits))
        beside.start()
        began = time.perf_counter()
        asked = {"campaign": str(campaign), "paper": "a4"}
        asked["csrf_token"] = token[1] if token else ""
        with browser.stream("POST", "/slips/batch", data=asked) as answer:
            answer.raise_for_status()
            pdf = b"".join(answer.iter_bytes())
        took_s = time.perf_counter() - began
        done.set()
        beside.join()
    slips = 2 * len(re.findall(rb"/Type /Page\b[^s]", pdf))
    if not pdf.rstrip().endswith(b"%%EOF") or not slips:
        raise RuntimeError("the document did not come whole")
    return slips, took_s, waits


def _ask_until(browser: httpx.Client, done: threading.Event, waits: list[float]) -> None:
    while not done.is_set():
        waits.append(_ask(browser))


def _page_waits(browser: httpx.Client, *, seconds: float) -> list[float]:
    until, waits = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < until:
        waits.append(_ask(browser))
    return waits


def _ask(browser: httpx.Client) -> float:
    """The navigation alone, as `stages.js` asks for it."""
    began = time.perf_counter()
    browser.get("/stages").raise_for_status()
    took = (time.perf_counter() - began) * 1000
    time.sleep(0.02)
    return took


def _p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[-1]


def _signed_in(rig: Rig) -> httpx.Client:
    with rig.laboratory.sessions.begin() as session:
        create_user(
            session,
            site_id=rig.laboratory.site_id,
            login="bench-slips",
            name="Bench",
            password=_PASSWORD,
            roles=[Role.OPERATOR],
            by="bench",
            now=utc_now(),
        )
    browser = httpx.Client(
        base_url=f"http://127.0.0.1:{rig.port}", timeout=httpx.Timeout(PATIENCE_S, read=120.0)
    )
    token = _TOKEN.search(browser.get("/login").text)
    form = {"login": "bench-slips", "password": _PASSWORD, "csrf_token": token[1] if token else ""}
    if browser.post("/login", data=form).status_code != 303:
        raise RuntimeError("nobody could sign in")
    return browser
