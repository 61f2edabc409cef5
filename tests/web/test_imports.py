"""The list's pages: upload, columns, progress, the answer, the bad rows, and taking back."""

from __future__ import annotations

import re
from io import BytesIO
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lims.db.laboratory import Laboratory
from lims.importing.worker import Worker
from lims.sheets.columns import column_of
from lims.sheets.faults import CellFault, FileFault
from lims.sheets.opened import open_list
from lims.tables import AuditEvent, ImportJob, Specimen
from lims.web.imports import pages
from lims.web.imports.wording import KEPT, STATES
from lims.work.access import Role
from tests.builders import Bench
from tests.lists import HEADINGS, csv_text, workbook
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

_CHOSEN = re.compile(r'name="column-(\d+)".*?</select>', re.DOTALL)
LONG = " ".join(["Công Tằng Tôn Nữ Hoàng Ngọc"] * 3)


def send(browser: Browser, content: bytes, name: str = "danh sách.csv", **form: str) -> str:
    """Where the list's page is."""
    answer = browser.post(
        "/collect/imports", {"file": (BytesIO(content), name), **form}, seen="/collect/imports"
    )
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def confirm(browser: Browser, path: str) -> TestResponse:
    """Send the columns as the page guessed them."""
    page = browser.get(path).text
    chosen = {
        f"column-{n}": (re.search(r'value="(\w+)" selected', select_) or [None, ""])[1]
        for n, select_ in ((m[1], m[0]) for m in _CHOSEN.finditer(page))
    }
    return browser.post(f"{path}/columns", chosen, seen=path)


def rows(bench: Bench, *names: str) -> bytes:
    listed = [(next(bench.labels), name, "1980", "0912345678", "") for name in names]
    return csv_text([HEADINGS, *listed]).encode()


def taken(browser: Browser, laboratory: Laboratory, content: bytes, **form: str) -> str:
    path = send(browser, content, **form)
    worker = Worker(laboratory)
    worker.drain()
    if "What do the columns hold?" in words(browser.get(path)):
        assert confirm(browser, path).status_code == 303
        worker.drain()
    return path


def swabs(bench: Bench) -> int:
    bench.session.rollback()
    return bench.session.scalar(select(func.count()).select_from(Specimen)) or 0


