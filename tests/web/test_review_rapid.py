"""What a rapid-test reader said otherwise, or of nobody, on the reviewer's page."""

from __future__ import annotations

import re

import pytest

from instruments.measurement import Measurement, Role
from lims.work.access import Role as Staff
from tests.builders import Bench, add_instrument
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.work.reader_stand import NUMBER, class_of_four, message, said

_ACTION = re.compile(r'action="(/review/[^"]+)"')


@pytest.fixture
def reviewer(signed_in: SignIn) -> Browser:
    return signed_in(Staff.REVIEWER)


def acts(browser: Browser, show: str, verb: str) -> list[str]:
    """The acts of this name that the page offers."""
    offered = _ACTION.findall(browser.get(f"/review?show={show}").text)
    return [act for act in offered if act.endswith(f"/{verb}")]


@pytest.fixture
def read(bench: Bench) -> None:
    """Number 3 was read as negative, then as positive, and somebody was mistyped."""
    add_instrument(bench.session, bench.site_id, now=bench.now, name="SOFIA-1")
    class_of_four(bench).start()
    said(bench.later(20), "negative")
    said(bench.later(2), "positive")
    said(bench, "positive", scanned="mistyped")
    bench.session.commit()


def test_a_second_value_is_shown_with_its_person_and_is_never_accepted(
    reviewer: Browser, read: None
) -> None:
    page = words(reviewer.get("/review?show=corrections"))
    for told in (
        "Học Sinh 3",
        "SOFIA-1",
        "− Negative",
        "+ Positive",
        "test again with a new strip or by PCR",
    ):
        assert told in page, told
    assert acts(reviewer, "corrections", "accept") == []


def test_a_stray_asks_for_a_tube_or_a_number_and_is_refused_with_the_reason(
    reviewer: Browser, read: None
) -> None:
    page = reviewer.get("/review?show=unmatched").text
    assert "names nobody here" in page
    assert "tube or card" in page
    (attach,) = acts(reviewer, "unmatched", "attach")
    assert "was read before" in words(reviewer.post(attach, {"barcode": NUMBER}))


def test_a_card_that_was_scanned_in_the_reader_is_told_by_its_number_alone(
    reviewer: Browser, bench: Bench, read: None
) -> None:
    said(bench, scanned="001307000099|272012345|Trần Văn Lạ|01012000|Nam|Số 12, Hà Nội|01012021")
    bench.session.commit()
    page = reviewer.get("/review?show=unmatched").text
    assert '<span class="code breaks">001307000099</span>' in page
    assert "Trần Văn Lạ" not in page


def test_an_error_and_the_machine_s_word_are_told_apart(reviewer: Browser, bench: Bench) -> None:
    failed = Measurement(
        path="SPM1OBR1",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="0BHIV1",
        targets=(),
        call="Invalid",
        error="Invalid 5017",
    )
    add_instrument(bench.session, bench.site_id, now=bench.now, name="SOFIA-1")
    bench.take(message(bench, failed))
    bench.session.commit()
    assert "Invalid 5017 · Invalid" in words(reviewer.get("/review?show=unmatched"))
