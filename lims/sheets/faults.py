"""What can be wrong with a list, and with one cell of it: a word to keep and a sentence to say.

The sentences are message ids: pages translate them, the command line prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lims.sheets.columns import Column


class FileFault(StrEnum):
    """Why nothing of a file could be taken."""

    EMPTY = "there is nothing in this file"
    TOO_BIG = "this file is larger than 64 MB: send it in parts"
    OLD_WORKBOOK = (
        "an old .xls workbook, or one with a password: save it as .xlsx without a password"
    )
    NOT_A_LIST = "this is no list: send an .xlsx workbook, or CSV"
    DAMAGED = "this workbook is damaged: open it in the spreadsheet and save it again"
    UNPACKS_TOO_BIG = "this workbook unpacks to more than a list of 100,000 lines ever needs"
    TOO_MANY_ROWS = "more than 100,000 lines: send them in parts"
    TOO_WIDE = "more than 200 columns: delete those that nobody needs"
    LONG_CELL = "a cell is longer than a page: a quotation mark was opened and never closed"
    NO_ROWS = "there are no lines under the headings"
    BROKE = "the import broke off: what was taken is counted; ask an operator to look at the log"


class CellFault(StrEnum):
    """Why a line was not taken; the name is stored, the sentence is said."""

    TUBE_MISSING = "the tube is missing"
    TUBE_UNREADABLE = "11 letters and digits are expected"
    TUBE_MISREAD = "the last character does not fit the others"
    TUBE_MISREAD_LIKE = "the last character does not fit the others; perhaps %(like)s"
    TUBE_TAKEN = "this tube belongs to somebody else already"
    TUBE_IN_LINE = "this tube stands in line %(line)s already"
    NAME_MISSING = "the name is missing"
    NAME_LONG = "at most 200 characters"
    NAME_NO_LETTER = "a name has letters"
    NAME_SIGN = "%(sign)s is no letter"
    NAME_BROKEN = "the letters were broken by another program: save the list as UTF-8 or .xlsx"
    BIRTH_UNREADABLE = "a year or a day: 1987 or 05/03/1989"
    BIRTH_NO_SUCH_DAY = "the calendar has no such day"
    BIRTH_MONTH_FIRST = "the day comes first: 25/03/1989"
    BIRTH_LATER = "this is yet to come"
    BIRTH_TWICE = "a year stands in both columns"
    AGE = "an age: give the year of birth"
    PHONE_UNREADABLE = "a Vietnamese telephone number, or +country and number"
    DIGITS_LOST = "the spreadsheet has cut the digits: make the column Text and type it again"
    NUMBER_UNREADABLE = "the 12 digits of the card"
    NUMBER_OLD = "9 digits are the old card: give the 12 digits, or leave it empty"
    NUMBER_PLACE = "no province has this number: nought(s) may be missing in front"
    SEX_UNREADABLE = "male or female"
    SEX_TWICE = "the column of the birth year says the other"
    ADDRESS_LONG = "at most 500 characters"
    AREA_UNKNOWN = "no province or commune of this name or code"
    ZONE_UNKNOWN = "no open zone of this name"
    AREA_SEVERAL = "several places have this name: add the province"
    MOMENT_UNREADABLE = "a day and an hour: 21/11/2021 08:12"
    MOMENT_LATER = "a moment that has passed"
    MOMENT_OLD = "a moment after 2019"
    LETTER_UNREADABLE = "a letter that this encoding has not: save the list as UTF-8 or .xlsx"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One fault of one line, in the column where it stands."""

    column: Column
    fault: CellFault
    facts: Mapping[str, Any] | None = None

    def kept(self) -> list[object]:
        """As stored beside the line."""
        return [self.column.value, self.fault.name, dict(self.facts or {})]


def of_kept(kept: list[Any]) -> Wrong:
    """What `Wrong.kept` stored."""
    column, fault, facts = kept
    return Wrong(Column(column), CellFault[fault], facts)


class Unreadable(Exception):
    """Nothing of the file can be taken."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


WRONG_HEADINGS: Final = ("What is wrong", "Sai ở đâu")
"""What the last column of the bad rows is headed by, in English and Vietnamese; a list that comes
back corrected still has it, and it is passed over."""
