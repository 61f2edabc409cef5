"""Applied Biosystems QuantStudio 3, 5, 6, 7 (and ViiA 7, StepOne, 7500): results exported as txt,
csv, xls or xlsx.

Source: "QuantStudio Real-Time PCR Software: Getting Started", Thermo Fisher 4489822 rev. A
(export); "QuantStudio Design and Analysis Desktop Software User Guide", MAN0010408 (quoted from
memory); and Benchling's allotropy test exports, read here line by line (tests/data/exports).

    * Experiment Barcode = PL7            a header: `* key = value`, `# key: value`, or two cells
    * Experiment Run End Time = …
    [Sample Setup]                        blocks (sheets in a workbook)
    [Results]
    Well  Well Position  Omit  Sample Name  Target Name  Task  …  CT  …

- The heading row is found by its names; `Cт` with a Cyrillic letter is one of the names of CT.
- One row for each well and target; `Undetermined` is no amplification. Task NTC is a negative
  control, STANDARD a dilution row, IPC and BlockedIPC are about a target. There is no task for a
  positive control: it goes by its name.
- Where both are given, the well's number must agree with its position.
- Refused: no [Results]; a run whose end time says that it never ended; a well that is set up and
  has no result; a row cut off before its CT.
- The plate: Experiment Barcode, Plate Barcode, Barcode; else the file's name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from instruments.drivers.file_times import year_first
from instruments.drivers.plate_file import (
    TASKS,
    PlateFile,
    PlateFileDriver,
    Rules,
    Task,
    WellRow,
)
from instruments.drivers.reading import Unreadable
from instruments.drivers.run_name import run_named
from instruments.drivers.table_columns import Names, Table, found_table
from instruments.drivers.wells import COLUMNS, Naming, well_named, well_numbered
from instruments.drivers.words import plain, words
from instruments.files.export import Export
from instruments.files.table import Row, Sheet, sheets

COLUMNS_NAMED: Final[Names] = {
    "well": ("Well",),
    "position": ("Well Position",),
    "omit": ("Omit",),
    "specimen": ("Sample Name", "Sample"),
    "target": ("Target Name", "Target", "Detector Name"),
    "task": ("Task",),
    "ct": ("CT", "Ct", "Cq", "Crt"),
    "call": ("Call", "Amp Status"),
}
QUALITY_FLAGS: Final = (
    *("AMPNC", "AMPSCORE", "BADROX", "BLFAIL", "CQCONF", "CTFAIL", "DRNMIN", "EXPFAIL", "HIGHSD"),
    *("MTP", "NOAMP", "NOISE", "NOSIGNAL", "OFFSCALE", "OUTLIERRG", "PRFDROP", "PRFLOW", "SPIKE"),
    "THOLDFAIL",
)
RUN_KEYS: Final = ("Experiment Barcode", "Plate Barcode", "Barcode")
_END_KEYS: Final = ("Experiment Run End Time", "Run End Data/Time", "Run End Date/Time")
_STATE_KEYS: Final = ("Run Status", "Run State", "Experiment Run Status")
_NOT_ENDED: Final = words("", "Not Started", "Not Finished", "NA", "N/A", "In Progress", "Running")
_ENDED: Final = words("Complete", "Completed", "Finished", "Run Complete", "Successful")
_TASKS: Final[Mapping[str, Task]] = {
    **TASKS,
    **dict.fromkeys(words("IPC", "Blocked IPC", "BlockedIPC", "Endogenous", "Target"), None),
    **dict.fromkeys(words("NAC"), TASKS["ntc"]),
}
_RULES: Final = Rules(no_amplification=words("Undetermined", "UNDETERMINED"), tasks=_TASKS)
_HEADER: Final = re.compile(r"[*#]\s*\"?(?P<key>[^=:]+?)\s*[=:]\s*(?P<value>.*?)\"?\s*")


class QuantStudio(PlateFileDriver):
    """The driver of the exports above."""

    name = "quantstudio"
    version = "1"

    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`: no-results-block, run-not-finished, no-table, missing-columns,
        short-row, well-name, well-mismatch, missing-wells, and those of `sheets`."""
        book = sheets(export)
        headers = _headers(book)
        _refuse_unfinished(headers)
        results, after = _block(book, "Results")
        needed = ("well", "specimen", "target", "ct", *(() if headers else ("position",)))
        table = found_table(results, COLUMNS_NAMED, needed, after=after)
        size = _size(headers)
        rows = tuple(_rows(table, size))
        _refuse_missing(book, rows, size)
        run, run_from = run_named(headers, RUN_KEYS, export)
        ended = next((headers[plain(key)] for key in _END_KEYS if plain(key) in headers), "")
        return PlateFile(rows, _RULES, run, run_from, year_first(ended))


