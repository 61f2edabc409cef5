"""What every driver of a plate's export shares: rows as text, to one measurement for each well.

A row is one target in one well, as the file has it. Reading a row (`read_well_row`) and joining
the rows of a well are two steps, so that `lims-gateway try` can show the first by itself.

A standard of a dilution row and a well in which nothing was put are left out: they are about no
one. What the operator left out of the analysis, and a well without any cycle number where the
machine always prints something, are measurements with an error, so that they are seen.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from instruments.drivers.reading import LONGEST_ERROR, Format, Unreadable
from instruments.drivers.words import (
    NO_AMPLIFICATION,
    ROLE_WORDS,
    TARGETS,
    ByName,
    Standard,
    assay_of,
    plain,
    said,
    target_named,
    words,
)
from instruments.files.export import Export
from instruments.files.numbers import Decimal, cycle_number, decimal_mark, number
from instruments.measurement import Measurement, Role, TargetReading

Task = Role | Standard | ByName | None  # None says nothing of the well: it is about the target

OMITTED: Final = "left out of the analysis by the operator"
NO_NUMBER: Final = "no cycle number was given"

TASKS: Final[Mapping[str, Task]] = {
    **ROLE_WORDS,
    **dict.fromkeys(words("Unknown", "Unkn", "Sample", "Unk", "Specimen", ""), Role.SPECIMEN),
    **dict.fromkeys(words("Standard", "Std", "Quantitation standard", "Calibrator"), None),
    **dict.fromkeys(words("Standard", "Std", "Quantitation standard"), Standard.STANDARD),
}
"""Words of a task column."""


@dataclass(frozen=True, slots=True)
class WellRow:
    """One target in one well, in the file's own words. `well` is A01 already; `written` is what
    the file has for it.

    A message has no rows: there `key` is the order's name, by which its results are joined, and a
    cartridge has neither well nor run. `run` and `assay` are given where each row says its own.
    """

    where: str
    well: str
    specimen: str
    target: str
    ct: str
    task: str = ""
    call: str = ""
    error: str = ""
    omitted: bool = False
    flags: tuple[str, ...] = ()
    written: str = ""
    key: str = ""
    run: str = ""
    assay: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a machine's words are read. `no_amplification` are its markers, numbers as well (40.0,
    −1.00); with `empty_is_none` an empty cell is one too. `task_of` finds an unlisted task."""

    no_amplification: frozenset[str] = NO_AMPLIFICATION
    empty_is_none: bool = False
    tasks: Mapping[str, Task] = field(default_factory=lambda: TASKS)
    control_names: Mapping[str, Role] = field(default_factory=lambda: ROLE_WORDS)
    targets: Mapping[str, str] = field(default_factory=lambda: TARGETS)
    calls: Mapping[str, str] = field(default_factory=dict)
    assay: str | None = None
    decimal: Decimal | None = None
    other_tasks_are_specimens: bool = False

    def is_none(self, ct: str) -> bool:
        return (self.empty_is_none and not ct) or said(ct, self.no_amplification)


