"""What a hand scanner types: one line in, one recognised thing out.

A desk has one scan field for everything; the payload says what it is. Nothing is guessed: what no
rule recognises comes back raw, to be matched by the number printed on the card (VNeID publishes
no payload format).

Cards carry people, so their values show no fields when printed or logged.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from lims.domain import barcodes
from lims.domain.identity import (
    Birth,
    IdDoubt,
    Sex,
    check_national_id,
    parse_birth,
    parse_phone,
    tidy_name,
)
from lims.domain.refusals import NotAPhoneNumber

_LONGEST = 3000  # a version 40 QR code holds 2,953 bytes (ISO/IEC 18004, table 7)
_TWELVE_DIGITS = re.compile(r"\d{12}", re.ASCII)
_INSURANCE_NUMBER = re.compile(r"[A-Z]{2}\d{13}|\d{10}|\d{12}", re.ASCII)
_EPIDEMIC_NUMBER = re.compile(r"[0-9A-Z*]{3,20}", re.ASCII)
_ISO_DATE_OR_MASK = re.compile(r"[\d*]{4}[-/][\d*]{1,2}[-/][\d*]{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class ChipCard:
    """The QR code of the citizen identity card with a chip (2021) and the identity card of 2024.

    `id12|old id|name|ddMMyyyy|Nam/Nữ|address|ddMMyyyy issued`, the 2024 card with four more fields
    that are mostly empty. Field 2 is empty for who never held the nine-digit card.
    """

    national_id: str
    old_id: str | None
    name: str
    birth: Birth | None
    sex: Sex
    address: str
    issued: date | None
    more: tuple[str, ...]

    @property
    def doubts(self) -> tuple[IdDoubt, ...]:
        """Where the number and the rest of the card disagree."""
        year = self.birth.year if self.birth else None
        return check_national_id(self.national_id, year, self.sex)


@dataclass(frozen=True, slots=True, repr=False)
class EpidemicCode:
    """The national epidemic-control QR code (decision 1405/QĐ-BTTTT of 2021, version 1.1).

    `SoGiayTo|HoTen|NgaySinh|LoaiDinhDanh|QID|EXT`. The name is in capitals without accents, and
    any field may be masked with `*`: join on `qid` or an unmasked `number`, never on the name.
    """

    number: str
    name: str
    birth: Birth | None
    kind: str
    qid: str
    extension: tuple[str, ...]

    @property
    def open_number(self) -> str | None:
        """The document number where it is whole, None where it is masked."""
        return None if "*" in self.number else self.number


@dataclass(frozen=True, slots=True, repr=False)
class InsuranceCard:
    """The QR code of the health insurance card (BHYT).

    `code|name in hexadecimal UTF-8|dob|1 male, 2 female|address in hexadecimal|…`
    """

    code: str
    name: str
    birth: Birth | None
    sex: Sex
    address: str
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TubeBarcode:
    barcode: str


@dataclass(frozen=True, slots=True, repr=False)
class Unrecognised:
    """Kept as it came, for a clerk."""

    text: str


Scanned = ChipCard | EpidemicCode | InsuranceCard | TubeBarcode | Unrecognised


def scan(text: str, *, foreign: re.Pattern[str] | None = None) -> Scanned:
    """What was scanned; `foreign` is the site's pattern for barcodes it did not print.

    Raises WrongCheckCharacter, with suggestions, for a tube barcode that was misread: it is surely
    a tube, and must not be taken for anything else; OnlyDigits for eleven digits that are no
    telephone either (a landline has eleven).
    """
    line = unicodedata.normalize("NFC", text).strip("\ufeff\r\n\t ")
    if len(line) > _LONGEST:
        return Unrecognised(text)
    if "|" in line:
        fields = tuple(field.strip() for field in line.split("|"))
        return _chip_card(fields) or _insurance(fields) or _epidemic(fields) or Unrecognised(text)
    return _tube(line, foreign) or Unrecognised(text)


def _tube(line: str, foreign: re.Pattern[str] | None) -> TubeBarcode | None:
    if barcodes.is_valid(barcodes.normalise(line)) or _is_a_label(line):
        return TubeBarcode(barcodes.parse(line, foreign=foreign))
    if foreign is not None and foreign.fullmatch(line.upper()):
        return TubeBarcode(line.upper())
    return None


def _is_a_label(line: str) -> bool:
    """Eleven characters with a digit and no space: a label; `Nguyen Van An` has eleven letters."""
    return (
        barcodes.looks_like(line)
        and not any(character.isspace() for character in line)
        and any(character.isdigit() for character in line)
        and not _is_a_telephone(line)
    )


def _is_a_telephone(line: str) -> bool:
    """Of this country: 001… begins a card's number far sooner than a call abroad."""
    try:
        return line.isdecimal() and line[:2] != "00" and bool(parse_phone(line))
    except NotAPhoneNumber:
        return False


def _chip_card(fields: tuple[str, ...]) -> ChipCard | None:
    if len(fields) < 7 or not _TWELVE_DIGITS.fullmatch(fields[0]) or not fields[2]:
        return None
    if fields[4].casefold() not in _CHIP_SEX and parse_birth(fields[3]) is None:
        return None
    issued = parse_birth(fields[6])
    return ChipCard(
        national_id=fields[0],
        old_id=fields[1] or None,
        name=tidy_name(fields[2]),
        birth=parse_birth(fields[3]),
        sex=_CHIP_SEX.get(fields[4].casefold(), Sex.UNKNOWN),
        address=fields[5],
        issued=issued.day if issued else None,
        more=fields[7:],
    )


_CHIP_SEX = {"nam": Sex.MALE, "nữ": Sex.FEMALE, "nu": Sex.FEMALE}
_INSURANCE_SEX = {"1": Sex.MALE, "2": Sex.FEMALE}


def _insurance(fields: tuple[str, ...]) -> InsuranceCard | None:
    if len(fields) < 5 or not _INSURANCE_NUMBER.fullmatch(fields[0].upper()):
        return None
    name, address = _from_hex(fields[1]), _from_hex(fields[4])
    if not name or address is None:
        return None
    return InsuranceCard(
        code=fields[0].upper(),
        name=tidy_name(name),
        birth=parse_birth(fields[2]),
        sex=_INSURANCE_SEX.get(fields[3], Sex.UNKNOWN),
        address=tidy_name(address),
        more=fields[5:],
    )


def _from_hex(field: str) -> str | None:
    try:
        return bytes.fromhex(field).decode()
    except ValueError:  # not hexadecimal, or not UTF-8 (UnicodeDecodeError is a ValueError)
        return None


def _epidemic(fields: tuple[str, ...]) -> EpidemicCode | None:
    if len(fields) not in (5, 6) or not _EPIDEMIC_NUMBER.fullmatch(fields[0].upper()):
        return None
    if not fields[1] or not _ISO_DATE_OR_MASK.fullmatch(fields[2]):
        return None
    return EpidemicCode(
        number=fields[0].upper(),
        name=tidy_name(fields[1]),
        birth=parse_birth(fields[2]),
        kind=fields[3],
        qid=fields[4],
        extension=tuple(fields[5].split("<")) if len(fields) == 6 and fields[5] else (),
    )
