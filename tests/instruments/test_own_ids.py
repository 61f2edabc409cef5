"""Our barcodes' check character, verified beside the analyser."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.analyser_messages import Well, encoded, plate_message
from instruments.astm.records import Message, read
from instruments.drivers import DRIVERS, Unreadable
from instruments.drivers.own_ids import OwnIds, agrees
from instruments.measurement import Role
from lims.domain import barcodes

CHECKED = OwnIds(DRIVERS["plate"], ["TT"])
ENDED = datetime(2021, 7, 13, 16, 42, 24, tzinfo=UTC)


def plate_of(specimen: str, role: Role = Role.SPECIMEN) -> Message:
    printed = plate_message(
        "PL7", [Well("A01", specimen, role, {"N": 20.0})], serial="C1", ended_at=ENDED
    )
    return read(b"".join(encoded(printed)))


@given(st.text(barcodes.ALPHABET, min_size=11, max_size=11))
def test_the_rule_beside_the_analyser_is_the_rule_of_the_lims(text: str) -> None:
    assert agrees(text) == barcodes.is_valid(text)


@given(st.integers(0, 1_000_000))
def test_every_barcode_that_is_printed_agrees(serial: int) -> None:
    assert agrees(barcodes.mint("TT", "7K", serial))


@pytest.mark.parametrize("at", range(2, 10))
def test_an_id_of_ours_with_two_characters_swapped_is_quarantined_with_the_reason(at: int) -> None:
    right = barcodes.mint("TT", "7K", 123_456_789)
    swapped = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    if swapped == right:
        return
    with pytest.raises(Unreadable, match="check-character: O1"):
        CHECKED.measurements(plate_of(swapped))


@pytest.mark.parametrize(
    "specimen", ["TT7K40FQ9XB", "VL000000012", "TT-17", "7734", "TTOOLONG1234", "Ống-7"]
)
def test_our_right_ids_and_other_laboratories_ids_pass(specimen: str) -> None:
    right = barcodes.mint("TT", "7K", 77) if specimen == "TT7K40FQ9XB" else specimen
    (measured,) = CHECKED.measurements(plate_of(right))
    assert measured.specimen == right


@pytest.mark.parametrize("noise", ["\x10", "\x01", "\x7f", "\x85", "\t", " ", "\u00a0", "\u200b"])
@pytest.mark.parametrize("id_", ["TT7K0{}A4SHT", "VL0000{}00012"])
def test_an_id_with_a_control_character_or_a_space_inside_is_quarantined(
    id_: str, noise: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        CHECKED.measurements(plate_of(id_.format(noise)))
    assert refused.value.reason == "id-characters"
    assert refused.value.detail.startswith("O1: ")
    assert refused.value.detail.isprintable(), "a terminal may show it"


def test_spaces_round_an_id_are_the_field_s_and_not_the_id_s() -> None:
    right = barcodes.mint("TT", "7K", 77)
    (measured,) = CHECKED.measurements(plate_of(f" {right} "))
    assert measured.specimen == right


def test_a_control_is_named_as_its_machine_names_it() -> None:
    control = plate_of("NTC", Role.NEGATIVE_CONTROL)
    assert [m.role for m in CHECKED.measurements(control)] == [Role.NEGATIVE_CONTROL]


def test_it_goes_by_the_driver_s_own_name_and_version() -> None:
    assert (CHECKED.name, CHECKED.version) == ("plate", DRIVERS["plate"].version)
