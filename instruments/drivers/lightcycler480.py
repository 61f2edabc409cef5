"""Roche LightCycler 480 (software 1.5): the results table of an Abs Quant analysis, saved as text.

Source: "LightCycler 480 Instrument Operator's Manual", software 1.5, Roche 05152062001 (export of
result tables; from memory), and the export in HTqPCR (tests/data/exports), read line by line.

    Experiment: <name> Selected Filter: SYBR Green (483-533)
    Include  Color  Pos  Name  Cp  Concentration  Standard  Status

- The first line is free text; lines may end in CR alone. Rows may end before Status.
- An empty Cp is no amplification. `Include` False: left out by the operator.
- Standard is the concentration put in; above zero the well is of a dilution row.
- One table is one filter, and the filter is the target; a plate with two has two files.
- Controls by their name. The plate: the file's name; the program exports no barcode.
"""

import re
from collections.abc import Iterator
from typing import Final

from instruments.drivers.plate_file import PlateFile, PlateFileDriver, Rules, WellRow
from instruments.drivers.reading import Unreadable
from instruments.drivers.run_name import run_named
from instruments.drivers.table_columns import Names, Table, found_table
from instruments.drivers.wells import well_named
from instruments.drivers.words import plain, words
from instruments.files.export import Export
from instruments.files.numbers import Decimal, number
from instruments.files.table import Row, sheets

COLUMNS_NAMED: Final[Names] = {
    "include": ("Include",),
    "well": ("Pos",),
    "specimen": ("Name", "Sample Name"),
    "ct": ("Cp",),
    "standard": ("Standard",),
    "status": ("Status",),
}
_RULES: Final = Rules(no_amplification=words("-"), empty_is_none=True)
_FILTER: Final = re.compile(r"Selected Filter:\s*(?P<filter>.+?)\s*$")


class LightCycler480(PlateFileDriver):
    """The driver of the exports above."""

    name = "lightcycler480"
    version = "1"

    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`: no-table, missing-columns, no-target, short-row, well-name, and
        those of `sheets`."""
        sheet = sheets(export)[0]
        table = found_table(sheet, COLUMNS_NAMED, ("include", "well", "specimen", "ct"))
        above = [row for row in sheet.rows if row.number < table.heading.number]
        filters = [found["filter"] for row in above if (found := _FILTER.search(row.cell(0)))]
        if len(filters) != 1:
            told = f"expected one 'Selected Filter:' above the table, came {len(filters)}"
            raise Unreadable("no-target", told)
        run, run_from = run_named({}, (), export)
        return PlateFile(tuple(_rows(table, filters[0])), _RULES, run, run_from)


def _rows(table: Table, target: str) -> Iterator[WellRow]:
    for row in table.rows:
        table.refuse_cut(row, "ct")
        if table.has("standard"):
            table.refuse_short(row, "standard")
        status = table.cell(row, "status")
        yield WellRow(
            where=table.where(row),
            well=well_named(table.cell(row, "well"), table.where(row)),
            written=table.cell(row, "well"),
            specimen=table.cell(row, "specimen"),
            target=target,
            ct=table.cell(row, "ct"),
            task="standard" if _is_standard(table, row) else "",
            omitted=plain(table.cell(row, "include")) in ("false", "0"),
            flags=(status,) if status else (),
        )


def _is_standard(table: Table, row: Row) -> bool:
    told = table.cell(row, "standard")
    put_in = number(told, Decimal.COMMA if "," in told else Decimal.POINT)
    return put_in is not None and put_in > 0
