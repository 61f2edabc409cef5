"""Telephone and card numbers as spreadsheets mangle them: noughts cut in front, digits rounded off.

What can be known again is mended (912345678 is 0912345678); a number whose digits are gone
(9.12346E+11) is refused, since a guess would be somebody else's.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from lims.domain.identity import IdDoubt, check_national_id, parse_phone
from lims.domain.refusals import NotAPhoneNumber
from lims.sheets.cells import Cell, as_text
from lims.sheets.faults import CellFault

_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_TRAILING: Final = re.compile(r"[.,]0+$")
_TWO_NUMBERS: Final = re.compile(r"\s*(?:[/;,|]|\bhoặc\b|\bvà\b|\n)\s*", re.IGNORECASE)
_FILLING: Final = re.compile(r"[\s.\-']+")
_CARD: Final = 12
_OLD_CARD: Final = 9  # the identity cards of before 2016, not valid any more since 2025


def digits_of(cell: Cell) -> str | CellFault:
    """The text of a number, whole again where the spreadsheet only wrote it otherwise."""
    if isinstance(cell, str) and _is_plain(cell):
        return cell
    text = as_text(cell).strip()
    if _SCIENTIFIC.fullmatch(text):
        try:
            number = Decimal(text.replace(",", "."))
        except InvalidOperation:
            return CellFault.DIGITS_LOST
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or exponent != 0:
            # Noughts at the end may be the number's or what is left of it; a fraction is neither.
            return CellFault.DIGITS_LOST
        return str(int(number))
    return _TRAILING.sub("", text) if text.count(".") + text.count(",") == 1 else text


def phone_of(cell: Cell) -> str | CellFault | None:
    """E.164 of the first number in the cell, what is wrong, or None for an empty cell."""
    text = digits_of(cell)
    if isinstance(text, CellFault) or not text:
        return text or None
    parts = (text,) if _is_plain(text) else _TWO_NUMBERS.split(text)
    first = next(filter(None, parts), "")
    for said in (first, f"0{first}") if first[:1] in "1235789" else (first,):
        try:
            return parse_phone(said)
        except NotAPhoneNumber:
            continue
    return CellFault.PHONE_UNREADABLE


def national_id_of(cell: Cell) -> str | CellFault | None:
    """The twelve digits, what is wrong, or None for an empty cell.

    One or two noughts in front are put back when the number then has a province: only those of
    the first ninety-nine begin with noughts, and none with three.
    """
    text = digits_of(cell)
    if isinstance(text, CellFault) or not text:
        return text or None
    number = text if _is_plain(text) else _FILLING.sub("", text)
    if not _is_plain(number):
        return CellFault.NUMBER_UNREADABLE
    if len(number) == _CARD:
        return number
    if len(number) not in (_CARD - 1, _CARD - 2):
        old = len(number) == _OLD_CARD
        return CellFault.NUMBER_OLD if old else CellFault.NUMBER_UNREADABLE
    whole = number.zfill(_CARD)
    if IdDoubt.PLACE_UNKNOWN in check_national_id(whole):
        return CellFault.NUMBER_PLACE
    return whole


def _is_plain(text: str) -> bool:
    """Digits and nothing else, as nearly every cell of a list: nothing to mend."""
    return text.isascii() and text.isdigit()