def test_a_list_goes_from_the_file_to_its_answer(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    path = send(browser, rows(bench, "An", "Bình", LONG, "", "😀"))
    assert "Being read" in words(browser.get(path))
    worker = Worker(laboratory)
    worker.drain()
    page = words(browser.get(path))
    assert "What do the columns hold?" in page
    assert "0912345678" in page
    confirm(browser, path)
    assert "Waits its turn" in words(browser.get(path))
    worker.drain()
    page = words(browser.get(path))
    assert "! 2 rows to correct" in page
    assert "3 registered · 0 here before · 2 to correct" in page
    assert "Họ và tên: the name is missing" in page
    assert "Họ và tên: 😀 is no letter" in page
    assert "danh sách.csv" in words(browser.get("/collect/imports"))


def test_the_bad_rows_speak_the_readers_language(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    path = taken(browser, laboratory, rows(bench, "An", ""))
    for language, heading, said in (
        ("en", "What is wrong", "Họ và tên: the name is missing"),
        ("vi", "Sai ở đâu", "Họ và tên: thiếu tên"),
    ):
        browser.client.set_cookie("language", language)
        answer = browser.get(f"{path}/bad")
        name = unquote(answer.headers["Content-Disposition"])
        assert "danh sách - " in name
        assert name.endswith(".csv")
        (sheet,) = open_list(answer.data).sheets
        assert sheet.rows[0] == [*HEADINGS, heading]
        assert sheet.rows[1][-1] == said
    taken_along = select(AuditEvent).where(AuditEvent.verb == "download_bad_rows")
    records = bench.session.scalars(taken_along).all()
    assert [(one.subject, one.detail) for one in records] == [
        (path.rpartition("/")[2], {"rows": 1})
    ] * 2
    assert {one.actor for one in records} == {"user:technician"}


def test_a_double_click_and_the_same_form_sent_back_to_are_one_list(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser, content = signed_in(Role.TECHNICIAN), rows(bench, "An", "Bình")
    first = send(browser, content)
    assert send(browser, content) == first
    Worker(laboratory).drain()
    for _ in range(2):  # the button twice, then back and once more
        assert confirm(browser, first).status_code in (303, 422)
    Worker(laboratory).drain()
    assert send(browser, content, "another name.csv") == first
    assert "This very file was here before" in words(browser.get(first))
    assert swabs(bench) == 2


def test_the_next_list_under_these_headings_needs_no_confirmation_unless_asked_for(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    taken(browser, laboratory, rows(bench, "An"))
    path = send(browser, rows(bench, "Bình"))
    Worker(laboratory).drain()
    assert "✓ 1 person registered" in words(browser.get(path))
    path = send(browser, rows(bench, "Chi"), ask="yes")
    Worker(laboratory).drain()
    assert "What do the columns hold?" in words(browser.get(path))


def test_a_mapping_without_a_tube_says_so_and_keeps_what_was_chosen(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    path = send(browser, rows(bench, "An"))
    Worker(laboratory).drain()
    chosen = {"column-0": "", "column-1": "name", "column-2": "name", "column-3": "phone"}
    answer = browser.post(f"{path}/columns", {**chosen, "column-4": ""}, seen=path)
    assert answer.status_code == 422
    page = words(answer)
    assert "Tube : a list needs a column of this" in page
    assert "Full name : two columns are said to hold this" in page
    assert answer.text.count('value="name" selected') == 2


def test_another_sheet_and_another_line_of_headings_can_be_chosen(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    one = next(bench.labels)
    raw = workbook([["nhóm", "một"], ["x", "y"], [one, "Nguyễn An"]], sheets=("Bìa", "Trang 2"))
    path = send(browser, raw, "x.xlsx")
    Worker(laboratory).drain()
    assert "nhóm" in words(browser.get(path))
    browser.post(f"{path}/look", {"sheet": "Trang 2", "line": "2"}, seen=path)
    Worker(laboratory).drain()
    assert "1 line" in words(browser.get(path))
    chosen = {"column-0": "barcode", "column-1": "name"}
    assert browser.post(f"{path}/columns", chosen, seen=path).status_code == 303
    Worker(laboratory).drain()
    assert "✓ 1 person registered" in words(browser.get(path))
    browser.post(f"{path}/look", {"sheet": "Bìa", "line": "²"}, seen=path)
    assert "✓ 1 person registered" in words(browser.get(path))


def test_taking_back_needs_a_reason_and_a_tick(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.OPERATOR)
    path = taken(browser, laboratory, rows(bench, "An", "Bình"))
    assert "tick the box" in words(browser.post(f"{path}/undo", {"reason": "x"}, seen=path))
    assert browser.post(f"{path}/undo", {"sure": "yes"}, seen=path).status_code == 422
    assert swabs(bench) == 2
    answer = browser.post(f"{path}/undo", {"sure": "yes", "reason": "nhầm xã"}, seen=path)
    assert answer.status_code == 303
    assert "↺ 2 people taken back" in words(browser.get(path))
    assert "nhầm xã" in words(browser.get(path))
    assert swabs(bench) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "tệp trống"),
        (b"\xd0\xcf\x11\xe0 old", "tệp .xls cũ hoặc có mật khẩu"),
        (b"%PDF-1.4", "đây không phải danh sách"),
    ],
)
def test_what_is_no_list_is_told_at_once(signed_in: SignIn, content: bytes, said: str) -> None:
    browser = signed_in(Role.TECHNICIAN, language="vi")
    sent = {"file": (BytesIO(content), "x.xls")}
    answer = browser.post("/collect/imports", sent, seen="/collect/imports")
    assert answer.status_code == 422
    assert said in words(answer).lower()


def test_a_damaged_workbook_is_told_on_its_page(signed_in: SignIn, laboratory: Laboratory) -> None:
    browser = signed_in(Role.TECHNICIAN, language="vi")
    path = send(browser, b"PK\x03\x04 cut off", "x.xlsx")
    Worker(laboratory).drain()
    assert "tệp bị hỏng" in words(browser.get(path))


def test_pasted_rows_are_a_list_too(
    signed_in: SignIn, laboratory: Laboratory, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    pasted = "\t".join(HEADINGS) + "\n" + "\t".join((next(bench.labels), "An", "1980", "", ""))
    answer = browser.post("/collect/imports", {"rows": pasted}, seen="/collect/imports")
    Worker(laboratory).drain()
    confirm(browser, answer.location)
    Worker(laboratory).drain()
    assert swabs(bench) == 1


def test_the_form_takes_a_list_larger_than_any_other_form(
    app: Flask, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    browser = signed_in(Role.TECHNICIAN)
    large = rows(bench, *("An" for _ in range(200)))
    assert len(large) > 5_000
    assert send(browser, large).startswith("/collect/imports/")
    other = browser.post("/collect", {"name": "x" * 5_000})
    assert other.status_code == 413


def test_a_list_that_nobody_takes_up_says_who_can_help(
    signed_in: SignIn, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    path = send(browser, rows(bench, "An"))
    assert "ask an operator" not in words(browser.get(path))
    job = bench.session.scalars(select(ImportJob)).one()
    monkeypatch.setattr(pages, "_NOBODY_CAME", job.uploaded_at - job.uploaded_at)
    monkeypatch.setattr(pages, "now", lambda: job.uploaded_at.replace(year=2022))
    assert "ask an operator" in words(browser.get(path))


def test_the_empty_list_is_one_that_is_understood(signed_in: SignIn) -> None:
    browser = signed_in(Role.TECHNICIAN)
    for language in ("en", "vi"):
        browser.client.set_cookie("language", language)
        (sheet,) = open_list(browser.get("/collect/imports/blank.xlsx").data).sheets
        unknown = [cell for cell in sheet.rows[0] if column_of(str(cell)) is None]
        assert unknown == []


def test_every_word_that_is_stored_has_its_sentence() -> None:
    assert set(KEPT) >= {"received", "rejected", "discarded", "pooled", "tested"}
    assert len(STATES) == 7
    assert all(fault.value for fault in (*CellFault, *FileFault))
