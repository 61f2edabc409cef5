"""What a list's page says of its state, of what stays when it is taken back, and of a fault."""

from typing import Final

from lims.domain.lifecycle import ImportState
from lims.sheets.faults import WRONG_HEADINGS, Wrong
from lims.sheets.sayings import fault_words, heading_of, line_words
from lims.web.language import gettext as _
from lims.web.language import language, later
from lims.work.views.imports import BadLine, ImportedList

STATES: Final = {
    ImportState.UPLOADED: later("Being read"),
    ImportState.MAPPING: later("Waits for its columns"),
    ImportState.QUEUED: later("Waits its turn"),
    ImportState.RUNNING: later("Being registered"),
    ImportState.DONE: later("Done"),
    ImportState.FAILED: later("Not taken"),
    ImportState.UNDONE: later("Taken back"),
}
KEPT: Final = {
    "received": later("the tube is in the laboratory"),
    "rejected": later("the tube was rejected"),
    "discarded": later("the tube was discarded"),
    "pooled": later("the tube is in a pool"),
    "tested": later("a test is ordered or done"),
    "swabbed_again": later("a new swab was asked for"),
    "identity_decided": later("a reviewer decided whose swab it is"),
}


def state_words(state: str) -> str:
    """The state in a word or two."""
    return _(STATES[ImportState(state)])


def kept_words(why: str) -> str:
    """Why somebody could not be taken back."""
    return _(KEPT[why])


def bad_words(line: BadLine, one: ImportedList) -> str:
    """Every fault of a line, each with the file's own heading."""
    return line_words(line.wrong, one.words, one.mapped, _)


def common_words(wrong: Wrong, one: ImportedList) -> str:
    """A fault that many lines have; what stood in a single line is left out."""
    heading = heading_of(wrong.column, one.words, one.mapped, _)
    return f"{heading}: {fault_words(wrong, _, bare=True)}"


def wrong_heading() -> str:
    """Heads the last column of the bad rows."""
    return WRONG_HEADINGS[1 if language() == "vi" else 0]
