"""What a desk's scan was: a tube, a person's card, or a kind word about what came instead."""

import re
from collections.abc import Mapping
from typing import Final

from lims.domain import cards
from lims.domain.cards import ChipCard, EpidemicCode, InsuranceCard, TubeBarcode
from lims.domain.refusals import NotABarcode, TornCard

_CARD: Final = re.compile(r"(?:[^|]*\|){3}")
_LABEL: Final = re.compile(r"[0-9A-Z]{4}-?[0-9A-Z]{4}-?[0-9A-Z]{3}", re.IGNORECASE | re.ASCII)
_FIELDS: Final = ("barcode", "name", "national_id", "phone", "birth", "address", "area")
Read = ChipCard | EpidemicCode | InsuranceCard | TubeBarcode


def read_scan(text: str) -> Read:
    """Raises WrongCheckCharacter for a misread tube, OnlyDigits for a number of eleven, TornCard
    for what is left of a card's code, NotABarcode for anything else."""
    found = cards.scan(text)
    if not isinstance(found, cards.Unrecognised):
        return found
    if "|" in text:
        raise TornCard(where="scan")
    digits = "".join(text.split()).isdecimal()
    raise NotABarcode(
        came=text.strip()[:40],
        where="scan",
        todo="nobody known here has this number: count its digits, or scan the card"
        if digits
        else "scan again, or type the characters under the bars",
    )


def scanned_into(form: Mapping[str, str]) -> tuple[str, str] | None:
    """The field of a form that a scan fell into, and the scan.

    The scanner types wherever the cursor stands: a card into the tube's field, a tube's label
    into the name. Neither can be what was meant to be typed there.
    """
    for field in _FIELDS:
        text = form.get(field, "")
        if _CARD.match(text) or (field != "barcode" and _is_a_label(text)):
            return field, text
    return None


def _is_a_label(text: str) -> bool:
    line = text.strip()
    digits = sum(one.isdigit() for one in line)
    return bool(_LABEL.fullmatch(line)) and 0 < digits < len(line)
