"""A refusal is said in the page's language: what it expects, what to do, and what came."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import lims
from lims.web.came_words import came_words
from lims.web.language import speaking
from lims.web.rule_sentences import of_the_rules, without_constant_words
from lims.work.access import Role
from tests.builders import Bench
from tests.web.browsing import words
from tests.web.conftest import SignIn

ROOMS = ("domain", "work")
_ENGLISH = re.compile(r"\b[a-z]{2,}\b.* .*|.* \b[a-z]{3,}\b.*")


def test_a_rules_sentence_is_constant_and_its_values_are_in_what_came() -> None:
    assert without_constant_words() == []


def test_the_sentences_of_single_rules_are_found_where_they_stand() -> None:
    assert {
        "two tubes at least, and no more than the site allows",
        "a plate that has not been laid out",
        "nothing here has this id",
    } <= set(of_the_rules())


def test_what_came_is_said_in_vietnamese_wherever_a_rule_writes_words(signed_in: SignIn) -> None:
    browser = signed_in(Role.TECHNICIAN)
    with browser.client.application.test_request_context(headers={"Cookie": "language=vi"}):
        english = [came for came in whole_cames() if came_words(came) == came]
    assert english == []


def whole_cames() -> Iterator[str]:
    """Every `came=` with words of its own, each value in it written as 7."""
    for room in ROOMS:
        for file in (Path(lims.__file__).parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "came":
                    yield from (came for came in written(node.value) if _ENGLISH.match(came))


def written(came: ast.expr) -> list[str]:
    match came:
        case ast.Constant(value=str(said)):
            return [said]
        case ast.JoinedStr(values=parts):
            texts = [""]
            for part in parts:
                texts = [text + more for text in texts for more in choices(part)]
            return texts
        case _:
            return []


def choices(part: ast.expr) -> list[str]:
    """A part as it may be written: a constant, one of two constants, or a value."""
    match part:
        case ast.Constant(value=str(said)):
            return [said]
        case ast.FormattedValue(
            value=ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(two)))
        ):
            return [one, two]
        case _:
            return ["7"]


def test_a_refused_pool_says_in_vietnamese_what_to_do(signed_in: SignIn, bench: Bench) -> None:
    campaign = bench.campaign()
    outside = bench.swab(campaign_id=campaign, received=False)
    alone, free = bench.swab(), bench.swab(campaign_id=campaign)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN, language="vi")
    for sources, said in (
        ([free.barcode, alone.barcode], "Ống có xét nghiệm riêng"),
        ([free.barcode, free.barcode], "Ống đã có trong mẻ gộp này"),
        ([free.barcode, outside.barcode], "chưa tiếp nhận"),
        ([free.barcode], "1 ống, nhiều nhất 20"),
    ):
        form = {"barcode": next(bench.labels), "source": sources}
        page = words(browser.post("/pools/new", form))
        assert said in page, said


@pytest.mark.parametrize(
    ("came", "vi", "en"),
    [
        (
            "lot AG21, expired on 2026-11-21",
            "lô AG21, hết hạn 21/11/2026",
            "lot AG21, expired on 21 Nov 2026",
        ),
        (
            "lot AG21 expires on 2026-11-21, the box says 2027-01-05",
            "21/11/2026",
            "the box says 5 Jan 2027",
        ),
        ("one that Tổ 3 claimed at 2021-09-11T01:12+00:00", "11/09 08:12", "11 Sep 08:12"),
        ("1204 tubes, at most 1000", "1.204", "1,204 tubes, at most 1,000"),
        ("2026-13-45", "2026-13-45", "2026-13-45"),
    ],
)
def test_days_moments_and_counts_are_written_as_the_page_writes_them(
    app: Flask, came: str, vi: str, en: str
) -> None:
    with app.test_request_context():
        with speaking("vi"):
            assert vi in came_words(came)
            assert came == vi or "2026-" not in came_words(came)
        with speaking("en"):
            assert en in came_words(came)
