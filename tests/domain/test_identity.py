"""Names are found and listed as people in Vietnam expect; numbers raise doubts, not walls."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.identity import (
    Birth,
    IdDoubt,
    Sex,
    bare_household,
    check_national_id,
    given_name_sort_key,
    lives_at,
    name_key,
    parse_birth,
    parse_phone,
    tidy_name,
)
from lims.domain.refusals import NotAPhoneNumber

vietnamese = st.text("aăâđeêơưôiuyẳẫậđềệờựốịủỹĂÂĐÊƠƯÔ bcnghtmv", min_size=1, max_size=40)


def test_a_name_is_found_without_its_accents_and_with_d_bar_as_d() -> None:
    assert name_key("Đặng  Thị Ánh") == "dang thi anh"
    assert name_key("NGUYỄN VĂN ĐƯỜNG") == "nguyen van duong"
    assert name_key("\u00a0Lý\tÝ Nhi ") == "ly y nhi"


@given(vietnamese)
def test_a_name_typed_decomposed_or_in_capitals_has_the_same_key(name: str) -> None:
    key = name_key(name)
    assert name_key(unicodedata.normalize("NFD", name)) == key
    assert name_key(name.upper()) == key
    assert name_key(key) == key
    assert key.isascii()


@given(st.text(max_size=60))
def test_any_text_has_a_stable_key_and_sort_key(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
    assert given_name_sort_key(unicodedata.normalize("NFD", text)) == given_name_sort_key(
        unicodedata.normalize("NFC", text)
    )


@given(st.text(max_size=60))
def test_a_key_is_put_together_from_its_words_as_if_it_were_made_at_once(text: str) -> None:
    apart = unicodedata.normalize("NFD", text.casefold())
    unmarked = "".join(each for each in apart if not unicodedata.combining(each))
    at_once = unicodedata.normalize("NFC", unmarked).replace("đ", "d")
    assert name_key(text) == " ".join(at_once.split())


def test_a_name_is_stored_composed_and_with_single_spaces() -> None:
    assert tidy_name(" Nguye\u0302\u0303n  Va\u0306n\tAn ") == "Nguyễn Văn An"


def test_a_list_is_sorted_by_given_name_then_family_name() -> None:
    right = [
        "An",
        "Trần Thị An",
        "Lê Văn Án",
        "Bùi Thị Ánh",
        "Lê Văn Ân",
        "Đỗ Văn Bình",
        "Vũ Thị Bình",
        "Ngô Văn Dũng",
        "Ngô Văn Đan",
    ]
    keys = [given_name_sort_key(name) for name in right]
    assert keys == sorted(set(keys))


def test_tones_follow_the_dictionary_from_none_to_nang() -> None:
    right = ["La", "Là", "Lả", "Lã", "Lá", "Lạ", "Lan"]
    keys = [given_name_sort_key(name) for name in right]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("05031989", Birth(1989, date(1989, 3, 5))),
        ("05/03/1989", Birth(1989, date(1989, 3, 5))),
        ("5-3-1989", Birth(1989, date(1989, 3, 5))),
        ("1989-03-05", Birth(1989, date(1989, 3, 5))),
        ("1989/3/5", Birth(1989, date(1989, 3, 5))),
        (" 1950 ", Birth(1950)),
        ("00001950", Birth(1950)),
        ("31021989", None),
        ("00031989", None),
        ("1989-**-**", None),
        ("1750", None),
        ("", None),
        ("٠٥٠٣١٩٨٩", None),
    ],
)
def test_a_birth_is_read_as_a_day_as_a_year_or_not_at_all(text: str, birth: Birth | None) -> None:
    assert parse_birth(text) == birth


@given(st.dates(date(1850, 1, 1), date(2399, 12, 31)))
def test_every_day_reads_back_from_a_card_and_from_a_form(day: date) -> None:
    assert parse_birth(day.strftime("%d%m%Y")) == Birth(day.year, day)
    assert parse_birth(day.isoformat()) == Birth(day.year, day)


def test_a_national_number_that_agrees_raises_no_doubt() -> None:
    assert check_national_id("001089000001", 1989, Sex.MALE) == ()
    assert check_national_id("079303000001", 2003, Sex.FEMALE) == ()
    assert check_national_id("079303000001") == ()


def test_a_number_of_someone_born_abroad_is_not_doubted_for_its_place() -> None:
    assert check_national_id("101089000001", 1989, Sex.MALE) == ()


@pytest.mark.parametrize(
    ("number", "doubts"),
    [
        ("003089000001", (IdDoubt.PLACE_UNKNOWN,)),
        ("001090000001", (IdDoubt.BIRTH_YEAR_DIFFERS,)),
        ("001189000001", (IdDoubt.SEX_DIFFERS,)),
        ("001389000001", (IdDoubt.BIRTH_YEAR_DIFFERS, IdDoubt.SEX_DIFFERS)),
        ("123456789", (IdDoubt.NOT_TWELVE_DIGITS,)),
        ("00108900000A", (IdDoubt.NOT_TWELVE_DIGITS,)),
    ],
)
def test_a_number_that_disagrees_says_in_what(number: str, doubts: tuple[IdDoubt, ...]) -> None:
    assert check_national_id(number, 1989, Sex.MALE) == doubts


@given(st.integers(1900, 2399), st.sampled_from([Sex.MALE, Sex.FEMALE]), st.integers(0, 999999))
def test_a_number_built_by_the_decree_is_never_doubted(year: int, sex: Sex, serial: int) -> None:
    century_and_sex = (year - 1900) // 100 * 2 + (sex is Sex.FEMALE)
    number = f"048{century_and_sex}{year % 100:02d}{serial:06d}"
    assert check_national_id(number, year, sex) == ()


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("0912 345 678", "+84912345678"),
        ("+84 912-345-678", "+84912345678"),
        ("84912345678", "+84912345678"),
        ("0084912345678", "+84912345678"),
        ("+84 (0) 912.345.678", "+84912345678"),
        ("0120 1234567", "+84701234567"),
        ("01691234567", "+84391234567"),
        ("+841231234567", "+84831234567"),
        ("01861234567", "+84561234567"),
        ("024 3825 1234", "+842438251234"),
        ("+66 81 234 5678", "+66812345678"),
        ("00 856 20 1234567", "+856201234567"),
    ],
)
def test_a_telephone_number_is_stored_in_e164_whatever_its_age(text: str, e164: str) -> None:
    assert parse_phone(text) == e164
    assert parse_phone(e164) == e164


@pytest.mark.parametrize(
    "text", ["", "113", "091234567", "09123456789", "01601234567", "0612345678", "+0912345678", "x"]
)
def test_what_is_no_telephone_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAPhoneNumber) as refused:
        parse_phone(text)
    assert refused.value.came == ""


@given(st.text("0123456789+() -", max_size=18))
def test_any_digits_are_refused_or_become_a_number_that_reads_back(text: str) -> None:
    try:
        number = parse_phone(text)
    except NotAPhoneNumber:
        return
    assert parse_phone(number) == number


@pytest.mark.parametrize(
    ("address", "area", "said"),
    [
        ("Tổ 5, Dịch Vọng, Hà Nội", "Phường Dịch Vọng", "Tổ 5, Dịch Vọng, Hà Nội"),
        ("Tổ 5, P. Dịch Vọng", "Phường Dịch Vọng", "Tổ 5, P. Dịch Vọng"),
        ("Tổ 5", "Phường Dịch Vọng", "Tổ 5, Phường Dịch Vọng"),
        ("12 Dịch Vọng", "Phường Dịch Vọng", "12 Dịch Vọng, Phường Dịch Vọng"),
        (None, "Phường Dịch Vọng", "Phường Dịch Vọng"),
        ("Tổ 5", None, "Tổ 5"),
        (None, None, ""),
    ],
)
def test_the_commune_stands_once_in_an_address(
    address: str | None, area: str | None, said: str
) -> None:
    assert lives_at(address, area) == said


@pytest.mark.parametrize(
    ("label", "bare"),
    [
        ("Hộ Nguyễn Văn An", "Nguyễn Văn An"),
        ("household 114", "114"),
        ("114", "114"),
        ("Hộ", "Hộ"),
        ("Hồng Hà", "Hồng Hà"),
    ],
)
def test_a_door_is_not_called_a_household_twice(label: str, bare: str) -> None:
    assert bare_household(label) == bare
