"""Nothing here answers to that name."""

from __future__ import annotations

from lims.domain.refusals.families import Unknown


class NotFound(Unknown):
    slug = "not-found"
    expected = "something that exists and that you may see"
    todo = "check the address or go back to the list"


class ListExpired(Unknown):
    slug = "list-expired"
    expected = "a list that is still kept"
    todo = "take the list again: it then says what is known now"


class UnknownBarcode(Unknown):
    slug = "unknown-barcode"
    expected = "a barcode that was registered here"
    todo = "scan the tube again, or register it if it came without a registration"


class UnknownInstrument(Unknown):
    slug = "unknown-instrument"
    expected = "an instrument set up at this site"
    todo = "ask an operator to add the instrument, then send again"


class UnknownRun(Unknown):
    slug = "unknown-run"
    expected = "a run planned here"
    todo = "check the plate barcode or choose the run by hand; the message is kept"


class UnknownUnit(Unknown):
    slug = "unit-unknown"
    expected = "an area code together with the scheme version it belongs to"
    todo = "choose the area from the list; the case goes to the province until then"


class NothingToTakeBack(Unknown):
    slug = "nothing-to-take-back"
    expected = "a registration of this desk today"
    todo = "nothing was changed; scan the next card or tube"
