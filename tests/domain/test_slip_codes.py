"""The code of a slip: long enough for chance, and a mistyped one is known as mistyped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain import slip_codes
from lims.domain.barcodes import MINTED
from lims.domain.refusals import WrongCheckCharacter

codes = st.integers(0, slip_codes.SPACE - 1).map(slip_codes.from_chance).filter(bool)


def test_a_code_is_at_least_96_bits_of_chance() -> None:
    assert math.log2(slip_codes.SPACE) - math.log2(36 / 34) >= 96


@given(codes)
def test_a_code_reads_back_as_it_is_printed_however_it_is_typed(code: str) -> None:
    shown = slip_codes.shown(code)
    typed = shown.lower().replace("1", "i").replace("0", "o").replace("-", " ")
    assert slip_codes.parse(typed) == slip_codes.parse(shown) == code


@given(codes, st.integers(0, slip_codes.LENGTH - 1), st.sampled_from(MINTED))
def test_one_wrong_character_is_caught(code: str, place: int, other: str) -> None:
    if other != code[place]:
        with pytest.raises(WrongCheckCharacter):
            slip_codes.parse(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize("text", ["", "7K3F", "7K3F9QXM2ABC4DEF5GH!", "'; DROP", "Ắ" * 20])
def test_another_shape_is_said_to_be_no_code(text: str) -> None:
    with pytest.raises(slip_codes.NotASlipCode):
        slip_codes.parse(text)
