"""What rack scanners export is read without losing a tube."""

import pytest

from lims.domain.rack_list import RackList, RackRead, read_rack_list

ONE, TWO = "TT7K40FQ9XB", "TT7K41AAZ37"


@pytest.mark.parametrize(
    "text",
    [
        f"A1,{ONE}\nH12,{TWO}\n",
        f"{ONE};a01\r\n{TWO};h12\r\n",
        f"Position\tBarcode\tRack\nA01\t{ONE}\tRK1\nH12\t{TWO}\tRK1",
        f'"A01","TT7K-40FQ-9XB"\n"B01","NO TUBE"\nC01,\n\n"H12","{TWO.lower()}"',
    ],
)
def test_positions_and_barcodes_are_read_in_each_makers_way(text: str) -> None:
    assert read_rack_list(text) == RackList((RackRead(ONE, "A01"), RackRead(TWO, "H12")), ())


def test_a_plain_list_of_barcodes_has_no_positions() -> None:
    assert read_rack_list(f"{ONE}\n{TWO}").reads == (RackRead(ONE), RackRead(TWO))


def test_a_tube_whose_code_could_not_be_read_is_said_by_its_place() -> None:
    said = read_rack_list(f"A01,{ONE}\nB01,NO READ\nC01,???\nD01,smudged label\nhand note")
    assert said.unread == ("B01", "C01", "D01", "hand note")
    assert said.reads == (RackRead(ONE, "A01"),)
