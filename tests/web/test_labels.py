"""Labels: a sheet can be printed again, and no barcode stands on two sheets."""

from __future__ import annotations

from uuid import UUID

import pytest

from lims.db.ids import uuid7
from lims.domain.barcodes import is_valid
from lims.domain.refusals import DifferentBody, InvalidBody
from lims.work.access import Role
from lims.work.labels import Labels, print_labels
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn


def printed(bench: Bench, count: int = 48, batch_id: UUID | None = None) -> Labels:
    return print_labels(
        bench.session,
        site_id=bench.site_id,
        batch_id=batch_id or uuid7(),
        count=count,
        title="PXN",
        by="test",
        now=bench.now,
    )


def test_no_barcode_is_printed_twice(bench: Bench) -> None:
    sheets = [printed(bench, count) for count in (48, 1, 300)]
    every = [code for sheet in sheets for code in sheet.barcodes]
    assert len(every) == len(set(every)) == 349
    assert all(is_valid(code) and code.startswith("TT00") for code in every)
    assert not any(code[-1] in "IO" for code in every)


def test_the_same_print_again_is_the_same_labels(bench: Bench) -> None:
    first = printed(bench)
    again = printed(bench, batch_id=first.batch_id)
    assert again.barcodes == first.barcodes and again.replayed
    with pytest.raises(DifferentBody):
        printed(bench, 24, first.batch_id)


@pytest.mark.parametrize("count", [0, 2_001])
def test_a_print_of_no_labels_or_of_too_many_is_refused(bench: Bench, count: int) -> None:
    with pytest.raises(InvalidBody):
        printed(bench, count)


def test_a_technician_prints_a_sheet(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    form = {"batch_id": str(uuid7()), "count": "60", "title": "PXN Cầu Giấy · đợt 3"}
    answer = browser.post("/labels", form)
    assert browser.post("/labels", form).location == answer.location
    assert "✓ 60 labels" in words(browser.get(answer.location))
    sheet = f"/labels/{form['batch_id']}.pdf?sheet=a4-24&copies=2"
    first, again = browser.get(sheet), browser.get(sheet)
    assert first.data.startswith(b"%PDF") and first.data == again.data
    assert browser.post("/labels", {**form, "count": "0"}).status_code == 409
    assert browser.post("/labels", {"count": "0", "title": "x"}).status_code == 422


def test_a_pdf_of_more_than_a_second_of_work_is_refused(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    batch = printed(bench, 1_001)
    bench.session.commit()
    page = browser.get(f"/labels/{batch.batch_id}.pdf?copies=2")
    assert page.status_code == 413
    assert "1001 × 2" in words(page)
    assert browser.get(f"/labels/{batch.batch_id}.pdf").data.startswith(b"%PDF")
