"""A machine that nobody has written a driver for, described by its laboratory in a TOML file.

What may stand in it is told, with examples, in docs/connecting-an-analyser.md; two profiles that
are in use lie in instruments/profiles. `profile_read` refuses a file that is not entirely
understood; `driver_of` (profile_driver.py) makes it a driver. The words that a profile lists join
the ones that every driver knows, except the markers of no amplification and the words of the task
column, which replace them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from instruments.drivers.exports import ALL_DRIVERS
from instruments.drivers.plate_file import TASKS, Rules, Task
from instruments.drivers.profile_toml import BadProfile, Section, opened
from instruments.drivers.wells import COLUMNS, Naming
from instruments.drivers.words import ROLE_WORDS, TARGETS, ByName, Standard, plain, words
from instruments.files.export import ENCODINGS
from instruments.files.numbers import Decimal
from instruments.files.table import DELIMITERS
from instruments.measurement import Role

T = TypeVar("T")

FORMATS: Final = ("table", "astm")
_ROLES: Final[Mapping[str, Task]] = {
    **{role.value: role for role in Role},
    "standard": Standard.STANDARD,
    "control": ByName.CONTROL,
    "target": None,
}
_CONTROLS: Final = tuple(role.value for role in Role if role is not Role.SPECIMEN)
_COLUMNS: Final = ("well", "specimen", "target", "ct", "task", "call", "error", "omit", "run")
_FIELDS: Final = ("specimen", "run", "well", "assay", "task", "target", "ct", "call", "time")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_FIELD: Final = re.compile(r"(?P<record>[OR])\.(?P<field>[1-9]\d?)(\.(?P<part>[1-9]\d?))?")
_RUN_FROM: Final = ("file name", "column", "header: …")


@dataclass(frozen=True, slots=True)
class FieldAt:
    """`O.3.2`: record, field and component, as the standard counts them, from 1."""

    record: str
    field: int
    part: int | None

    def __str__(self) -> str:
        return f"{self.record}.{self.field}" + (f".{self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a file is laid out. `wide`: target to the headings of its own Ct column."""

    columns: Mapping[str, tuple[str, ...]]
    wide: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    sheet: str | None
    after: str | None
    delimiter: str | None
    encoding: str | None
    omitted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that was understood. `run_from`: "column", "file name" and header keys, in order;
    `run_pattern` has one group, looked for in the file's name."""

    name: str
    version: str
    format: Literal["table", "astm"]
    rules: Rules
    naming: Naming
    plate_size: int
    run_from: tuple[str, ...]
    run_pattern: re.Pattern[str] | None
    table: TableShape
    fields: Mapping[str, FieldAt]
    sender: str | None


def profile_read(content: bytes) -> Profile:
    """Raises `BadProfile` with every fault that was found."""
    top = opened(content)
    head, wells = top.section("profile"), top.section("wells")
    name = head.text("name", needed=True) or ""
    if name and not _NAME.fullmatch(name):
        head.fault("name", "2 to 40 of a–z, 0–9 and hyphens, as it stands on every capture")
    if name in ALL_DRIVERS:  # the LIMS would believe its words as it does that driver's
        head.fault("name", f"{name!r} is a driver's; give it one of its own")
    version = head.text("version", needed=True) or ""
    head.text("source")
    kind = head.text("format", needed=True, among=FORMATS)
    table = _table(top) if kind != "astm" else _NO_TABLE
    fields, sender = _message(top) if kind == "astm" else ({}, None)
    run_from, run_pattern = _run(top) if kind != "astm" else ((), None)
    profile = Profile(
        name=name,
        version=version,
        format="astm" if kind == "astm" else "table",
        rules=_rules(top),
        naming=Naming(wells.text("naming", among=tuple(Naming)) or Naming.NAME),
        plate_size=wells.number("size", default=96, among=tuple(COLUMNS)),
        run_from=run_from,
        run_pattern=run_pattern,
        table=table,
        fields=fields,
        sender=sender,
    )
    if "column" in run_from and "run" not in table.columns:
        top.fault("run.from", 'says "column", and [columns] has no run')
    top.close()
    if top.faults:
        raise BadProfile(top.faults)
    return profile


