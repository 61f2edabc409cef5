"""What one field of a body may hold, so that nothing the database refuses gets past the door."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Strict, StringConstraints

from lims.domain.identity import tidy_name

_LONGEST_NAME: Final = 200
BIRTHS: Final = (date(1880, 1, 1), date(2100, 12, 31))  # as the column birth_year allows
_MOMENTS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("no text may hold a NUL character")
    return text


def _written(value: Any) -> Any:
    """A number is no time to us: seconds and milliseconds would be guessed apart by their size."""
    if isinstance(value, date) or (isinstance(value, str) and value[4:5] == "-"):
        return value
    raise ValueError("a text in the form of RFC 3339")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999, in UTC too") from None


def _of_somebody_alive(born: date) -> date:
    if not BIRTHS[0] <= born <= BIRTHS[1]:
        raise ValueError(f"a day from {BIRTHS[0]} to {BIRTHS[1]}")
    return born


def _of_our_time(moment: datetime) -> datetime:
    if not _MOMENTS[0] <= moment < _MOMENTS[1]:
        raise ValueError("a time between the years 2000 and 2100")
    return moment


def _tidy(name: str) -> str:
    """Length and emptiness are those of the name as stored: NFC may grow, some spaces go."""
    tidied = tidy_name(name)
    if not 1 <= len(tidied) <= _LONGEST_NAME:
        raise ValueError(f"1 to {_LONGEST_NAME} characters")
    return tidied


NO_NUL: Final = AfterValidator(_without_nul)  # PostgreSQL keeps every character but this one
Stamp = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
Moment = Annotated[Stamp, AfterValidator(_of_our_time)]
Birthday = Annotated[date, BeforeValidator(_written), AfterValidator(_of_somebody_alive)]
Whole = Annotated[int, Strict()]
Read = Annotated[str, StringConstraints(max_length=2000), NO_NUL]
Scan = Annotated[str, StringConstraints(min_length=4, max_length=40, strip_whitespace=True), NO_NUL]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=_LONGEST_NAME, strip_whitespace=True),
    NO_NUL,
    AfterValidator(_tidy),
]
Note = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), NO_NUL
]
Address = Annotated[str, StringConstraints(max_length=500), NO_NUL]
