"""How the page of lists says things: which cases, what file, what a kept list was."""

from __future__ import annotations

from collections.abc import Sequence

from lims.domain.tracing_lists import Arrival, ListForm, ListKind
from lims.web.language import gettext as _
from lims.web.language import when
from lims.work.kept_lists import KeptList
from lims.work.views.case_places import CasePlace

Offered = Sequence[tuple[str, str, str]]


def kinds() -> Offered:
    return [
        (ListKind.SINCE, _("New since your last list"), ""),
        (ListKind.OPEN, _("Every case that is open now"), ""),
        (ListKind.DAY, _("Of certain days"), ""),
    ]


def forms() -> Offered:
    return [(form, form_words(form), "") for form in (ListForm.XLSX, *_OTHERS)]


def arrivals() -> Offered:
    return [
        (Arrival.BOARD, _("On this page"), ""),
        (Arrival.EMAIL, _("On this page, and a word by e-mail"), ""),
    ]


def form_words(form: ListForm) -> str:
    match form:
        case ListForm.PDF:
            return _("PDF, to print")
        case ListForm.XLSX:
            return _("XLSX, to work with")
        case ListForm.CSV:
            return _("CSV, for a program")
        case ListForm.SHEET:
            return _("Sheet for going on foot (PDF)")


def what(kept: KeptList) -> str:
    """Which cases a list was of."""
    match kept.kind:
        case ListKind.OPEN:
            said = _("every open case")
        case ListKind.SINCE if kept.since is not None:
            said = _("new since %(when)s", when=when(kept.since))
        case ListKind.SINCE:
            said = _("the first: every open case")
        case ListKind.DAY if kept.from_day == kept.to_day:
            said = f"{kept.from_day:%d/%m/%Y}"
        case ListKind.DAY:
            said = f"{kept.from_day:%d/%m} – {kept.to_day:%d/%m/%Y}"
    return " · ".join(filter(None, (said, kept.place)))


def hours(given: Sequence[int]) -> str:
    return ", ".join(f"{hour:02d}:00" for hour in given)


def place(one: CasePlace) -> str:
    return f"{one.name}, {one.province} ({one.cases})" if one.province else one.name


_OTHERS = (ListForm.PDF, ListForm.SHEET, ListForm.CSV)
