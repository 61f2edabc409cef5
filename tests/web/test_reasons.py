"""A reason that a rule kept in English is said in the page's language, and never lost."""

from __future__ import annotations

import pytest
from flask import Flask

from lims.domain.controls import ControlReading, judge
from lims.domain.interpretation import TargetReading, rule_in_force
from lims.domain.well_reading import interpret
from lims.web.language import COOKIE
from lims.web.reasons import reason

RULE = rule_in_force("sars-cov-2")


def in_vietnamese(app: Flask, kept: str) -> str:
    with app.test_request_context(headers={"Cookie": f"{COOKIE}=vi"}):
        return reason(kept)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ((("N", 24.8), ("IC", 27.0)), "N 24,8, ngưỡng 38"),
        ((("N", 38.9), ("IC", 27.0)), "N 38,9, yếu: giữa 38 và 40"),
        ((("N", None), ("IC", None)), "không có đích, chứng nội âm"),
        ((("N", None), ("IC", 36.0)), "không có đích, chứng nội muộn: 36,0, ngưỡng 35"),
        ((("N", None), ("IC", 27.0)), "không có đích, chứng nội tốt: 27,0"),
        ((("N", 41.0), ("IC", 27.0)), "chỉ lên sau 40: 41,0; chứng nội tốt: 27,0"),
    ],
)
def test_every_reading_is_explained(
    app: Flask, readings: tuple[tuple[str, float | None], ...], said: str
) -> None:
    kept = interpret(RULE, [TargetReading(*one) for one in readings]).why
    assert in_vietnamese(app, kept) == said


@pytest.mark.parametrize(
    ("ntc", "pc", "said"),
    [
        (None, 24.8, "chứng âm sạch, chứng dương đúng hạn"),
        (33.1, 24.8, "chứng âm H11 lên đường cong: N 33,1. Nhiễm chéo: không tính kết quả nào."),
        (None, 36.2, "chứng dương H12 muộn: 36,2, ngưỡng 35"),
        (None, None, "chứng dương H12 không lên"),
    ],
)
def test_every_verdict_is_explained(
    app: Flask, ntc: float | None, pc: float | None, said: str
) -> None:
    controls = [
        ControlReading("H11", "negative_control", [TargetReading("N", ntc)]),
        ControlReading("H12", "positive_control", [TargetReading("N", pc)]),
    ]
    assert in_vietnamese(app, judge(RULE, controls).why) == said


def test_a_reason_may_quote_another(app: Flask) -> None:
    kept = "run again: negative control H11 was not measured"
    assert in_vietnamese(app, kept) == "chạy lại: chứng âm H11 chưa được đo"


def test_a_sentence_nobody_knows_is_shown_as_kept(app: Flask) -> None:
    assert in_vietnamese(app, "the moon was full") == "the moon was full"
