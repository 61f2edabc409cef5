"""What somebody types to find a person or a tube: a name, a year, a number, part of a barcode."""

import re
from dataclasses import dataclass
from typing import Final

from lims.domain import barcodes
from lims.domain.identity import name_key, parse_phone
from lims.domain.refusals import NotAPhoneNumber

MOST_WORDS: Final = 8
_LEAST_PART: Final = 3
_DIGITS: Final = re.compile(r"[\d\s().+\-\u2010-\u2015]+", re.ASCII)
_NATIONAL_ID: Final = re.compile(r"\d{12}", re.ASCII)
_YEAR: Final = re.compile(r"(?:18[89]|19\d|20\d)\d", re.ASCII)
_PART: Final = re.compile(rf"(?=.*\d)[0-9A-Z]{{{_LEAST_PART},24}}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What was meant; several at once where the text alone cannot tell. Shows nobody when logged.

    ``words`` are of a name as `name_key` writes it; ``part`` is a piece of a barcode.
    """

    words: tuple[str, ...] = ()
    birth_year: int | None = None
    phone: str | None = None
    national_id: str | None = None
    old_id: str | None = None
    part: str | None = None

    @property
    def kind(self) -> str:
        """What the audit trail may say of it."""
        said = {
            "name": self.words,
            "phone": self.phone,
            "number": self.national_id or self.old_id,
            "barcode": self.part,
        }
        return "+".join(name for name, value in said.items() if value) or "nothing"


def asked(text: str) -> Asked:
    """Digits are a telephone, a card's number or part of a barcode; letters are a name, and four
    digits among them the birth year; letters and digits in one word are part of a barcode."""
    text = text.strip()
    if not text or len(text) > 200:
        return Asked()
    packed = barcodes.normalise(text)
    if _DIGITS.fullmatch(text):
        return _number(text)
    if _PART.fullmatch(packed) and len(text.split()) == 1:
        return Asked(part=packed)
    words = name_key(text).split()
    years = [word for word in words if _YEAR.fullmatch(word)]
    names = tuple(word for word in words if not word.isdigit())[:MOST_WORDS]
    return Asked(words=names, birth_year=int(years[0]) if years and names else None)


def _number(text: str) -> Asked:
    digits = re.sub(r"\D", "", text)
    if _NATIONAL_ID.fullmatch(text):
        return Asked(national_id=text)  # never the foreign number that two noughts would begin
    try:
        phone: str | None = parse_phone(text)
    except NotAPhoneNumber:
        phone = None
    return Asked(
        phone=phone,
        old_id=digits if len(digits) == 9 else None,
        part=digits if _LEAST_PART <= len(digits) <= 11 else None,
    )
