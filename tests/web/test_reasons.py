"""A reason that a rule kept in English is said in the page's language, and never lost."""

from __future__ import annotations

import pytest
from flask import Flask

from lims.domain.called import NO_CALL, Called, OwnCall, called
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


COBAS = OwnCall(closed=True)


@pytest.mark.parametrize(
    ("readings", "own", "said"),
    [
        ((("ORF1ab", None, "NEG"), ("E", None, "NEG")), COBAS, "máy báo: ORF1ab NEG, E NEG"),
        ((("E", None, "BT"),), COBAS, "máy báo một từ chưa biết: E BT"),
        (
            (("N", 24.8, "NEG"), ("IC", 27.0, None)),
            NO_CALL,
            "N 24,8, ngưỡng 38, nhưng máy báo: N NEG",
        ),
        (
            (("N", 41.2, "POS"), ("IC", 27.0, None)),
            NO_CALL,
            "N 41,2, muộn hơn 40, nhưng máy báo: N POS",
        ),
        (
            (("N", None, "POS"), ("IC", 27.0, None)),
            NO_CALL,
            "không có Ct, nhưng máy báo: N POS",
        ),
        (
            (("E", None, "POS"),),
            OwnCall("NR", Called.NOT_DETECTED, closed=True),
            "các kết luận của máy trái nhau: E POS; cả xét nghiệm NR",
        ),
        (
            (("E", None, "NEG"), ("IC", None, "FAIL")),
            COBAS,
            "không có đích, máy báo chứng nội: IC FAIL",
        ),
        (
            (),
            OwnCall("6.73E+01 cp/mL", None, closed=True),
            "máy báo một từ chưa biết: 6.73E+01 cp/mL",
        ),
    ],
)
def test_what_the_machine_says_is_explained_and_quoted_as_sent(
    app: Flask,
    readings: tuple[tuple[str, float | None, str | None], ...],
    own: OwnCall,
    said: str,
) -> None:
    heard = [TargetReading(t, ct, word, called(word, "cobas")) for t, ct, word in readings]
    assert in_vietnamese(app, interpret(RULE, heard, own=own).why) == said


@pytest.mark.parametrize(
    ("role", "word", "said"),
    [
        (
            "negative_control",
            "POS",
            "chứng âm H11, máy báo: N POS. Nhiễm chéo: không tính kết quả nào.",
        ),
        ("positive_control", "Invalid", "chứng dương H11 lỗi: máy báo: N Invalid"),
    ],
)
def test_what_the_machine_says_of_a_control_is_explained(
    app: Flask, role: str, word: str, said: str
) -> None:
    heard = [TargetReading("N", None, word, called(word, "m2000"))]
    control = ControlReading("H11", role, heard, own=OwnCall(closed=True))
    assert in_vietnamese(app, judge(RULE, [control]).why) == said


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


def test_a_word_that_does_not_count_says_which_drivers_differ(app: Flask) -> None:
    kept = "the gateway reads it as cobas, but it is set up here as quantstudio"
    said = in_vietnamese(app, kept)
    assert said.startswith("cổng nối đọc bằng cobas, còn máy khai báo ở đây là quantstudio")
