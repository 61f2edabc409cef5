"""It cannot be read as what it should be; sending the same again cannot help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lims.domain.refusals.families import Malformed


class InvalidBody(Malformed):
    slug = "invalid-body"
    expected = "every field as the API describes it"
    todo = "correct the fields listed under errors and send again"

    def __init__(
        self, *, errors: Sequence[Mapping[str, object]], where: str = "", came: str = ""
    ) -> None:
        super().__init__(came=came, where=where, errors=list(errors))


class NotUtf8(Malformed):
    slug = "not-utf8"
    expected = "text in UTF-8"
    todo = "save or send it as UTF-8; nothing was taken"


class UnreadableList(Malformed):
    slug = "unreadable-list"
    expected = "an .xlsx workbook or CSV with a line of headings and at most 100,000 lines"
    todo = "save the list as .xlsx or CSV and send it again; nothing was taken"


class NotABarcode(Malformed):
    slug = "not-a-barcode"
    expected = "11 letters and digits, with or without hyphens"
    todo = "scan again, or type the characters under the bars"


class PersonCard(Malformed):
    """Raised without `came`, as below: a card where a tube's label belongs."""

    slug = "person-card"
    expected = "the label of a tube"
    todo = "this is a person's card: scan the tube's label here, and the card at Collect"


class Misread(Malformed):
    """`suggestions` are whole barcodes as shown on a label, the likeliest first."""

    def __init__(
        self,
        *,
        came: str,
        where: str = "",
        suggestions: Sequence[str] = (),
        expected: str | None = None,
        todo: str | None = None,
    ) -> None:
        super().__init__(
            came=came, where=where, expected=expected, todo=todo, suggestions=list(suggestions)
        )
        self.suggestions = tuple(suggestions)


class WrongCheckCharacter(Misread):
    slug = "wrong-check-character"
    expected = "a barcode whose last character agrees with the ten before it"
    todo = "scan again, or compare the label with the suggestions"


class OnlyDigits(Misread):
    """As long as a barcode, and no letter in it: sooner a number that lost or gained a digit."""

    slug = "only-digits"
    expected = "a barcode, a telephone or a card's number"
    todo = (
        "a telephone has 10 digits, a card's number 12 (an old card's 9): count them;"
        " a tube's label is to be scanned again"
    )


class TornCard(Malformed):
    """Raised without `came`: what is left of a card's code is still somebody's data."""

    slug = "torn-card"
    expected = "the whole code of a card"
    todo = "part of the card's code is missing: scan it again, slowly, or type who it is"


class MaskedCard(Malformed):
    """Raised without `came`, as above."""

    slug = "masked-card"
    expected = "a code with the whole name"
    todo = "the code hides part of the name: type the full name, or scan the identity card"


class BadSearch(Malformed):
    """`where` is the parameter. A person's number that came in an address is not in `came`."""

    slug = "bad-search"
    expected = "a search as the CapabilityStatement describes it"
    todo = "read /fhir/R4/metadata for the parameters of this type, and ask again"


class NotAKitCode(Malformed):
    slug = "not-a-kit-code"
    expected = "the GS1 code of a kit's box with (01) item, (10) lot and (17) expiry"
    todo = "scan the box again, or type lot and expiry date as printed"


class NotAWell(Malformed):
    slug = "not-a-well"
    expected = "a row letter and a column number that the plate has"
    todo = "name the well as A01 to H12 on a 96-well plate"


class NotAPhoneNumber(Malformed):
    """Raised without `came`: a telephone number belongs to a person and stays out of logs."""

    slug = "not-a-phone-number"
    expected = "a Vietnamese mobile or landline number, or +country and number"
    todo = "check the digits, or leave the number empty"


class OutOfRange(Malformed):
    """`where` is the field: `prevalence`, `se`, `max_pool`, …"""

    slug = "plan-out-of-range"
    expected = "a probability between 0 and 1, neither of them"
    todo = "give it as a share: 0.01 for one percent"


class NotADesign(Malformed):
    slug = "not-a-design"
    expected = "a design such as 11, 25: 5×5, 40: 7,7,7,7,6,6 or 12×12"
    todo = "write the largest pool, a colon, and the pools inside it; the sizes must add up"
