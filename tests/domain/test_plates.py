"""Wells fill down the columns and controls keep their corner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.plates import (
    STANDARD_CONTROLS_384,
    WELLS_96,
    WELLS_384,
    ControlRole,
    ControlTemplate,
    PlateSize,
    parse_well,
    sample_wells,
    well_name,
    wells,
)
from lims.domain.refusals import Malformed, NotAWell


def test_a_96_well_plate_fills_down_the_columns_from_a01_to_h12() -> None:
    assert WELLS_96[:3] == ("A01", "B01", "C01")
    assert WELLS_96[7:9] == ("H01", "A02")
    assert WELLS_96[-1] == "H12"
    assert len(set(WELLS_96)) == 96


def test_a_384_well_plate_reaches_p24() -> None:
    assert len(set(WELLS_384)) == 384
    assert WELLS_384[-1] == "P24"


@given(st.sampled_from(PlateSize), st.data())
def test_every_well_reads_back_from_its_name_with_or_without_the_nought(
    size: PlateSize, data: st.DataObject
) -> None:
    well = data.draw(st.sampled_from(wells(size)))
    short = f"{well[0].lower()}{int(well[1:])}"
    assert parse_well(well, size) == parse_well(short, size) == well


@pytest.mark.parametrize(
    "text", ["", "A", "A0", "A00", "A13", "I01", "A001", "1A", "A1B", "Ạ1", "A²"]
)
def test_a_well_the_plate_has_not_is_refused(text: str) -> None:
    with pytest.raises(NotAWell):
        parse_well(text)


def test_a_position_off_the_plate_is_refused() -> None:
    for row, column in ((8, 0), (0, 12), (-1, 0)):
        with pytest.raises(NotAWell):
            well_name(row, column)


def test_the_standard_plate_holds_94_samples_a_negative_and_a_positive_control() -> None:
    template = ControlTemplate()
    assert template.role("H11") is ControlRole.NEGATIVE
    assert template.role("H12") is ControlRole.POSITIVE
    assert template.role("A01") is None
    samples = sample_wells(template)
    assert len(samples) == 94
    assert samples[0] == "A01"
    assert {*samples, "H11", "H12"} == set(WELLS_96)


def test_a_template_names_its_wells_in_full_and_each_once() -> None:
    pair = (("a1", ControlRole.EXTRACTION), ("b1", ControlRole.POSITIVE))
    assert ControlTemplate(pair).role("A01") is ControlRole.EXTRACTION
    with pytest.raises(Malformed):
        ControlTemplate((("A1", ControlRole.NEGATIVE), ("a01", ControlRole.POSITIVE)))
    with pytest.raises(NotAWell):
        ControlTemplate((("H13", ControlRole.NEGATIVE),))


@pytest.mark.parametrize(
    "controls",
    [
        (),
        (("A01", ControlRole.POSITIVE),),
        (("A01", ControlRole.NEGATIVE), ("B01", ControlRole.EXTRACTION)),
    ],
)
def test_a_template_that_could_pass_no_run_is_refused(
    controls: tuple[tuple[str, ControlRole], ...],
) -> None:
    with pytest.raises(Malformed):
        ControlTemplate(controls)


def test_a_template_without_a_well_for_a_sample_is_refused() -> None:
    every = [(well, ControlRole.NEGATIVE) for well in WELLS_96]
    with pytest.raises(Malformed):
        ControlTemplate((*every[:-1], ("H12", ControlRole.POSITIVE)))


def test_the_standard_384_plate_holds_380_samples_and_two_controls_of_each_kind() -> None:
    samples = sample_wells(STANDARD_CONTROLS_384)
    assert len(samples) == 380
    assert samples[:2] == ("A01", "B01") and samples[16] == "A02"
    assert {*samples, "O23", "P23", "O24", "P24"} == set(WELLS_384)
