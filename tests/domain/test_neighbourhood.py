"""Which doors share a lane or a building, as addresses are really written."""

import pytest

from lims.domain.neighbourhood import building_of, by_door, house_of, lane_of


@pytest.mark.parametrize(
    "address",
    [
        "Ngõ 165 Cầu Giấy",
        "Số 12 ngõ 165 Cầu Giấy",
        "Số 12, Ngõ 165, Cầu Giấy, P. Dịch Vọng",
        "số 3, ngách 12, ngõ 165 Cầu Giấy, phường Dịch Vọng, Hà Nội",
        "HẺM 165 CẦU GIẤY",
        "165/12/3 Cầu Giấy",
        "Số 165/7 Cầu Giấy, Quận Cầu Giấy",
    ],
)
def test_every_way_to_write_a_lane_is_one_lane(address: str) -> None:
    lane = lane_of(address)
    assert lane is not None and lane.key == "ngo 165 cau giay"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Số 4, thôn Đông", "thon dong"),
        ("Tổ 12, P. Dịch Vọng", "to 12"),
        ("12 Hai Bà Trưng", None),
        ("Phường Dịch Vọng", None),
        ("", None),
        (None, None),
        ("Ngô Quyền", None),
        ("12 Ngô Gia Tự", None),
    ],
)
def test_a_hamlet_counts_and_a_street_alone_does_not(address: str | None, key: str | None) -> None:
    lane = lane_of(address)
    assert (lane.key if lane else None) == key


def test_a_lane_is_named_as_it_was_written() -> None:
    lane = lane_of("Số 12, Ngõ 165, Cầu Giấy")
    assert lane is not None and lane.name == "Ngõ 165, Cầu Giấy"


def test_flats_of_one_building_are_one_building() -> None:
    one, other = building_of("P1203 chung cư Linh Đàm"), building_of("Căn 7, Chung cư Linh Đàm")
    assert one is not None and other is not None and one.key == other.key == "chung cu linh dam"
    assert building_of("Ký túc xá B2") is not None
    assert building_of("Số 4 Toán Học") is None


def test_doors_sort_as_one_walks() -> None:
    doors = ["Số 12 A", "3 B", "Số 101", None]
    assert sorted(doors, key=by_door) == ["3 B", "Số 12 A", "Số 101", None]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Số 12 ngõ 165 Cầu Giấy", "12 ngo 165 cau giay"),
        ("12, ngõ 165, Cầu Giấy, P. Dịch Vọng", "12 ngo 165 cau giay"),
        ("nhà số 12 Ngõ 165 CẦU GIẤY, Hà Nội, Việt Nam", "12 ngo 165 cau giay ha noi viet nam"),
        ("165/12/3 Cầu Giấy", "165/12/3 cau giay"),
        ("12B Hai Bà Trưng", "12b hai ba trung"),
        ("Ngõ 165 Cầu Giấy", None),
        ("Tổ 12, P. Dịch Vọng", None),
        ("12", None),
        (None, None),
    ],
)
def test_a_house_is_its_number_and_where_it_stands_however_it_is_written(
    address: str | None, key: str | None
) -> None:
    house = house_of(address)
    assert (house.key if house else None) == key


def test_the_next_house_of_a_lane_is_another_house() -> None:
    one, other = house_of("Số 12 ngõ 165 Cầu Giấy"), house_of("Số 14 ngõ 165 Cầu Giấy")
    assert one is not None and other is not None and one.key != other.key
