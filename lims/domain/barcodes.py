"""Tube barcodes: ten base-36 characters and an ISO 7064 check character.

`TT7K40FQ9XJ`: two for the site, two for the print batch, six for the serial, one check.
Source: ISO/IEC 7064:2003, the hybrid system MOD 37,36 (alphanumeric, one check character of the
same alphabet). A hybrid system catches every single substitution. Of the swaps of two neighbours
it misses a few: swapping characters of values a and b goes unseen for particular running
products; over this alphabet that is well under one in a hundred, and `tests/domain` counts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lims.domain.refusals import (
    Malformed,
    NotABarcode,
    OnlyDigits,
    PersonCard,
    WrongCheckCharacter,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MINTED = ALPHABET.replace("I", "").replace("O", "")  # I and O are read as 1 and 0 by people
LENGTH = 11
SERIALS = len(MINTED) ** 6

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_SEPARATORS = re.compile(
    r"[\s\-\u2010-\u2015\u2212]+"
)  # hyphens as keyboards and editors make them
_SHAPE = re.compile(rf"[0-9A-Z]{{{LENGTH}}}")
_PLATE = re.compile(r"[A-Z0-9-]{4,24}")
_MISREAD = {"I": "1", "1": "I", "O": "0", "0": "O"}
_ALIKE = ("0DQ", "1L7", "2Z", "5S", "6G", "8B3", "UV", "VY", "MN", "EF", "PR", "KX", "CG")
_MOST_SUGGESTIONS = 5
_CARD_FIELDS = 4  # the least that any card's code has, with | between them


def check_character(body: str) -> str:
    """The MOD 37,36 check character of base-36 text (ISO/IEC 7064:2003, hybrid systems)."""
    product = 36
    for character in body:
        product = (product + _VALUE[character]) % 36 or 36
        product = product * 2 % 37
    return ALPHABET[(37 - product) % 36]


def is_valid(barcode: str) -> bool:
    """True for 11 normalised characters whose check character agrees."""
    return _SHAPE.fullmatch(barcode) is not None and check_character(barcode[:-1]) == barcode[-1]


def mint(site: str, batch: str, serial: int) -> str:
    """The barcode of one label; the serial counts in base 34, six places.

    Raises Malformed where site or batch are not two characters without I and O, or the serial is
    outside 0 … 34^6 − 1.
    """
    for name, part in (("site", site), ("batch", batch)):
        if len(part) != 2 or not set(part) <= set(MINTED):
            raise Malformed(
                expected="two characters of 0-9 and A-Z without I and O", came=part, where=name
            )
    if not 0 <= serial < SERIALS:
        raise Malformed(
            expected="a serial that the print batch still has",
            came=f"{serial}, the last is {SERIALS - 1}",
            where="serial",
            todo="start a new print batch",
        )
    body = site + batch + _base_34(serial)
    return body + check_character(body)


def serial(barcode: str) -> int:
    """The serial that `mint` was given for this barcode, from its six places in base 34."""
    number = 0
    for character in barcode[4:10]:
        number = number * len(MINTED) + MINTED.index(character)
    return number


def minted_from(site: str, batch: str, serial: int) -> Iterator[tuple[int, str]]:
    """Serials and barcodes for a print run, from this serial to the end of the batch.

    Leaves out the one in eighteen whose check character is I or O, so that no label carries a
    letter that reads as a digit. Raises Malformed as `mint` does.
    """
    for following in range(serial, SERIALS):
        barcode = mint(site, batch, following)
        if barcode[-1] in MINTED:
            yield following, barcode


def normalise(text: str) -> str:
    """Upper case and without the spaces and hyphens people and scanners add."""
    return _SEPARATORS.sub("", text).upper()


def looks_like(text: str) -> bool:
    """True when the text has a barcode's shape, right or wrong in its check character."""
    return _SHAPE.fullmatch(normalise(text)) is not None


def parse(text: str, *, foreign: re.Pattern[str] | None = None) -> str:
    """The barcode as stored, from what was scanned or typed.

    `foreign` is the pattern a site has declared for barcodes it did not print (hospital, machine);
    these are kept as they come, in upper case.

    Raises NotABarcode for another shape, PersonCard for a card's code, WrongCheckCharacter,
    with suggestions, for a barcode that was misread or mistyped, and OnlyDigits for eleven digits,
    which are sooner a telephone with a digit too many or a card's number with one missing.
    """
    barcode = normalise(text)
    if is_valid(barcode):
        return barcode
    as_it_came = text.strip().upper()
    if foreign is not None and foreign.fullmatch(as_it_came):
        return as_it_came
    if text.count("|") >= _CARD_FIELDS - 1:
        raise PersonCard(where="barcode")
    if _SHAPE.fullmatch(barcode) is None:
        raise NotABarcode(came=text[:40], where="barcode")
    if barcode.isdecimal():  # no label is guessed: it is sooner none
        raise OnlyDigits(came=barcode, where="barcode")
    likely = [shown(one) for one in suggestions(barcode)]
    raise WrongCheckCharacter(came=shown(barcode), where="barcode", suggestions=likely)


def shown(barcode: str) -> str:
    """As printed under the bars: groups of four and the rest."""
    return "-".join(barcode[start : start + 4] for start in range(0, len(barcode), 4))


def suggestions(barcode: str, *, most: int = _MOST_SUGGESTIONS) -> tuple[str, ...]:
    """Valid barcodes one mistake away, the likeliest mistake first.

    Order: I and O against 1 and 0, two neighbours swapped, one look-alike character, then any one
    character. The last alone finds one for each place, about eleven, so this is cut at `most`; a
    caller that can ask which tubes exist filters all `candidates` by that instead.
    """
    return tuple(candidate for _, candidate in zip(range(most), candidates(barcode), strict=False))


def candidates(barcode: str) -> Iterator[str]:
    """Every valid, mintable barcode one mistake away, each once, the likeliest first."""
    seen = {barcode}
    for edited in _edits(barcode):
        if edited not in seen and set(edited[:-1]) <= set(MINTED) and is_valid(edited):
            seen.add(edited)
            yield edited


def parse_plate(text: str) -> str:
    """A plate's own barcode: the maker's, so only its characters are checked.

    Raises NotABarcode.
    """
    barcode = text.strip().upper()
    if _PLATE.fullmatch(barcode) is None:
        raise NotABarcode(
            expected="4 to 24 characters of A-Z, 0-9 and hyphen",
            came=text[:40],
            where="plate barcode",
            todo="scan the plate again, or name it with 4 to 24 letters A-Z, digits and hyphens",
        )
    return barcode


def _base_34(number: int) -> str:
    places = []
    for _ in range(6):
        number, remainder = divmod(number, len(MINTED))
        places.append(MINTED[remainder])
    return "".join(reversed(places))


def _edits(barcode: str) -> Iterator[str]:
    letters_to_digits = str.maketrans({"I": "1", "O": "0"})
    yield barcode[:-1].translate(letters_to_digits) + barcode[-1]
    yield barcode.translate(letters_to_digits)
    for place, character in enumerate(barcode):
        if character in _MISREAD:
            yield barcode[:place] + _MISREAD[character] + barcode[place + 1 :]
    for place in range(LENGTH - 1):
        left, right = barcode[place], barcode[place + 1]
        yield barcode[:place] + right + left + barcode[place + 2 :]
    for place, character in enumerate(barcode):
        for alike in _ALIKE:
            if character in alike:
                for other in alike:
                    yield barcode[:place] + other + barcode[place + 1 :]
    for place in reversed(range(LENGTH)):
        for other in ALPHABET:
            yield barcode[:place] + other + barcode[place + 1 :]
