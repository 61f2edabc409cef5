"""From a measurement posted to the webhook received, while desks keep registering."""

import statistics
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

import httpx

from instruments.measurement import Capture, Measurement, Role, TargetReading, digest_of
from lims.db.ids import uuid7
from lims.db.laboratory import utc_now
from lims.tables import Subscription, Team
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

AIM_MS = 1000.0
DESKS = 4


def measure(rig: Rig, *, cases: int) -> Figure:
    """Milliseconds from POST to the receiver's socket, p50 and p99 over the cases."""
    arrivals: SimpleQueue[float] = SimpleQueue()
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), _handler(arrivals))
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    _subscribe(rig, f"http://127.0.0.1:{receiver.server_port}/")
    stop = threading.Event()
    registered = [0] * DESKS
    desks = [
        threading.Thread(target=_desk, args=(rig, 100 + n, stop, registered, n))
        for n in range(DESKS)
    ]
    for desk in desks:
        desk.start()
    began = time.perf_counter()
    try:
        took = _post_cases(rig, arrivals, cases)
    finally:
        stop.set()
        for desk in desks:
            desk.join()
        receiver.shutdown()
    load = sum(registered) / (time.perf_counter() - began)
    p99 = statistics.quantiles(took, n=100)[98]
    return Figure(
        name="measurement posted → webhook received, p99",
        measured=p99,
        unit="ms",
        limit=None,
        limit_name="",
        ratio=None,
        aim=f"≤ {AIM_MS:.0f} ms",
        met=p99 <= AIM_MS,
        details={"p50_ms": statistics.median(took), "registrations_per_s_beside": load},
    )


def _post_cases(rig: Rig, arrivals: "SimpleQueue[float]", cases: int) -> list[float]:
    crowd = Crowd("TT", seed=4)
    took: list[float] = []
    with rig.client() as client:
        for number in range(cases):
            row = crowd.registration()
            client.post("/specimens", json=row).raise_for_status()
            client.post("/receptions", json={"barcodes": [row["barcode"]]}).raise_for_status()
            body = positive(row["barcode"], number).to_json()
            began = time.perf_counter()
            client.post("/messages", json=body).raise_for_status()
            took.append((arrivals.get(timeout=30.0) - began) * 1000)
    return took


def positive(barcode: str, number: int) -> Capture:
    raw = uuid7().bytes
    reading = Measurement(
        path="O1",
        specimen=barcode,
        role=Role.SPECIMEN,
        assay="SARS-CoV-2",
        targets=(TargetReading("N", 24.0), TargetReading("IC", 27.0)),
        measured_at=f"2026-01-01T00:00:{number % 60:02d}",
    )
    return Capture(
        digest=digest_of(raw),
        instrument="bench-1",
        driver="genexpert",
        driver_version="1",
        captured_at=datetime.now(UTC).isoformat(),
        complete=True,
        raw=raw,
        measurements=(reading,),
    )


def _desk(rig: Rig, seed: int, stop: threading.Event, registered: list[int], number: int) -> None:
    crowd = Crowd("TT", seed=seed)
    with rig.client() as client:
        while not stop.is_set():
            if (
                client.post("/specimens", json=crowd.registration()).status_code
                == httpx.codes.CREATED
            ):
                registered[number] += 1


def _subscribe(rig: Rig, url: str) -> None:
    with rig.laboratory.sessions.begin() as session:
        team = Team(
            id=uuid7(), site_id=rig.laboratory.site_id, name="bench team", created_at=utc_now()
        )
        session.add(team)
        session.flush()
        session.add(
            Subscription(
                site_id=rig.laboratory.site_id,
                team_id=team.id,
                channel="webhook",
                url=url,
                secret="whsec_" + "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo",
                created_at=utc_now(),
            )
        )


def _handler(arrivals: "SimpleQueue[float]") -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if b"case.opened" in body:
                arrivals.put(time.perf_counter())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the table is the output."""

    return Receiver