def _table(top: Section) -> TableShape:
    file, columns = top.section("file"), top.section("columns")
    wide = columns.section("ct_of")
    by_target = {target: headings for target, headings in wide.lists().items() if headings}
    needed = ("well", "specimen") if by_target else ("well", "specimen", "target", "ct")
    found = {key: columns.texts(key, needed=key in needed) for key in _COLUMNS}
    if by_target and (found["target"] or found["ct"]):
        columns.fault("ct_of", "a file has either columns target and ct, or one Ct column a target")
    delimiter = file.text("delimiter")
    if delimiter is not None and delimiter not in DELIMITERS:
        file.fault("delimiter", 'expected ";", ",", "|" or "\\t"')
    file.text("decimal", among=tuple(Decimal))
    return TableShape(
        columns={key: headings for key, headings in found.items() if headings},
        wide=by_target,
        names=file.texts("names") or ("*.csv", "*.txt", "*.xls", "*.xlsx"),
        sheet=file.text("sheet"),
        after=file.text("after"),
        delimiter=delimiter,
        encoding=file.text("encoding", among=ENCODINGS),
        omitted=words(*(file.texts("omitted") or ("true", "yes", "1", "x"))),
    )


_NO_TABLE: Final = TableShape({}, {}, (), None, None, None, None, frozenset())


def _message(top: Section) -> tuple[Mapping[str, FieldAt], str | None]:
    section, message = top.section("fields"), top.section("message")
    fields = {}
    for key in _FIELDS:
        told = section.text(key, needed=key in ("specimen", "target", "ct"))
        if told is None:
            continue
        if found := _FIELD.fullmatch(told):
            part = int(found["part"]) if found["part"] else None
            fields[key] = FieldAt(found["record"], int(found["field"]), part)
        else:
            section.fault(key, f'expected a place as "O.3" or "R.3.4", came {told!r}')
    for key in ("specimen", "run", "well", "assay", "task"):
        if key in fields and fields[key].record != "O":
            section.fault(key, f"an order's own field (O), came {fields[key]}")
    for key in ("target", "ct", "call"):
        if key in fields and fields[key].record != "R":
            section.fault(key, f"a result's own field (R), came {fields[key]}")
    sender = message.text("sender", needed=True)
    message.text("decimal", among=tuple(Decimal))
    return fields, sender


def _run(top: Section) -> tuple[tuple[str, ...], re.Pattern[str] | None]:
    run = top.section("run")
    places = run.texts("from", needed=True)
    for place in places:
        if place not in ("file name", "column") and not re.fullmatch(r"header:\s*\S.*", place):
            run.fault("from", f"expected {' or '.join(map(repr, _RUN_FROM))}, came {place!r}")
    pattern = run.text("file_name")
    if pattern is None:
        return places, None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        run.fault("file_name", f"not a pattern: {error}")
        return places, None
    if compiled.groups != 1:
        run.fault("file_name", f"expected one (group) that is the barcode, came {compiled.groups}")
    if "file name" not in places:
        run.fault("file_name", 'is only used with "file name" in run.from')
    return places, compiled


def _rules(top: Section) -> Rules:
    said, controls, targets, assay = (
        top.section(name) for name in ("words", "controls", "targets", "assay")
    )
    calls, tasks = said.section("calls"), said.section("tasks")
    unknown = said.text("unknown_task", among=("refuse", "specimen"))
    markers = said.texts("no_amplification", needed=True, numbers=True)
    rules = Rules(
        no_amplification=words(*filter(None, markers)),
        empty_is_none="" in markers,
        tasks=_named(_ROLES, tasks.lists(_ROLES)) or TASKS,
        control_names={**ROLE_WORDS, **_named(_roles(), controls.lists(_CONTROLS))},
        targets={**TARGETS, **_canonical(targets.lists())},
        calls=_canonical(calls.lists()),
        assay=assay.text("code"),
        other_tasks_are_specimens=unknown == "specimen",
    )
    for section in ("file", "message"):
        mark = top.body.get(section)
        decimal = mark.get("decimal") if isinstance(mark, Mapping) else None
        if decimal in tuple(Decimal):
            rules = replace(rules, decimal=Decimal(decimal))
    if rules.tasks is not TASKS:
        rules = replace(rules, tasks={"": Role.SPECIMEN, **rules.tasks})
    return rules


def _roles() -> dict[str, Role]:
    return {role.value: role for role in Role}


def _named(meanings: Mapping[str, T], lists: Mapping[str, Sequence[str]]) -> dict[str, T]:
    return {plain(word): meanings[key] for key, told in lists.items() for word in told}


def _canonical(lists: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The name itself is one of its words."""
    return {plain(word): name for name, told in lists.items() for word in (name, *told)}
