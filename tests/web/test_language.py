"""Vietnamese first, English complete; numbers, dates and waits as each language writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lims.web import catalogue
from lims.web.language import COOKIE, gettext, is_late, language, ngettext, num, wait, when

_PLACE = re.compile(r"%\((\w+)\)s|%%")


def test_every_sentence_the_door_can_say_has_its_vietnamese() -> None:
    assert catalogue.missing() == []


def test_no_translation_outlives_its_sentence() -> None:
    wanted = catalogue.wanted()
    assert [message.id for message in catalogue.existing() if message.id not in wanted] == [""]


def test_a_translation_says_the_same_values() -> None:
    differing = [
        message.id
        for message in catalogue.existing()
        if message.id
        for english, said in [(_many(message.id), _many(message.string))]
        if set(_PLACE.findall(english)) != set(_PLACE.findall(said))
    ]
    assert differing == []


def _many(texts: object) -> str:
    return str(texts[-1]) if isinstance(texts, tuple | list) else str(texts)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("vi", ["1.204", "24,8", "—", "1.204 người"]), ("en", ["1,204", "24.8", "—", "1,204 people"])],
)
def test_numbers_are_written_as_the_language_writes_them(
    app: Flask, code: str, expected: list[str]
) -> None:
    with speaking(app, code):
        people = ngettext("%(num)s person", "%(num)s people", 1204)
        assert [num(1204), num(24.81, 1), num(None), people] == expected


@pytest.mark.parametrize("ct", [25.05, 24.95, 25.15, 0.25])
def test_a_cycle_number_is_rounded_as_the_rules_sentence_rounds_it(app: Flask, ct: float) -> None:
    with speaking(app, "en"):
        assert num(ct, 1) == f"{ct:.1f}"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("vi", ["11/09 08:00", "31/12/2020 23:59"]), ("en", ["11 Sep 08:00", "31 Dec 2020 23:59"])],
)
def test_times_are_the_sites_wall_clock_with_the_year_only_when_it_is_another(
    app: Flask, now: datetime, code: str, expected: list[str]
) -> None:
    with speaking(app, code):
        assert [when(now), when(datetime(2020, 12, 31, 16, 59, tzinfo=UTC))] == expected


@pytest.mark.parametrize(
    ("minutes", "vietnamese", "english"),
    [
        (0, "0 phút", "0 min"),
        (14, "14 phút", "14 min"),
        (65, "1 giờ 05", "1 h 05"),
        (26 * 60, "26 giờ 00", "26 h 00"),
        (50 * 60, "2 ngày", "2 days"),
    ],
)
def test_a_wait_is_said_as_people_say_it(
    app: Flask, now: datetime, minutes: int, vietnamese: str, english: str
) -> None:
    since = now - timedelta(minutes=minutes)
    for code, expected in (("vi", vietnamese), ("en", english)):
        with speaking(app, code):
            assert wait(since) == expected


def test_late_is_later_than_its_limit_and_nothing_without_a_limit(
    app: Flask, now: datetime
) -> None:
    with speaking(app, "vi"):
        since = now - timedelta(minutes=15)
        assert not is_late(since, 15)
        assert is_late(since - timedelta(seconds=1), 15)
        assert not is_late(since, None)


def test_the_cookie_chooses_then_the_site(app: Flask) -> None:
    with speaking(app, "en"):
        assert (language(), gettext("Save")) == ("en", "Save")
    for unknown in ("", "fr", "../../vi"):
        with speaking(app, unknown):
            assert (language(), gettext("Save")) == ("vi", "Lưu")


def speaking(app: Flask, code: str):  # type: ignore[no-untyped-def] # Flask's own context type is private
    return app.test_request_context("/", headers={"Cookie": f"{COOKIE}={code}"})
