"""One scan field takes every card and every tube, and guesses nothing."""

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain import barcodes
from lims.domain.cards import (
    ChipCard,
    EpidemicCode,
    InsuranceCard,
    Scanned,
    TubeBarcode,
    Unrecognised,
    scan,
)
from lims.domain.identity import Birth, IdDoubt, Sex
from lims.domain.refusals import Misread, OnlyDigits, WrongCheckCharacter

CHIP = "001089000001||Nguyễn Văn Đường|05031989|Nam|Thôn Một, Xã Hai, Hà Nội|10052021"
TUBE = barcodes.mint("TT", "7K", 40)


def hexed(text: str) -> str:
    return text.encode().hex()


def test_a_chip_card_keeps_its_empty_second_field() -> None:
    card = scan(CHIP + "\r\n")
    assert isinstance(card, ChipCard)
    assert (card.national_id, card.old_id, card.name) == ("001089000001", None, "Nguyễn Văn Đường")
    assert (card.birth, card.sex) == (Birth(1989, date(1989, 3, 5)), Sex.MALE)
    assert (card.address, card.issued) == ("Thôn Một, Xã Hai, Hà Nội", date(2021, 5, 10))
    assert card.doubts == ()


def test_the_old_twelve_digit_number_is_not_taken_for_an_insurance_cards_hexadecimal() -> None:
    card = scan(CHIP.replace("||", "|414243444546|"))
    assert isinstance(card, ChipCard)
    assert card.old_id == "414243444546"


def test_the_card_of_2024_has_four_more_fields() -> None:
    card = scan(CHIP + "||Trần Thị Hai|Nguyễn Văn Một|")
    assert isinstance(card, ChipCard)
    assert card.more == ("", "Trần Thị Hai", "Nguyễn Văn Một", "")
    bare = scan(CHIP + "||||")
    assert isinstance(bare, ChipCard)
    assert bare.more == ("", "", "", "")


def test_a_card_whose_number_disagrees_with_its_sex_is_taken_and_doubted() -> None:
    card = scan(CHIP.replace("|Nam|", "|Nữ|"))
    assert isinstance(card, ChipCard)
    assert card.doubts == (IdDoubt.SEX_DIFFERS,)


def test_a_card_with_only_a_birth_year_or_a_decomposed_name_is_the_same_person() -> None:
    card = scan(unicodedata.normalize("NFD", CHIP.replace("05031989", "1989")))
    assert isinstance(card, ChipCard)
    assert card.birth == Birth(1989)
    assert (card.name, card.sex) == ("Nguyễn Văn Đường", Sex.MALE)


def test_the_national_epidemic_code_is_read_with_its_extension() -> None:
    code = scan("001089000001|NGUYEN VAN DUONG|1989-03-05|0|VNQ0000000001|1<GD4010000000001<09")
    assert isinstance(code, EpidemicCode)
    assert (code.open_number, code.qid) == ("001089000001", "VNQ0000000001")
    assert code.birth == Birth(1989, date(1989, 3, 5))
    assert code.extension == ("1", "GD4010000000001", "09")


def test_a_masked_epidemic_code_offers_only_its_qid_for_joining() -> None:
    code = scan("******001|NGUYEN VAN D****|1989-**-**|0|VNQ0000000001|")
    assert isinstance(code, EpidemicCode)
    assert code.open_number is None
    assert code.birth is None
    assert code.qid == "VNQ0000000001"
    assert code.extension == ()


def test_an_insurance_card_spells_its_name_in_hexadecimal() -> None:
    name, address = hexed("Lê Thị Ánh"), hexed("Xã Hai, Hà Nội")
    card = scan(f"GD4010000000001|{name}|05/03/1989|2|{address}|01 - 001|01/01/2021|$")
    assert isinstance(card, InsuranceCard)
    assert (card.code, card.name, card.sex) == ("GD4010000000001", "Lê Thị Ánh", Sex.FEMALE)
    assert (card.birth, card.address) == (Birth(1989, date(1989, 3, 5)), "Xã Hai, Hà Nội")
    assert card.more == ("01 - 001", "01/01/2021", "$")


@pytest.mark.parametrize("typed", [TUBE, TUBE.lower(), barcodes.shown(TUBE), f"{TUBE}\r\n"])
def test_a_tube_is_a_tube_however_it_is_typed(typed: str) -> None:
    assert scan(typed) == TubeBarcode(TUBE)


def test_a_misread_tube_is_refused_with_the_right_one() -> None:
    with pytest.raises(WrongCheckCharacter) as refused:
        scan(TUBE[:4] + "O" + TUBE[5:])
    assert barcodes.shown(TUBE) in refused.value.suggestions


@pytest.mark.parametrize("number", ["09123456781", "00118900123"])
def test_a_number_with_a_digit_too_many_or_too_few_is_no_misread_tube(number: str) -> None:
    with pytest.raises(OnlyDigits) as refused:
        scan(number)
    assert refused.value.came == number and "count them" in refused.value.todo


@pytest.mark.parametrize("landline", ["02438251234", "01234567890"])
def test_a_telephone_of_eleven_digits_is_somebody_to_be_found(landline: str) -> None:
    assert isinstance(scan(landline), Unrecognised)


def test_a_hospitals_own_barcode_is_a_tube_where_the_site_declares_it() -> None:
    assert scan("bm-20210911", foreign=re.compile(r"BM-\d{8}")) == TubeBarcode("BM-20210911")
    assert isinstance(scan("bm-20210911"), Unrecognised)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nguyen Van An",  # eleven letters, and not a barcode
        "001089000001",
        "https://example.invalid/qr?x=1",
        "|||||||",
        "001089000001|||||||",
        CHIP.rsplit("|", 1)[0],
        "0010890000|zz|1989|1|zz",
        f"GD4010000000001|{'ff' * 4}|1989|1|{hexed('Hà Nội')}",
        CHIP + "x" * 3000,
    ],
)
def test_what_no_rule_recognises_comes_back_as_it_was(text: str) -> None:
    scanned = scan(text)
    assert isinstance(scanned, Unrecognised)
    assert scanned.text == text


def test_a_scanned_person_never_reaches_a_log_line() -> None:
    for text in (CHIP, "******001|NGUYEN VAN D|1989-03-05|0|VNQ1|", "Nguyen Van An"):
        assert "guy" not in repr(scan(text)).casefold()


@given(st.lists(st.text(max_size=12), max_size=13).map("|".join))
def test_any_payload_is_recognised_kept_or_refused_as_a_misread_tube(text: str) -> None:
    try:
        scanned: Scanned = scan(text)
    except Misread:
        return
    if isinstance(scanned, Unrecognised):
        assert scanned.text == text


@given(
    name=st.text(st.characters(categories=["L"]), min_size=1, max_size=30),
    old=st.one_of(st.just(""), st.from_regex(r"[0-9]{9}", fullmatch=True)),
    day=st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    extra=st.integers(0, 6),
)
def test_every_card_of_seven_fields_or_more_is_a_chip_card(
    name: str, old: str, day: date, extra: int
) -> None:
    card = scan(f"001089000001|{old}|{name}|{day:%d%m%Y}|Nữ|Xã Hai|10052021" + "|" * extra)
    assert isinstance(card, ChipCard)
    assert card.birth == Birth(day.year, day)
    assert (card.old_id or "") == old
    assert len(card.more) == extra
