"""An analyser's flags and its clock's fault stand where a reviewer sees its values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from instruments.measurement import Capture
from lims.domain.instrument_clock import ClockDoubt, ClockFault
from lims.web.flag_words import doubt_words
from lims.work.access import Role
from tests.builders import Bench
from tests.captures import cartridge_capture, plate_capture, stray
from tests.web.browsing import words
from tests.web.conftest import SignIn

FLAGS = ("EXPFAIL", "status-P", "lot-AG21-07", "ct-33.3-of-unknown", "<b>odd</b>")


def remarked(bench: Bench, capture: Capture) -> Capture:
    """Flagged, by a clock that is ten years behind."""
    measured = tuple(replace(m, flags=FLAGS) for m in capture.measurements)
    sent_at = (bench.now - timedelta(days=3653)).isoformat()
    return replace(capture, measurements=measured, sent_at=sent_at)


IN_WORDS = {
    "en": (
        "its clock is 10 years behind",
        "no exponential phase (EXPFAIL)",
        "the analyser calls it preliminary",
        "cassette lot AG21-07",
        "a second Ct 33.3, of what is not said",
        "<b>odd</b>",
    ),
    "vi": ("đồng hồ máy chậm 10 năm", "không có pha lũy thừa (EXPFAIL)", "lô kít AG21-07"),
}


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_positive_and_its_tube_s_story_tell_them(
    signed_in: SignIn, bench: Bench, language: str
) -> None:
    swab = bench.swab()
    bench.later(45)
    capture = cartridge_capture(swab.barcode, 24.0, at=bench.now, instrument=bench.instrument)
    bench.take(remarked(bench, capture))
    bench.session.commit()
    reviewer = signed_in(Role.REVIEWER, language=language)
    for place in ("/review?show=positives", f"/tubes/{swab.barcode}"):
        page = words(reviewer.get(place))
        for said in IN_WORDS[language]:
            assert said in page, (place, said)


def test_a_second_value_and_a_stray_tell_them(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    layout = bench.plate(swab.barcode)
    bench.later(90).take(plate_capture(layout, {swab.barcode: 24.0}, instrument=bench.instrument))
    nobody = (stray(layout, "TT000000000", "C05", 20.0),)
    again = plate_capture(layout, {swab.barcode: 31.0}, extra=nobody, instrument=bench.instrument)
    bench.take(remarked(bench, again))
    bench.session.commit()
    reviewer = signed_in(Role.REVIEWER)
    for queue in ("corrections", "unmatched"):
        page = words(reviewer.get(f"/review?show={queue}"))
        for said in IN_WORDS["en"]:
            assert said in page, (queue, said)


def test_what_has_none_shows_none(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0})
    bench.session.commit()
    reviewer = signed_in(Role.REVIEWER)
    for place in ("/review?show=positives", f"/tubes/{swab.barcode}"):
        assert "clock" not in words(reviewer.get(place))


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (timedelta(minutes=12, seconds=50), "12 min"),
        (timedelta(hours=7, minutes=5), "7 h 05"),
        (timedelta(days=40), "40 days"),
        (timedelta(days=600), "2 years"),
    ],
)
def test_how_far_it_is_off_is_said_as_people_say_it(by: timedelta, said: str) -> None:
    assert doubt_words(ClockDoubt(ClockFault.AHEAD, by)) == f"its clock is {said} ahead"
    assert said in doubt_words(ClockDoubt(ClockFault.FUTURE, by))
