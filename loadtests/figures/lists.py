"""A list of people from the file to the last tube, as the worker takes it in, against raw COPY.

Reading the file, for its columns and again for its rows, every check of every row, the registration
in chunks; not the upload, nor the person who confirms the columns.
"""

import statistics
import time
from collections.abc import Sequence
from io import BytesIO
from uuid import UUID

import xlsxwriter

from lims.db.laboratory import Laboratory
from lims.importing.worker import Worker
from lims.sheets.columns import matched
from lims.work.imports.columns import confirm_columns
from lims.work.imports.upload import take_file
from lims.work.views.imports import imported_list
from loadtests.figures.batch import copied_rows_a_second
from loadtests.figures.figure import Figure
from loadtests.people import Crowd
from loadtests.rig import Rig

AIM_ROWS_S = 3_000
_HEADINGS = ("Mã ống", "Họ và tên", "Năm sinh", "Giới tính", "SĐT", "CCCD", "Địa chỉ", "Phường xã")
_SEX = {"male": "Nam", "female": "Nữ"}


def measure(rig: Rig, *, rows: int, rounds: int) -> Figure:
    """Rows a second from XLSX, median of the rounds; beside it from CSV, and from a second list of
    the same people, each of whom is then held while their chunk is written."""
    crowd = Crowd("TT", seed=5)
    xlsx: list[float] = []
    csv: list[float] = []
    known: list[float] = []
    copies: list[float] = []
    for _ in range(rounds):
        xlsx.append(_take(rig.laboratory, _workbook(_people(crowd, rows)), "xlsx", rows))
        people = _people(crowd, rows)
        csv.append(_take(rig.laboratory, _csv(people), "csv", rows))
        again = _swabbed_again(crowd, people)
        known.append(_take(rig.laboratory, _csv(again), "csv", rows))
        copies.append(copied_rows_a_second(rig, crowd))
    rate, limit = statistics.median(xlsx), statistics.median(copies)
    return Figure(
        name=f"list of {rows:,} rows, XLSX",
        measured=rate,
        unit="rows/s",
        limit=limit,
        limit_name="COPY, same tables",
        ratio=rate / limit,
        aim=f"≥ {AIM_ROWS_S:,} rows/s",
        met=rate >= AIM_ROWS_S,
        details={
            "CSV rows/s": statistics.median(csv),
            "CSV of people all known rows/s": statistics.median(known),
        },
    )


def _take(lab: Laboratory, raw: bytes, kind: str, rows: int) -> float:
    with lab.sessions.begin() as session:
        uploaded = take_file(
            session,
            raw,
            file_name=f"list.{kind}",
            campaign_id=None,
            ask_columns=True,
            site_id=lab.site_id,
            by="user:bench",
            now=lab.clock(),
        )
    worker = Worker(lab)
    began = time.perf_counter()
    while _state(lab, uploaded.job_id)[0] != "mapping":
        worker.work_at(uploaded.job_id)  # or the rig's own worker has it already
        time.sleep(0.05)
    took_s = time.perf_counter() - began
    with lab.sessions.begin() as session:
        found = imported_list(session, uploaded.job_id, site_id=lab.site_id)
        confirm_columns(
            session,
            uploaded.job_id,
            matched(found.words),
            site_id=lab.site_id,
            by="user:bench",
            now=lab.clock(),
        )
    began = time.perf_counter()
    while _state(lab, uploaded.job_id)[0] != "done":
        worker.work_at(uploaded.job_id)
        time.sleep(0.05)
    took_s += time.perf_counter() - began
    if _state(lab, uploaded.job_id)[1] != rows:
        raise RuntimeError("the list was not taken whole")
    return rows / took_s


def _state(lab: Laboratory, job_id: UUID) -> tuple[str, int]:
    with lab.sessions.begin() as session:
        found = imported_list(session, job_id, site_id=lab.site_id)
    return found.state, found.rows_in


def _people(crowd: Crowd, rows: int) -> list[tuple[str, ...]]:
    listed: list[tuple[str, ...]] = [_HEADINGS]
    for _ in range(rows):
        given = crowd.registration()
        who = given["person"]
        name, year, sex = who["name"], str(who["birth_year"]), _SEX[who["sex"]]
        beside = (who["phone"], who["national_id"], who["address"], "Phường Cầu Giấy, Hà Nội")
        listed.append((given["barcode"], name, year, sex, *beside))
    return listed


def _swabbed_again(crowd: Crowd, listed: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    headings, *rows = listed
    return [headings, *((crowd.barcode(), *rest) for _tube, *rest in rows)]


def _csv(rows: Sequence[tuple[str, ...]]) -> bytes:
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode("utf-8-sig")


def _workbook(rows: Sequence[tuple[str, ...]]) -> bytes:
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True, "in_memory": True}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            for n, cell in enumerate(row):
                page.write_string(number, n, cell)
    return out.getvalue()
