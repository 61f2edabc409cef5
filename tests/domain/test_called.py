"""A machine's word has one meaning or none, and only closed systems judge by themselves."""

import pytest

from instruments.drivers import DRIVERS
from instruments.drivers.exports import FILE_DRIVERS
from lims.domain.called import CLOSED_SYSTEMS, Called, called, judges_by_itself


@pytest.mark.parametrize(
    ("driver", "word", "means"),
    [
        ("cobas", "NEG", Called.NOT_DETECTED),
        ("cobas", "POS", Called.DETECTED),
        ("cobas", "NR", Called.NOT_DETECTED),
        ("cobas", "RR", Called.DETECTED),
        ("cobas", "ND", Called.NOT_DETECTED),
        ("cobas", "Target Not Detected", Called.NOT_DETECTED),
        ("cobas4800", "target  not detected", Called.NOT_DETECTED),
        ("alinity-m", "Not Detected", Called.NOT_DETECTED),
        ("m2000", "Detected", Called.DETECTED),
        ("genexpert", "PRESUMPTIVE POS", Called.INCONCLUSIVE),
        ("genexpert", "Négatif", Called.NOT_DETECTED),
        ("genexpert", "FAIL", Called.INVALID),
        ("quantstudio", "Âm tính", Called.NOT_DETECTED),
        ("plate", "Reactive", Called.DETECTED),
    ],
)
def test_a_word_means_what_its_machine_means_by_it(driver: str, word: str, means: Called) -> None:
    assert called(word, driver) is means


@pytest.mark.parametrize(
    ("driver", "word"),
    [
        ("cobas", "BT"),
        ("cobas", "NEGATIVE?"),
        ("cobas", "367 10*-1.{copies}/mL"),
        ("alinity-m", "161152"),
        ("m2000", "ND"),  # Roche's abbreviation: elsewhere it may be "not determined"
        ("quantstudio", "NR"),
        ("genexpert", "PASS"),
        ("genexpert", "NA"),
        ("genexpert", ""),
        ("genexpert", None),
    ],
)
def test_an_unknown_word_is_no_word(driver: str, word: str | None) -> None:
    assert called(word, driver) is None


def test_only_named_machines_judge_by_themselves() -> None:
    assert set(CLOSED_SYSTEMS) <= set(DRIVERS), "a driver was renamed"
    assert all(CLOSED_SYSTEMS.values()), "each says why"
    for driver in {*DRIVERS, *FILE_DRIVERS, "my-own-profile"} - set(CLOSED_SYSTEMS):
        assert not judges_by_itself(driver)
    assert not judges_by_itself("fline"), "an antigen reader has no internal control of a swab"