@dataclass(frozen=True, slots=True)
class PlateFile:
    """An export as its driver found it. `run_from` says where the plate's barcode stood."""

    rows: tuple[WellRow, ...]
    rules: Rules
    run: str | None
    run_from: str
    measured_at: str | None = None

    def decimal(self) -> Decimal:
        """Raises `Unreadable` decimal-mark."""
        if self.rules.decimal is not None:
            return self.rules.decimal
        return decimal_mark(row.ct for row in self.rows if not self.rules.is_none(row.ct))


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row understood. `role` None: the task says nothing of the well."""

    row: WellRow
    role: Task
    target: TargetReading
    error: str | None


class PlateFileDriver(ABC):
    """A driver of exports of one plate; it can also show what it found before it is joined."""

    name: str
    version: str
    format = Format.FILE

    @abstractmethod
    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`."""

    def measurements(self, export: Export) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: those of `plate` and of `measured`."""
        return measured(self.plate(export))


def measured(plate: PlateFile) -> tuple[Measurement, ...]:
    """One measurement a well, in the file's order. Raises `Unreadable`: cycle-number,
    decimal-mark, unknown-task, unknown-control, role-mismatch, specimen-mismatch, target-twice,
    no-results."""
    mark = plate.decimal()
    wells: dict[tuple[str, str], list[ReadRow]] = {}
    for row in plate.rows:
        wells.setdefault((row.run, row.key or row.well), []).append(
            read_well_row(row, plate.rules, mark)
        )
    found = [_well(rows, plate) for rows in wells.values()]
    measurements = tuple(m for m in found if m is not None)
    if not measurements:
        raise Unreadable("no-results", "no well has a specimen or a control")
    return measurements


def read_well_row(row: WellRow, rules: Rules, mark: Decimal) -> ReadRow:
    """Raises `Unreadable`: cycle-number, unknown-task."""
    ct, error = None, row.error or None
    if row.omitted:
        error = OMITTED
        ct = number(row.ct, mark) if row.ct and not rules.is_none(row.ct) else None
        ct = ct if ct is not None and ct > 0 else None
    elif rules.is_none(row.ct):
        ct = None
    elif not row.ct:
        error = error or NO_NUMBER
    else:
        ct = cycle_number(row.ct, mark, row.where)
    call = rules.calls.get(plain(row.call), row.call) or None
    target = TargetReading(target_named(row.target, rules.targets), ct, call)
    return ReadRow(row, _role_of_task(row, rules), target, error)


def _role_of_task(row: WellRow, rules: Rules) -> Task:
    task = plain(row.task)
    if task in rules.tasks:
        return rules.tasks[task]
    if rules.other_tasks_are_specimens:
        return Role.SPECIMEN
    raise Unreadable("unknown-task", f"{row.where}: the task {row.task[:30]!r} is not known")


def _well(rows: list[ReadRow], plate: PlateFile) -> Measurement | None:
    """None for a standard."""
    first = rows[0].row
    where = f"{first.where}, well {first.well}" if first.well else first.where
    specimen = _only({r.row.specimen for r in rows}, "specimen-mismatch", where)
    role = role_of(rows, specimen, plate.rules, where)
    if isinstance(role, Standard):
        return None
    targets = tuple(r.target for r in rows)
    named = [t.target for t in targets]
    if twice := next((name for at, name in enumerate(named) if name in named[:at]), None):
        raise Unreadable("target-twice", f"{where}: {twice!r} came twice")
    errors = [
        r.error if len(rows) == 1 else f"{r.target.target}: {r.error}" for r in rows if r.error
    ]
    return Measurement(
        path=first.key or first.where,
        specimen=specimen,
        role=role,
        assay=plate.rules.assay or first.assay or assay_of(named),
        targets=targets,
        run=first.run or plate.run,
        well=first.well or None,
        measured_at=plate.measured_at,
        error="; ".join(errors)[:LONGEST_ERROR] or None,
        flags=tuple(dict.fromkeys(flag for r in rows for flag in r.row.flags)),
    )


def role_of(rows: Iterable[ReadRow], specimen: str, rules: Rules, where: str) -> Role | Standard:
    """By the declared task, then by a control's declared name: a machine may know no task for a
    positive control. Raises `Unreadable`: role-mismatch where they contradict each other,
    unknown-control."""
    tasks = {r.role for r in rows} - {None}
    if len(tasks) > 1:
        told = ", ".join(sorted(str(task) for task in tasks))
        raise Unreadable("role-mismatch", f"{where}: the tasks say {told}")
    task = next((task for task in tasks if task is not None), Role.SPECIMEN)
    name = rules.control_names.get(plain(specimen))
    if isinstance(task, ByName):
        if name is None:
            raise Unreadable("unknown-control", f"{where}: of which kind is {specimen[:20]!r}?")
        return name
    if name is None or name is task:
        return task
    if task is Role.SPECIMEN or (task, name) == (Role.NEGATIVE_CONTROL, Role.EXTRACTION_CONTROL):
        return name
    told = f"{where}: the task says {task}, the name {specimen[:20]!r} says {name}"
    raise Unreadable("role-mismatch", told)


def _only(values: set[str], reason: str, where: str) -> str:
    if len(values) > 1:
        told = ", ".join(repr(value[:20]) for value in sorted(values))
        raise Unreadable(reason, f"{where}: {told}")
    return next(iter(values))
