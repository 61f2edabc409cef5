"""QIAGEN Rotor-Gene Q (software 2): "Excel Analysed Data Export", csv or xlsx.

Source: "Rotor-Gene Q MDx CE User Manual", QIAGEN HB-2886, 02/2022 (quantitation, NTC threshold and
the flag in "CT Comment"), and exports published with the Python package qpcr (N. Kleinschmidt).

    Excel Analysed Data Export
    Run Id;PL7
    Quantitative analysis of Cycling A.Green (ORF1ab)
    No.;Colour;Name;Type;Ct;Ct Comment;Given Conc (Copies);…
    1;5775359;TT7K40FQ9XJ;Unknown;24,83;;…

- `;` or `,` between cells, decimal comma or point, a long preamble; one table for each channel that
  was analysed, and what stands in brackets after the channel is the target.
- An empty Ct is no amplification, and so is one that the NTC or efficiency threshold took away: Ct
  Comment then says NEG (NTC) or NEG (R. Eff).
- Type None is an empty place.
- Tubes have numbers. They are read down the columns of a plate of 96, as an eight-channel pipette
  fills a strip (1 is A01, 9 is A02); a profile may say otherwise. The specimen's barcode is checked
  against the layout by the LIMS, so a rotor that was filled otherwise is unmatched, never wrong.
- The plate: Run Id; else the file's name.
"""

import re
from collections.abc import Iterator
from typing import Final

from instruments.drivers.file_times import month_first
from instruments.drivers.plate_file import PlateFile, PlateFileDriver, Rules, WellRow
from instruments.drivers.reading import Unreadable
from instruments.drivers.run_name import run_named
from instruments.drivers.table_columns import Names, Table, columns_of, found_table
from instruments.drivers.wells import Naming, well_named, well_numbered
from instruments.drivers.words import plain, words
from instruments.files.export import Export
from instruments.files.table import Sheet, sheets

COLUMNS_NAMED: Final[Names] = {
    "well": ("No.",),
    "specimen": ("Name",),
    "type": ("Type",),
    "ct": ("Ct",),
    "comment": ("Ct Comment",),
}
_NEEDED: Final = ("well", "specimen", "type", "ct")
_RULES: Final = Rules(
    no_amplification=words("NEG (NTC)", "NEG (R. Eff)", "NEG"), empty_is_none=True
)
_ANALYSIS: Final = re.compile(
    r"Quantitati(ve analysis|on analysis) of (?P<channel>[^(]+?)\s*(\((?P<target>.+)\))?\s*"
)
WELLS: Final = 96


class RotorGene(PlateFileDriver):
    """The driver of the exports above."""

    name = "rotorgene"
    version = "1"

    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`: no-table, missing-columns, no-target, short-row, well-name, and
        those of `sheets`."""
        sheet = sheets(export)[0]
        headers = {
            plain(row.cell(0)).rstrip(":"): row.cell(1)
            for row in reversed(sheet.rows)
            if row.cell(0)
        }
        rows = tuple(row for table, target in _tables(sheet) for row in _rows(table, target))
        run, run_from = run_named(headers, ("Run Id",), export)
        began = f"{headers.get('date', '')} {headers.get('time', '')}"
        return PlateFile(rows, _RULES, run, run_from, month_first(began))


def _tables(sheet: Sheet) -> Iterator[tuple[Table, str]]:
    after, target = 0, ""
    for row in sheet.rows:
        if said := _ANALYSIS.fullmatch(row.cell(0)):
            target, after = said["target"] or said["channel"], row.number
        elif set(_NEEDED) <= set(columns_of(row, COLUMNS_NAMED)):
            if not target:
                raise Unreadable(
                    "no-target", f"row {row.number}: no 'Quantitative analysis of' above"
                )
            yield found_table(sheet, COLUMNS_NAMED, _NEEDED, after=row.number - 1), target
            target = ""
    if not after:
        found_table(sheet, COLUMNS_NAMED, _NEEDED)  # says what is missing
        raise Unreadable("no-target", "no 'Quantitative analysis of' says what was measured")


def _rows(table: Table, target: str) -> Iterator[WellRow]:
    for row in table.rows:
        if plain(table.cell(row, "type")) == "none":
            continue
        table.refuse_cut(row, "ct")
        comment, number = table.cell(row, "comment"), table.cell(row, "well")
        numbered = number.replace(".", "").isdigit()
        yield WellRow(
            where=table.where(row),
            well=well_numbered(number, WELLS, Naming.BY_COLUMN, table.where(row))
            if numbered
            else well_named(number, table.where(row)),
            written=number,
            specimen=table.cell(row, "specimen"),
            target=target,
            ct=table.cell(row, "ct"),
            task=table.cell(row, "type"),
            flags=(comment,) if comment else (),
        )
