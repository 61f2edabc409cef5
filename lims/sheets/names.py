"""Names and sexes as lists have them."""

import re
import unicodedata
from typing import Final

from lims.domain.identity import name_key, tidy_name
from lims.sheets.cells import Cell, as_text
from lims.sheets.faults import CellFault

LONGEST: Final = 200
_ALLOWED: Final = frozenset(" '’ʼ.,-()/&\u00b7\u200c\u200d")
_BROKEN: Final = re.compile(
    "Ã|á»|áº|Æ°|Ä\u0091|Ä‘"  # UTF-8 that was read as Windows-1252
    "|[¨©ª«¬®µ¶·¸¹¾¿]"  # Vietnamese of fonts named .Vn…, before Unicode (TCVN3)
)
_SEXES: Final = {
    **dict.fromkeys(("nam", "male", "m", "trai", "ong"), "male"),
    **dict.fromkeys(("nu", "female", "f", "gai", "ba"), "female"),
}


def name_of(cell: Cell) -> tuple[str, None] | tuple[None, CellFault] | tuple[str, CellFault]:
    """The name as stored and no fault; or the fault, with the sign that is no letter."""
    name = tidy_name(as_text(cell))
    if not name:
        return None, CellFault.NAME_MISSING
    if name.replace(" ", "").isalpha() and len(name) <= LONGEST and not _BROKEN.search(name):
        return name, None
    if "\ufffd" in name or _BROKEN.search(name):
        lost = "\ufffd" in name
        return None, CellFault.LETTER_UNREADABLE if lost else CellFault.NAME_BROKEN
    sign = next((one for one in name if not _may_stand(one)), None)
    if sign is not None:
        return sign, CellFault.NAME_SIGN
    if not any(map(str.isalpha, name)):
        return None, CellFault.NAME_NO_LETTER
    return (None, CellFault.NAME_LONG) if len(name) > LONGEST else (name, None)


def sex_of(cell: Cell) -> str | CellFault | None:
    """male, female, what is wrong, or None for an empty cell."""
    key = name_key(as_text(cell).strip(" .()"))
    if not key:
        return None
    return _SEXES.get(key, CellFault.SEX_UNREADABLE)


def _may_stand(character: str) -> bool:
    return (
        unicodedata.category(character)[0] in "LM" or character in _ALLOWED or character.isdigit()
    )
