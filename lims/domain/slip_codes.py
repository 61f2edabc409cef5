"""The code of a result slip: who does not hold the paper cannot guess it, who types it is caught.

`7K3F-9QXM-…`: nineteen characters of chance out of 34 (96.6 bits; A-Z and 0-9 without I and O) and
the check character that barcodes have (ISO/IEC 7064:2003, MOD 37,36), so that a code that was
mistyped is told from one that was never issued.
"""

from __future__ import annotations

from lims.domain import barcodes
from lims.domain.refusals import Malformed, Unknown, WrongCheckCharacter

LENGTH = 20
SPACE = len(barcodes.MINTED) ** (LENGTH - 1)
_MISREAD = str.maketrans({"I": "1", "O": "0"})


class NotASlipCode(Malformed):
    slug = "not-a-slip-code"
    expected = "the twenty letters and digits under the square on the slip"
    todo = "scan the square again, or type the code as it is printed"


class UnknownSlip(Unknown):
    """Never issued, or not here: the same answer, whoever asks."""

    slug = "unknown-slip"
    expected = "the code of a slip that was issued here"
    todo = "compare the code with the paper, or ask where the swab was taken"


def from_chance(number: int) -> str | None:
    """The code of a random number under SPACE; None for the one in eighteen that would end in a
    letter people read as a digit: draw again."""
    places = []
    for _ in range(LENGTH - 1):
        number, place = divmod(number, len(barcodes.MINTED))
        places.append(barcodes.MINTED[place])
    body = "".join(places)
    check = barcodes.check_character(body)
    return body + check if check in barcodes.MINTED else None


def parse(text: str) -> str:
    """The code as stored, from what was scanned or typed: I is 1 and O is 0, hyphens are nothing.

    Raises NotASlipCode for another shape, WrongCheckCharacter for a mistyped code.
    """
    code = barcodes.normalise(text[: 3 * LENGTH]).translate(_MISREAD)
    if len(code) != LENGTH or not set(code) <= set(barcodes.MINTED):
        raise NotASlipCode(where="slip code")
    if barcodes.check_character(code[:-1]) != code[-1]:
        raise WrongCheckCharacter(
            came=shown(code),
            where="slip code",
            expected="a slip's code whose last character agrees with the nineteen before it",
            todo="compare the code with the paper, or scan the square again",
        )
    return code


def shown(code: str) -> str:
    """As printed: five groups of four."""
    return barcodes.shown(code)
