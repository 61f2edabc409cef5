"""Batches of 10,000 registrations over HTTP, against COPY of the same rows into the same tables."""

import json
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import psycopg

from lims.db.engine import conninfo
from lims.db.ids import uuid7
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

ROWS = 10_000
AIM = 0.40


def measure(rig: Rig, *, rounds: int) -> Figure:
    """Rows a second from the first byte of the POST to the commit, median of the rounds."""
    crowd = Crowd("TT", seed=2)
    ours: list[float] = []
    copies: list[float] = []
    with rig.client() as client:
        for _ in range(rounds):
            body = json.dumps({"rows": [crowd.registration() for _ in range(ROWS)]}).encode()
            began = time.perf_counter()
            answer = client.post("/specimens/batch", content=body)
            ours.append(ROWS / (time.perf_counter() - began))
            if answer.json()["registered"] != ROWS:
                raise RuntimeError(f"the batch was not taken whole: {answer.text[:300]}")
            copies.append(copied_rows_a_second(rig, crowd))
    rate, limit = statistics.median(ours), statistics.median(copies)
    return Figure(
        name="batch registration, 10,000 rows",
        measured=rate,
        unit="rows/s",
        limit=limit,
        limit_name="COPY, same tables",
        ratio=rate / limit,
        aim=f"≥ {AIM:.2f}",
        met=rate / limit >= AIM,
    )


def copied_rows_a_second(rig: Rig, crowd: Crowd) -> float:
    """The limit: the same rows by COPY into the same tables, already written out."""
    rows = [crowd.registration() for _ in range(ROWS)]
    tables = _tables(rows, str(rig.laboratory.site_id))
    with psycopg.connect(conninfo(rig.server.url())) as connection:
        began = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            for target, written in tables:
                with cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
                    copy.write(written)
        return ROWS / (time.perf_counter() - began)


def _tables(rows: Sequence[dict[str, object]], site: str) -> list[tuple[str, bytes]]:
    now = datetime.now(UTC).isoformat()
    ids = [(str(uuid7()), str(uuid7()), str(row["specimen_id"])) for row in rows]
    people: list[Iterable[str]] = []
    for row, (person, _, _) in zip(rows, ids, strict=True):
        given = row["person"]
        if not isinstance(given, dict):
            raise TypeError("a registration without a person")
        people.append(
            (
                *(person, site, given["name"], "nguyen van an", str(given["birth_year"])),
                *(given["sex"], "+84" + given["phone"][1:], given["national_id"]),
                *(given["address"], now),
            )
        )
    return [
        (
            "person (id, site_id, name, name_key, birth_year, sex, phone, national_id, address,"
            " created_at)",
            _lines(people),
        ),
        (
            "specimen (id, site_id, person_id, material, collected_at, registered_at,"
            " registered_by, body_digest)",
            _lines((s, site, p, "swab", now, now, "token:bench", "0" * 64) for p, _, s in ids),
        ),
        (
            "tube (id, site_id, barcode, kind, state, assay_code, capacity, created_at,"
            " created_by)",
            _lines(
                (
                    *(t, site, str(row["barcode"]), "individual", "collected", "sars-cov-2"),
                    *("1", now, "token:bench"),
                )
                for row, (_, t, _) in zip(rows, ids, strict=True)
            ),
        ),
        ("tube_specimen (tube_id, specimen_id)", _lines((t, s) for _, t, s in ids)),
    ]


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()
