"""Bio-Rad CFX96 and CFX384: "Quantification Cq Results" exported as csv, txt or xlsx.

Source: "CFX Maestro Software User Guide", Bio-Rad 10000068703 (export; from memory), and the CFX
export in HTqPCR (tests/data/exports), read here line by line.

    ,Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,…

- A leading empty column; wells are A01; one row for each well and fluorophore. Lines of `key,value`
  may stand above the table. Where no target is named, the fluorophore stands for it.
- `N/A`, `NaN` and 0.00 are no amplification.
- Content: Unkn, NTC, Neg Ctrl, Pos Ctrl, Std (each may carry a number: Std-01); any other word is
  the operator's own and the well a specimen.
- The plate: Barcode, Plate ID, ID; else the file's name without what the program puts after it.
"""

import re
from collections.abc import Iterator
from typing import Final

from instruments.drivers.file_times import month_first
from instruments.drivers.plate_file import TASKS, PlateFile, PlateFileDriver, Rules, WellRow
from instruments.drivers.reading import Unreadable
from instruments.drivers.run_name import run_named
from instruments.drivers.table_columns import Names, Table, found_table
from instruments.drivers.wells import well_named
from instruments.drivers.words import ROLE_WORDS, plain, words
from instruments.files.export import Export
from instruments.files.table import sheets
from instruments.measurement import Role

COLUMNS_NAMED: Final[Names] = {
    "well": ("Well",),
    "fluor": ("Fluor",),
    "target": ("Target", "Target Name"),
    "content": ("Content",),
    "specimen": ("Sample", "Sample Name"),
    "ct": ("Cq", "C(t)", "Ct"),
}
RUN_KEYS: Final = ("Barcode", "Plate Barcode", "Plate ID", "ID")
_ENDINGS: Final = r"\s+-\s+Quantification (Cq Results|Summary)(_\d+)?"
_TASKS: Final = {**TASKS, **dict.fromkeys(words("NRT"), Role.NEGATIVE_CONTROL)}
_RULES: Final = Rules(
    no_amplification=words("N/A", "NaN", "0"), tasks=_TASKS, other_tasks_are_specimens=True
)


class Cfx96(PlateFileDriver):
    """The driver of the exports above."""

    name = "cfx96"
    version = "1"

    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`: no-table, missing-columns, no-target, short-row, well-name, and
        those of `sheets`."""
        sheet = sheets(export)[0]
        table = found_table(sheet, COLUMNS_NAMED, ("well", "content", "ct"))
        headers = {
            plain(row.cell(0)).rstrip(":"): row.cell(1)
            for row in sheet.rows
            if row.number < table.heading.number and row.cell(0)
        }
        run, run_from = run_named(headers, RUN_KEYS, export, endings=_ENDINGS)
        ended = headers.get(plain("Run Ended"), "")
        return PlateFile(tuple(_rows(table)), _RULES, run, run_from, month_first(ended))


def _rows(table: Table) -> Iterator[WellRow]:
    for row in table.rows:
        content, specimen = table.cell(row, "content"), table.cell(row, "specimen")
        target = table.cell(row, "target") or table.cell(row, "fluor")
        if not (content or specimen):
            continue
        table.refuse_cut(row, "ct")
        if not target:
            raise Unreadable("no-target", f"{table.where(row)}: neither target nor fluorophore")
        task = re.sub(r"[-_ ]\d+$", "", content)
        is_control = plain(task) in ROLE_WORDS
        yield WellRow(
            where=table.where(row),
            well=well_named(table.cell(row, "well"), table.where(row)),
            written=table.cell(row, "well"),
            specimen=specimen or (content if is_control else ""),
            target=target,
            ct=table.cell(row, "ct"),
            task=task,
        )
