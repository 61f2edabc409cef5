"""Vietnamese and English: which one this request speaks, its words, its dates and numbers.

Message ids are the English sentences. The Vietnamese catalogues are the `.po` files themselves,
compiled in memory when the application starts (no binary in the repository); every file in the
folder counts, so that each part of the door can bring its own. `tests/web/test_language.py` fails
on a sentence without its Vietnamese; `python -m lims.web.catalogue` writes the missing ones down.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from flask import Flask, current_app, g, has_request_context, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from lims.db.laboratory import Laboratory
from lims.domain.days import typed_day

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
COOKIE: Final = "language"
_SPOKEN: Final[ContextVar[Language | None]] = ContextVar("spoken", default=None)
FOLDER: Final = Path(__file__).parent / "translations"


def one_of_ours(code: str | None) -> Language | None:
    """The language, if it is one we speak."""
    match code:
        case "vi" | "en":
            return code
        case _:
            return None


def laboratory() -> Laboratory:
    """The laboratory behind this door."""
    found: Laboratory = current_app.extensions["laboratory"]
    return found


@contextmanager
def speaking(code: Language) -> Iterator[None]:
    """Say everything in this language for a while: paper has both, whoever asked for it."""
    before = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def language() -> Language:
    """What this person chose, else what the site speaks."""
    spoken = _SPOKEN.get()
    if spoken is not None:
        return spoken
    if not has_request_context():
        return "en"
    chosen: Language | None = g.get("language")
    if chosen is None:
        chosen = one_of_ours(request.cookies.get(COOKIE))
        chosen = g.language = chosen or one_of_ours(laboratory().language) or "vi"
    return chosen


@cache
def words(code: Language) -> NullTranslations:
    """The catalogue of a language: every `.po` of its folder, merged; English is the ids."""
    files = sorted((FOLDER / code / "LC_MESSAGES").glob("*.po"))
    if not files:
        return NullTranslations()
    merged = _compiled(files[0], code)
    for file in files[1:]:
        merged._catalog.update(_compiled(file, code)._catalog)  # type: ignore[attr-defined] # gettext has no public way to join two catalogues without a fallback chain, which breaks plurals
    return merged


def _compiled(file: Path, code: Language) -> GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=code)
    machine = BytesIO()
    write_mo(machine, catalogue)
    machine.seek(0)
    return GNUTranslations(machine)


def gettext(message: str, **values: object) -> str:
    """The sentence in this request's language; `%(name)s` takes its value, `%%` is a percent."""
    said = words(language()).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """The sentence for `n` of them; `%(num)s` is the number as this language writes it."""
    said = words(language()).ngettext(one, many, n)
    return said % {"num": num(n), **values}


def later(message: str) -> str:
    """Marks a sentence of a table for the catalogue; `gettext` says it when it is needed."""
    return message


def later_n(one: str, many: str) -> tuple[str, str]:
    """The same for a pair that `ngettext` will choose from."""
    return one, many


_ = gettext


def num(value: float | int | None, digits: int | None = None) -> str:
    """1204 → 1.204 in Vietnamese, 1,204 in English; 24.81 with one digit → 24,8 and 24.8.

    Rounded as the sentences of a reading rule are, so that one Ct is never two on one page.
    """
    if value is None:
        return "—"
    if digits is None:
        return format_decimal(value, locale=language())
    rounded = Decimal(f"{value:.{digits}f}")
    return format_decimal(rounded, format=f"#,##0.{'0' * digits}", locale=language())


def local(at: datetime) -> datetime:
    """The moment on the wall clock of the site."""
    return at.astimezone(ZoneInfo(laboratory().timezone))


def clock_time(at: datetime) -> str:
    """The hour and minute on the site's wall clock, 24 hours in both languages."""
    return local(at).strftime("%H:%M")


def when(at: datetime | None) -> str:
    """21/11 08:12 in Vietnamese, 21 Nov 08:12 in English; the year only when it is another one."""
    if at is None:
        return "—"
    here, this_year = local(at), local(now()).year
    other_year = here.year != this_year
    if language() == "vi":
        return format_datetime(
            here, "dd/MM/yyyy HH:mm" if other_year else "dd/MM HH:mm", locale="vi"
        )
    return format_datetime(here, "d MMM yyyy HH:mm" if other_year else "d MMM HH:mm", locale="en")


def now() -> datetime:
    """This request's one moment, so that two waits on a page agree."""
    if not has_request_context():
        return laboratory().clock()
    if "now" not in g:
        g.now = laboratory().clock()
    moment: datetime = g.now
    return moment


def lasting(length: timedelta) -> str:
    """A length of time as people say it: 14 min, 1 h 10, 2 days."""
    minutes = max(0, int(length.total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    days = hours // 24
    if days >= 2:
        return ngettext("%(num)s day", "%(num)s days", days)
    if hours:
        return _("%(hours)s h %(minutes)s", hours=num(hours), minutes=f"{rest:02d}")
    return _("%(minutes)s min", minutes=minutes)


def day(of: date | None) -> str:
    """31/01/2023 in Vietnamese, 31 Jan 2023 in English: a date without a clock."""
    if of is None:
        return "—"
    return format_date(of, "dd/MM/yyyy" if language() == "vi" else "d MMM yyyy", locale=language())


def typed(of: date | str | None) -> str:
    """31/01/2023 in both languages, as a day's field takes it; what is no day stays as typed."""
    if isinstance(of, str):
        try:
            of = typed_day(of)
        except ValueError:
            return str(of)
    return f"{of:%d/%m/%Y}" if of else ""


def wait(since: datetime | None) -> str:
    """How long something has waited until now."""
    return "—" if since is None else lasting(now() - since)


def is_late(since: datetime | None, limit_min: float | None) -> bool:
    """True when it has waited longer than its limit."""
    if since is None or limit_min is None:
        return False
    return now() - since > timedelta(minutes=limit_min)


def iso(at: datetime) -> str:
    """The machine-readable form for a `<time>` element."""
    return at.isoformat(timespec="seconds")


def init_app(app: Flask) -> None:
    """Give every template its words and its ways to write times and numbers."""
    for code in LANGUAGES:
        words(code)  # a broken catalogue stops the start, not somebody's page
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(gettext, _said_many, newstyle=True)  # type: ignore[attr-defined] # added to the environment by the extension above
    environment.globals.update(gettext=_said, _=_said)
    environment.filters.update(
        when=when,
        day=day,
        wait=wait,
        num=num,
        iso=iso,
        typed=typed,
        clock_time=clock_time,
        lasting=lasting,
    )
    environment.globals.update(language=language, is_late=is_late, now=now)


@pass_context
def _said(context: Context, message: str, /, **values: object) -> str:
    """As Jinja's own, which goes through two more calls: a desk's page says sixty sentences."""
    said = words(language()).gettext(message)
    written = Markup(said) if context.eval_ctx.autoescape else said  # noqa: S704 - our own catalogue
    return written % values


def _said_many(one: str, many: str, n: int) -> str:
    return words(language()).ngettext(one, many, n)
