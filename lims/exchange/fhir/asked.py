"""What a search asks, parsed once: parameters of a type, dates with prefixes, the place in a list.

Sources: FHIR R4, 3.1.1 (search) and 2.24.0.7 (dates). A parameter that is not known here is
refused, never passed over: a list that left a filter out would show people nobody asked for.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import Final
from uuid import UUID

from lims.domain.refusals import BadSearch

USUAL_COUNT: Final = 50
MOST: Final = 500
_DATE: Final = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?"
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<part>\.\d{1,6})?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


class Kind(Enum):
    """How a parameter's value is read, as a CapabilityStatement names it."""

    DATE = "date"
    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter. ``column`` is what its values are compared with, in the place that
    ``within`` holds for it (``matched``: how they are); ``stored`` turns a token into what is
    stored, or None when it names nothing. ``to``: what a reference is to. ``one``: it names few
    rows, so that nothing older can come late. ``private``: never in a URL."""

    name: str
    kind: Kind
    column: str
    says: str
    within: str = "{}"
    matched: str = "{column} = ANY(cast({values} AS text[]))"
    stored: Callable[[str], Sequence[str] | None] | None = None
    to: str = ""
    one: bool = False
    private: Callable[[str], bool] = field(default=lambda _value: False)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after one row."""

    changed_at: datetime
    row_id: UUID

    def written(self) -> str:
        plain = f"{self.changed_at.isoformat()} {self.row_id}"
        return urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, written: str) -> "Cursor":
        try:
            plain = urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
            at, _, row = plain.partition(" ")
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError(at)
            return cls(moment, UUID(row))
        except ValueError as error:
            raise BadSearch(
                expected="a link of ours, as it was given", came="another", where="_cursor"
            ) from error


@dataclass(frozen=True, slots=True)
class Asked:
    """One search. ``conditions`` are SQL over the row ``x``; their values are in ``values``."""

    conditions: tuple[str, ...]
    values: Mapping[str, object]
    count: int
    cursor: Cursor | None
    areas: tuple[str, ...]
    one: bool
    only_total: bool


def asked(
    pairs: Iterable[tuple[str, str]],
    parameters: Mapping[str, Parameter],
    *,
    zone: tzinfo,
    in_url: bool,
) -> Asked:
    """Raises BadSearch."""
    conditions: list[str] = []
    values: dict[str, object] = {}
    areas: list[str] = []
    said = {"_count": "", "_cursor": "", "_summary": ""}
    one = False
    for number, (name, value) in enumerate(pairs):
        if name in {"_format", "_pretty"}:
            continue
        if name in said:
            said[name] = value
        elif name == "area":
            areas.append(value)
        elif name in parameters:
            parameter = parameters[name]
            one = one or parameter.one
            conditions.append(_condition(parameter, value, number, values, zone, in_url=in_url))
        else:
            known = ", ".join(sorted([*parameters, "area", *said]))
            raise BadSearch(expected=f"a parameter of this list: {known}", came=name, where=name)
    only_total = said["_summary"] == "count" or said["_count"] == "0"
    if said["_summary"] not in {"", "count", "false"}:
        raise BadSearch(expected="count or false", came=said["_summary"], where="_summary")
    return Asked(
        tuple(conditions),
        values,
        _count(said["_count"]),
        Cursor.read(said["_cursor"]) if said["_cursor"] else None,
        tuple(areas),
        one,
        only_total,
    )


def _count(said: str) -> int:
    if not said:
        return USUAL_COUNT
    if not (said.isascii() and said.isdigit()):
        raise BadSearch(expected="how many at a time", came=said, where="_count")
    return max(1, min(int(said), MOST))


