"""Single registrations over HTTP, 16 clients, against pgbench running the same statement."""

import json
import re
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from sqlalchemy import text

from lims.db.embedded import EmbeddedServer
from lims.db.wheel import binary
from lims.work import register
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

CLIENTS = 16
AIM = 0.20
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def measure(rig: Rig, *, seconds: float) -> Figure:
    """Requests answered 201 a second, and pgbench's transactions a second on the same tables."""
    rate, refused = _over_http(rig, seconds)
    limit = pgbench_ceiling(rig.server, rig.laboratory.site_id, seconds)
    with rig.laboratory.sessions.begin() as session:
        session.execute(text("ANALYZE"))
    return Figure(
        name="single registrations, 16 clients",
        measured=rate,
        unit="/s",
        limit=limit,
        limit_name="pgbench, same statement",
        ratio=rate / limit,
        aim=f"≥ {AIM:.2f}",
        met=rate / limit >= AIM and refused == 0,
        details={"refused": refused},
    )


def _over_http(rig: Rig, seconds: float) -> tuple[float, int]:
    crowd = Crowd("TT", seed=1)
    ready = [[request_of(rig, crowd) for _ in range(int(seconds * 400))] for _ in range(CLIENTS)]
    with socket.create_connection(("127.0.0.1", rig.port)) as warm:
        for request in [request_of(rig, crowd) for _ in range(200)]:
            exchange(warm, request)
    counts = [0] * CLIENTS
    refused = [0] * CLIENTS
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        with socket.create_connection(("127.0.0.1", rig.port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in ready[number]:
                if time.monotonic() > until:
                    return
                if exchange(line, request) == b"201":
                    counts[number] += 1
                else:
                    refused[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began), sum(refused)


def request_of(rig: Rig, crowd: Crowd) -> bytes:
    body = json.dumps(crowd.registration()).encode()
    head = (
        f"POST /api/v1/specimens HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {rig.token}"
        f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def exchange(line: socket.socket, request: bytes) -> bytes:
    """Send one request and read its whole answer; returns the status as written."""
    line.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    while len(body) < length:
        body += line.recv(65536)
    return head[9:12]


# The parameters of work.register's statement as expressions over one random number, so that
# pgbench writes rows of the same shape without a round trip more than the web process makes.
_VALUES = {
    "specimen_id": "lpad(to_hex(:n::bigint), 32, '1')::uuid",
    "person_id": "lpad(to_hex(:n::bigint), 32, '2')::uuid",
    "tube_id": "lpad(to_hex(:n::bigint), 32, '3')::uuid",
    "event_id": "lpad(to_hex(:n::bigint), 32, '4')::uuid",
    "doubt_id": "lpad(to_hex(:n::bigint), 32, '5')::uuid",
    "known_person_id": "NULL",
    "barcode": "'B' || lpad((:n::bigint % 10000000000000)::text, 14, '0')",
    "national_id": "lpad((:n::bigint % 1000000000000)::text, 12, '0')",
    "name": "'Nguyễn Văn An'",
    "name_key": "'nguyen van an'",
    "birth_year": "1980",
    "birth_date": "NULL::date",
    "sex": "'male'",
    "phone": "'+84912345678'",
    "old_id": "NULL",
    "household_id": "NULL::uuid",
    "address": "'Số 1 ngõ 2'",
    "area_scheme": "NULL",
    "area_code": "NULL",
    "work_area_scheme": "NULL",
    "work_area_code": "NULL",
    "campaign_id": "NULL::uuid",
    "collected_at": "now()",
    "now": "now()",
    "by": "'token bench'",
    "digest": "lpad(to_hex(:n::bigint), 64, '0')",
    "assay": "'sars-cov-2'",
}


def pgbench_ceiling(server: EmbeddedServer, site_id: UUID, seconds: float) -> float:
    """Registrations a second without any of our Python: the same statement from pgbench."""
    statement = str(register.STATEMENT)
    values = {**_VALUES, "site_id": f"'{site_id}'::uuid"}
    for name in sorted(values, key=len, reverse=True):
        statement = re.sub(rf"(?<!:):{name}\b", values[name].replace("\\", r"\\"), statement)
    script = "\\set n random(1, 9000000000000000000)\n" + " ".join(statement.split()) + ";\n"
    url = urlsplit(server.url())
    where = parse_qs(url.query)
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        Path(file.name).write_text(script, encoding="utf-8")
        done = subprocess.run(
            [
                str(binary("pgbench")),
                *("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
                *("-T", str(max(1, round(seconds))), "-f", file.name),
                *("-h", where.get("host", [url.hostname or ""])[0]),
                *("-p", where.get("port", [str(url.port or 5432)])[0]),
                *("-U", url.username or "postgres"),
                url.path.lstrip("/"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench said no tps: {done.stdout[-500:]} {done.stderr[:500]}")
    return float(found[1])