def _headers(book: tuple[Sheet, ...]) -> dict[str, str]:
    """From lines with a star or hash, and from rows of two cells above a sheet's table."""
    found: dict[str, str] = {}
    for sheet in book:
        for row in sheet.rows:
            if plain(row.cell(0)) == "well" or row.cell(0).startswith("["):
                break
            joined = " ".join(cell for cell in row.cells if cell)
            if line := _HEADER.fullmatch(joined):
                found.setdefault(plain(line["key"]), line["value"].strip())
            elif sheet.name and row.cell(0):
                found.setdefault(plain(row.cell(0)), row.cell(1))
    return found


def _refuse_unfinished(headers: Mapping[str, str]) -> None:
    for key in _END_KEYS:
        value = headers.get(plain(key))
        if value is not None and plain(value) in _NOT_ENDED:
            raise Unreadable("run-not-finished", f"{key} is {value!r}")
    for key in _STATE_KEYS:
        value = headers.get(plain(key))
        if value is not None and plain(value) not in _ENDED:
            raise Unreadable("run-not-finished", f"{key} is {value!r}")


def _block(book: tuple[Sheet, ...], name: str) -> tuple[Sheet, int]:
    """The sheet and the line after which the block stands. A csv of Design and Analysis that holds
    the results alone has its table without a block."""
    for sheet in book:
        if plain(sheet.name) == plain(name):
            return sheet, 0
        for row in sheet.rows:
            if plain(row.cell(0)) == f"[{plain(name)}]":
                return sheet, row.number
    blocks = [row.cell(0) for sheet in book for row in sheet.rows if row.cell(0).startswith("[")]
    named = blocks or [sheet.name for sheet in book if sheet.name]
    if not named and name == "Results":
        return book[0], 0
    raise Unreadable(f"no-{plain(name)}-block", f"the file has {', '.join(named)[:120]}")


def _size(headers: Mapping[str, str]) -> int | None:
    told = re.match(r"(\d+)", headers.get(plain("Block Type"), ""))
    size = int(told[1]) if told else None
    return size if size in COLUMNS else None


def _rows(table: Table, size: int | None) -> Iterator[WellRow]:
    for row in table.rows:
        specimen, target = table.cell(row, "specimen"), table.cell(row, "target")
        if not (specimen or target):
            continue
        table.refuse_cut(row, "ct")
        yield WellRow(
            where=table.where(row),
            well=_well(table, row, size),
            written=table.cell(row, "position") or table.cell(row, "well"),
            specimen=specimen,
            target=target,
            ct=table.cell(row, "ct"),
            task=table.cell(row, "task"),
            call=table.cell(row, "call"),
            omitted=plain(table.cell(row, "omit")) in ("true", "yes", "1"),
            flags=_flags(table, row),
        )


def _well(table: Table, row: Row, size: int | None) -> str:
    number, position, where = table.cell(row, "well"), table.cell(row, "position"), table.where(row)
    numbered = re.fullmatch(r"\d+(\.0+)?", number, re.ASCII) is not None
    if not position:
        if numbered and size is None:
            raise Unreadable("well-name", f"{where}: a number, and no Block Type says of how many")
        named = well_numbered(number, size, Naming.BY_ROW, where) if numbered and size else ""
        return named or well_named(number, where)
    well = well_named(position, where)
    if numbered and size and well_numbered(number, size, Naming.BY_ROW, where) != well:
        raise Unreadable("well-mismatch", f"{where}: well {number} is not at {position}")
    return well


def _flags(table: Table, row: Row) -> tuple[str, ...]:
    headings = [plain(cell) for cell in table.heading.cells]
    return tuple(
        flag
        for flag in QUALITY_FLAGS
        if plain(flag) in headings and plain(row.cell(headings.index(plain(flag)))) == "y"
    )


def _refuse_missing(book: tuple[Sheet, ...], rows: tuple[WellRow, ...], size: int | None) -> None:
    """What [Sample Setup] put on the plate must have a result."""
    try:
        sheet, after = _block(book, "Sample Setup")
        setup = found_table(sheet, COLUMNS_NAMED, ("well", "specimen", "target"), after=after)
    except Unreadable:
        return  # an export of the results alone
    measured_wells = {(row.well, row.target) for row in rows}
    set_up = {
        (_well(setup, row, size), setup.cell(row, "target"))
        for row in setup.rows
        if setup.cell(row, "specimen") and setup.cell(row, "target")
    }
    if missing := sorted(set_up - measured_wells):
        told = ", ".join(f"{well} {target}" for well, target in missing[:5])
        raise Unreadable(
            "missing-wells",
            f"{len(missing)} of {len(set_up)} that are set up have no result: {told}",
        )
