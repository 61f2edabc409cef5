"""A line's faults in words: the sentence of each, behind the heading of its column."""

import re
from collections.abc import Callable, Sequence

from lims.sheets.columns import Column, Mapped
from lims.sheets.faults import Wrong

_FACTS = re.compile(r"%\(\w+\)s")
Say = Callable[[str], str]
"""Turns an English sentence into the reader's; `str` leaves it."""


def heading_of(column: Column, words: Sequence[str], mapped: Mapped, say: Say) -> str:
    """The file's own heading of a column, or what the column is called where the file has none."""
    for word, one in zip(words, mapped, strict=False):
        if one is column and word:
            return word
    return say(TITLES[column])


def fault_words(wrong: Wrong, say: Say, *, bare: bool = False) -> str:
    """The fault alone; `bare` without what a single line had to say."""
    said = say(wrong.fault.value)
    if bare:
        return _FACTS.sub("…", said)
    return said % wrong.facts if wrong.facts else said


def line_words(wrong: Sequence[Wrong], words: Sequence[str], mapped: Mapped, say: Say) -> str:
    """Every fault of a line, as its last column says it."""
    return "; ".join(
        f"{heading_of(one.column, words, mapped, say)}: {fault_words(one, say)}" for one in wrong
    )


TITLES = {
    Column.BARCODE: "Tube",
    Column.NAME: "Full name",
    Column.BIRTH: "Birth date or year",
    Column.BIRTH_MALE: "Birth, column of the men",
    Column.BIRTH_FEMALE: "Birth, column of the women",
    Column.SEX: "Sex",
    Column.PHONE: "Telephone",
    Column.NATIONAL_ID: "Card number",
    Column.ADDRESS: "Address",
    Column.AREA: "Commune",
    Column.WORK_AREA: "Commune of work",
    Column.WORK_ZONE: "Zone of work",
    Column.HOME_ZONE: "Zone where they live",
    Column.COLLECTED_AT: "Taken on",
    Column.COLLECTED_TIME: "Taken at (hour)",
}
"""What each column is called, as a message id."""
