"""Slips from the pages: issued once, refused with the reason, checked by anybody who holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain import slip_codes
from lims.domain.refusals import TooManyAttempts
from lims.doors.pace import Pace
from lims.web import slips, verify
from lims.work import press
from lims.work.access import Role
from reports.slip import Paper, Slip
from tests.builders import Bench
from tests.corrections import corrected, finding_of, measured, released
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn


@pytest.fixture(autouse=True)
def fresh_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "PACE", Pace(most=60, window=timedelta(minutes=1)))


def printed(browser: Browser, finding_id: UUID) -> tuple[str, str]:
    """The slip's words and its code, through the button on the person's page."""
    issued = browser.post("/slips", {"finding_id": finding_id, "language": "vi"})
    assert issued.status_code == 303, words(issued)
    pdf = browser.get(issued.location)
    assert pdf.mimetype == "application/pdf"
    said = " ".join(PdfReader(BytesIO(pdf.data)).pages[0].extract_text().split())
    code = re.search(r"[0-9A-Z]{4}(?: [0-9A-Z]{4}){4}", said)
    assert code
    return said, code[0].replace(" ", "-")


def test_a_cleared_person_gets_a_slip_and_a_stranger_can_check_it(
    signed_in: SignIn, bench: Bench, app: Flask
) -> None:
    people = bench.swabs(10)
    bench.lab_pool(people)
    bench.run()
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN, language="vi")
    finding_id = finding_of(bench, people[0])
    for page in (f"/people/{people[0].person_id}", f"/tubes/{people[0].barcode}"):
        assert f'name="finding_id" value="{finding_id}"' in browser.get(page).text
    said, code = printed(browser, finding_id)
    assert "Nguyễn Thị Mai" in said and "Âm tính" in said and "10 người" in said
    assert printed(browser, finding_id)[1] == code

    stranger = Browser(app.test_client(), language="vi")
    answer = stranger.get(f"/verify/{code}")
    assert answer.status_code == 200 and answer.headers["X-Robots-Tag"] == "noindex"
    assert "Phiếu này có giá trị" in words(answer) and "N. T. M." in words(answer)
    assert "Nguyễn" not in answer.text and people[0].barcode not in answer.text
    typed = stranger.get(f"/verify?code={code.lower().replace('-', '%20')}")
    assert "có giá trị" in words(stranger.get(typed.location))


def test_a_corrected_result_withdraws_the_old_slip_and_says_nothing_of_the_new(
    signed_in: SignIn, bench: Bench, app: Flask
) -> None:
    swab = bench.swab()
    layout = measured(bench, swab, None)
    bench.session.commit()
    browser = signed_in(Role.REVIEWER, language="en")
    finding_id = finding_of(bench, swab)
    issued = browser.post("/slips", {"finding_id": finding_id})
    _, old = printed(browser, finding_id)
    corrected(bench, layout, swab, 24.0)
    bench.session.commit()
    stranger = Browser(app.test_client(), language="en")
    assert "is checking this result again" in words(stranger.get(f"/verify/{old}"))
    refused = browser.post("/slips", {"finding_id": finding_of(bench, swab)})
    assert refused.status_code == 409
    assert "a positive that a reviewer has not released" in words(refused)

    released(bench, swab)
    bench.session.commit()
    said, new = printed(browser, finding_of(bench, swab))
    assert new != old
    assert "Đã đính chính" in said and "Trước: âm tính. Nay: dương tính." in said
    withdrawn = stranger.get(f"/verify/{old}")
    assert "no longer valid" in words(withdrawn) and "newer result" in words(withdrawn)
    for hidden in ("Positive", "Negative", "N. T. M.", "1980"):
        assert hidden not in words(withdrawn)
    assert "Positive" in words(stranger.get(f"/verify/{new}"))
    assert browser.get(issued.location).status_code == 409  # no paper of a withdrawn slip


def test_an_unknown_and_a_mistyped_code_are_told_apart(app: Flask, bench: Bench) -> None:
    stranger = Browser(app.test_client(), language="en")
    mistyped = stranger.get("/verify/7K3F-9QXM")
    assert mistyped.status_code == 404
    assert "not a code as we print them" in words(mistyped)
    unknown = stranger.get(f"/verify/{slip_codes.from_chance(7)}")
    assert unknown.status_code == 404
    assert "No slip of ours" in words(unknown)


def test_a_slip_is_checked_so_often_and_then_later(
    app: Flask, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "PACE", Pace(most=3, window=timedelta(minutes=1)))
    stranger = Browser(app.test_client())
    answers = [stranger.get("/verify/x").status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]
    assert stranger.get("/verify/x").headers["Retry-After"] == "20"


def test_a_gate_where_everybody_has_a_slip_is_never_told_to_wait(
    app: Flask, signed_in: SignIn, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    swab = bench.swab()
    bench.run()
    bench.session.commit()
    finding = finding_of(bench, swab)
    monkeypatch.setattr(verify, "PACE", Pace(most=1, window=timedelta(minutes=1)))
    monkeypatch.setattr(verify, "OF_SLIP", Pace(most=4, window=timedelta(minutes=1)))
    _, code = printed(signed_in(Role.TECHNICIAN, language="vi"), finding)
    stranger = Browser(app.test_client())
    answers = [stranger.get(f"/verify/{code}").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]


def test_the_pace_refills_and_forgets_the_oldest_addresses(bench: Bench) -> None:
    pace = Pace(most=2, window=timedelta(minutes=1), addresses=2)
    for address in ("10.0.0.1", "10.0.0.1", "2001:db8::1", "2001:db8::2"):
        pace.spend(address, bench.now)
    with pytest.raises(TooManyAttempts):
        pace.spend("2001:db8::3", bench.now)  # the same /64
    pace.spend("2001:db8::3", bench.now + timedelta(seconds=31))
    pace.spend("10.0.0.2", bench.now)
    pace.spend("10.0.0.1", bench.now)  # forgotten meanwhile: two others came


def test_a_campaign_comes_as_one_pdf_sorted_by_given_name(
    signed_in: SignIn, bench: Bench, laboratory: Laboratory
) -> None:
    campaign = bench.campaign(pool_size=1)
    names = ["Trần Thị Vy", "Đỗ Văn An", "Lê Bích", "Nguyễn Văn An"]
    swabs = [bench.swab(name=name) for name in names]
    bench.session.execute(text("UPDATE specimen SET campaign_id = :id"), {"id": campaign})
    waiting = bench.swab(name="Phạm Chờ")
    bench.run({waiting.barcode: 24.0})
    bench.session.commit()
    browser = signed_in(Role.OPERATOR, language="en")
    page = browser.get(f"/slips?since=2021-09-11&campaign={campaign}")
    assert "4 slips" in words(page)
    form = {"since": "2021-09-11", "until": "2021-09-11", "paper": "a4", "language": "vi"}
    first = browser.post("/slips/batch", form)
    assert first.mimetype == "application/pdf" and len(swabs) == 4
    pages = [page.extract_text() for page in PdfReader(BytesIO(first.data)).pages]
    assert len(pages) == 2
    order = [pages[n // 2].index(name) for n, name in enumerate([names[1], names[3]])]
    assert order and "Phạm" not in "".join(pages)
    assert "Lê Bích" in pages[1] and "Trần Thị Vy" in pages[1]
    assert browser.post("/slips/batch", form).data == first.data
    audited = bench.session.execute(
        text("SELECT detail->>'slips' FROM audit_event WHERE verb = 'print_slips'")
    ).scalars()
    assert set(audited) == {"4"}


def test_a_day_without_results_and_a_day_with_too_many_are_said(
    signed_in: SignIn, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(Role.TECHNICIAN, language="en")
    assert "Nobody swabbed in these days" in words(browser.get("/slips?since=2021-01-01"))
    assert browser.post("/slips/batch", {"since": "2021-01-01"}).status_code == 409
    bench.swab()
    bench.swab()
    bench.run()
    bench.session.commit()
    monkeypatch.setattr(slips, "MOST_SLIPS", 1)
    assert "too many for one PDF" in words(browser.get("/slips"))
    assert browser.post("/slips/batch").status_code == 413


def test_a_press_that_breaks_breaks_the_download_instead_of_ending_it_early() -> None:
    with pytest.raises(press.PressBroke):
        list(press.pressed([], count=0, paper="letter", title=""))  # type: ignore[arg-type] # on purpose

    def failing() -> Iterator[Slip]:
        yield from ()
        raise ValueError("the database went away")

    with pytest.raises(ValueError, match="went away"):
        list(press.pressed(failing(), count=1, paper=Paper.A5, title=""))