def _condition(
    parameter: Parameter,
    value: str,
    number: int,
    values: dict[str, object],
    zone: tzinfo,
    *,
    in_url: bool,
) -> str:
    if in_url and parameter.private(value):
        raise BadSearch(
            expected="a person's number in the body of a POST to _search, never in an address",
            came="one in an address, which is kept in logs",
            where=parameter.name,
            todo=f"POST {parameter.name} as a form to this type's /_search",
        )
    match parameter.kind:
        case Kind.DATE:
            compared = _compared(parameter, value, number, values, zone)
        case Kind.REFERENCE:
            values[f"v{number}"] = [_reference(parameter, one) for one in value.split(",")]
            compared = f"{parameter.column} = ANY(cast(:v{number} AS uuid[]))"
        case Kind.TOKEN:
            stored = [word for one in value.split(",") for word in _stored(parameter, one)]
            values[f"v{number}"] = stored
            compared = parameter.matched.format(column=parameter.column, values=f":v{number}")
    return parameter.within.format(compared)


def _stored(parameter: Parameter, one: str) -> Sequence[str]:
    found = parameter.stored(one) if parameter.stored else [one]
    if found is None:
        shown = "" if parameter.private(one) else one[:60]
        raise BadSearch(expected=parameter.says, came=shown, where=parameter.name)
    return found


def _reference(parameter: Parameter, said: str) -> str:
    kind, _, plain = said.rpartition("/")
    try:
        if kind not in {"", parameter.to}:
            raise ValueError(kind)
        return str(UUID(plain))
    except ValueError as error:
        expected = f"{parameter.to}/ and an id" if parameter.to else "an id"
        raise BadSearch(expected=expected, came=said[:60], where=parameter.name) from error


def _compared(
    parameter: Parameter, said: str, number: int, values: dict[str, object], zone: tzinfo
) -> str:
    prefix, since, until = moments(said, zone, where=parameter.name)
    low, high = f":a{number}", f":b{number}"
    column = parameter.column
    written = {
        "eq": f"({column} >= {low} AND {column} < {high})",
        "ne": f"({column} < {low} OR {column} >= {high})",
        "gt": f"{column} >= {high}",
        "sa": f"{column} >= {high}",
        "ge": f"{column} >= {low}",
        "lt": f"{column} < {low}",
        "eb": f"{column} < {low}",
        "le": f"{column} < {high}",
    }[prefix]
    for name, moment in ((low, since), (high, until)):
        if name in written:
            values[name[1:]] = moment
    return written


def moments(said: str, zone: tzinfo, *, where: str) -> tuple[str, datetime, datetime]:
    """The prefix, and the first moment of what is said and the first after it. Without a zone it is
    the laboratory's. Raises BadSearch."""
    found = _DATE.fullmatch(said)
    try:
        if found is None:
            raise ValueError(said)
        return found["prefix"] or "eq", *_span(found, zone)
    except (ValueError, OverflowError) as error:
        raise BadSearch(
            expected="a date as 2021-09-11 or 2021-09-11T08:00:00+07:00, perhaps after"
            " eq, ne, gt, lt, ge, le, sa or eb",
            came=said[:40],
            where=where,
        ) from error


def _span(found: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    if found["zone"]:
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{found['zone']}").tzinfo or zone
    given = [
        int(found[part] or least)
        for part, least in (
            ("year", 1),
            ("month", 1),
            ("day", 1),
            ("hour", 0),
            ("minute", 0),
            ("second", 0),
        )
    ]
    fraction = int((found["part"] or ".0")[1:].ljust(6, "0"))
    since = datetime(*given, fraction, tzinfo=zone)  # type: ignore[misc, arg-type] # six numbers
    if found["part"]:
        return since, since + timedelta(microseconds=10 ** (7 - len(found["part"])))
    for part, step in (
        ("second", timedelta(seconds=1)),
        ("minute", timedelta(minutes=1)),
        ("day", timedelta(days=1)),
    ):
        if found[part]:
            return since, since + step
    if found["month"]:
        return since, (since + timedelta(days=31)).replace(day=1)
    return since, since.replace(year=since.year + 1)
