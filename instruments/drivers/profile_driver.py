"""A profile at work: the driver of a file or of an ASTM message that it describes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from instruments.astm.records import Message, Node
from instruments.drivers.plate_file import PlateFile, PlateFileDriver, WellRow, measured
from instruments.drivers.profile import FieldAt, Profile, profile_read
from instruments.drivers.reading import (
    Format,
    Unreadable,
    instrument_errors,
    iso_time,
    orders_told,
    refuse_faults,
)
from instruments.drivers.run_name import NOT_SAID
from instruments.drivers.table_columns import Table, found_table
from instruments.drivers.wells import read_well
from instruments.drivers.words import plain
from instruments.files.export import Export
from instruments.files.table import Row, Sheet, sheets
from instruments.measurement import Measurement

PROFILES: Final = Path(__file__).parent.parent / "profiles"


class TableProfile(PlateFileDriver):
    """Files as a profile describes them."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.name, self.version = profile.name, profile.version

    def plate(self, export: Export) -> PlateFile:
        """Raises `Unreadable`: no-sheet, no-table, missing-columns, short-row, well-name, no-run,
        and those of `sheets`."""
        shape = self.profile.table
        book = sheets(export, delimiter=shape.delimiter, encoding=shape.encoding)
        sheet = _sheet(book, shape.sheet)
        names = {**shape.columns, **{f"ct of {t}": h for t, h in shape.wide.items()}}
        needed = [key for key in names if key in ("well", "specimen", "target", "ct")]
        needed += [key for key in names if key.startswith("ct of ")]
        table = found_table(sheet, names, needed, after=_after(sheet, shape.after))
        run, run_from = self._run(sheet, table, export)
        rows = tuple(row for each in table.rows for row in self._rows(table, each, run))
        return PlateFile(rows, self.profile.rules, run, run_from)

    def _rows(self, table: Table, row: Row, run: str | None) -> Iterator[WellRow]:
        """A row without a specimen and without any cycle number is an empty well."""
        wide = [key for key in table.at if key.startswith("ct of ")]
        told = [table.cell(row, key) for key in (*wide, "specimen", "target", "ct")]
        if not any(told):
            return
        where = table.where(row)
        for key in wide or ["ct"]:
            table.refuse_cut(row, key)
            yield WellRow(
                where=where,
                well=self._well(table.cell(row, "well"), where),
                written=table.cell(row, "well"),
                specimen=table.cell(row, "specimen"),
                target=key.removeprefix("ct of ") if wide else table.cell(row, "target"),
                ct=table.cell(row, key),
                task=table.cell(row, "task"),
                call=table.cell(row, "call"),
                error=table.cell(row, "error"),
                omitted=table.has("omit")
                and plain(table.cell(row, "omit")) in self.profile.table.omitted,
                run=table.cell(row, "run") if run is None else "",
            )

    def _well(self, text: str, where: str) -> str:
        return read_well(text, self.profile.plate_size, self.profile.naming, where)

    def _run(self, sheet: Sheet, table: Table, export: Export) -> tuple[str | None, str]:
        """The first declared place that has a barcode. Raises `Unreadable` no-run."""
        for place in self.profile.run_from:
            if place == "column":
                if all(table.cell(row, "run") for row in table.rows):
                    return None, "its column"
                continue
            found = self._in_name(export) if place == "file name" else _header(sheet, place)
            if plain(found) not in NOT_SAID:
                return found, place
        tried = ", ".join(self.profile.run_from)
        raise Unreadable("no-run", f"no plate barcode in {tried}; the file is {export.name[:60]!r}")

    def _in_name(self, export: Export) -> str:
        pattern = self.profile.run_pattern
        if pattern is None:
            return export.stem
        found = pattern.search(export.stem)
        return (found[1] or "") if found else ""


class AstmProfile:
    """Messages as a profile describes them: one order a well or cartridge, one result a target.

    Of a message that was broken off, the orders that another one followed are held results (LIS2-A2
    4.2).
    """

    format = Format.ASTM

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.name, self.version = profile.name, profile.version

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: those of `plate` and of `measured`."""
        return measured(self.plate(message))

    def plate(self, message: Message) -> PlateFile:
        """Raises `Unreadable`: another-instrument, no-terminator, a fault of the records,
        no-specimen, no-results, well-name."""
        header = message.header
        if header and not self._is_ours(header.text(5)):
            raise Unreadable("another-instrument", f"H.5 is {header.text(5)[:40]!r}")
        refuse_faults(message)
        orders = orders_told(message)
        rows = tuple(row for path, node in orders for row in self._rows(path, node))
        times = (
            iso_time(self._text("time", order, result))
            for _path, order in orders
            for result in order.children
        )
        return PlateFile(rows, self.profile.rules, None, "the order", next(times, None))

    def _is_ours(self, sender: str) -> bool:
        return plain(self.profile.sender or "") in plain(sender)

    def _rows(self, path: str, order: Node) -> Iterator[WellRow]:
        specimen = self._text("specimen", order)
        if not specimen:
            raise Unreadable("no-specimen", f"{order.record.name}: no specimen")
        if not order.children:
            raise Unreadable("no-results", f"{order.record.name} has no result")
        well = self._text("well", order)
        where = order.record.name
        for result in order.children:
            told = instrument_errors(result) or instrument_errors(order) or ""
            undone = "the result could not be done" if result.record.text(9) == "X" else ""
            yield WellRow(
                where=f"{path}R{result.record.number}",
                well=read_well(well, self.profile.plate_size, self.profile.naming, where)
                if well
                else "",
                written=well,
                specimen=specimen,
                target=self._text("target", order, result),
                ct=self._text("ct", order, result),
                task=self._text("task", order),
                call=self._text("call", order, result),
                error=told or undone,
                key=path,
                run=self._text("run", order),
                assay=self._text("assay", order),
            )

    def _text(self, name: str, order: Node, result: Node | None = None) -> str:
        at = self.profile.fields.get(name)
        node = result if at and at.record == "R" else order
        return _field(node, at) if at and node else ""


def driver_of(profile: Profile) -> TableProfile | AstmProfile:
    return AstmProfile(profile) if profile.format == "astm" else TableProfile(profile)


def driver_from(path: Path) -> TableProfile | AstmProfile:
    """Raises `BadProfile`, or OSError where the file cannot be read."""
    return driver_of(profile_read(path.read_bytes()))


def _field(node: Node, at: FieldAt) -> str:
    record = node.record
    return (
        record.text(at.field) if at.part is None else record.component(at.field, at.part)
    ).strip()


def _sheet(book: tuple[Sheet, ...], named: str | None) -> Sheet:
    if named is None or not book[0].name:
        return book[0]
    for sheet in book:
        if plain(sheet.name) == plain(named):
            return sheet
    told = ", ".join(sheet.name for sheet in book)[:120]
    raise Unreadable("no-sheet", f"expected a sheet {named!r}, came {told}")


def _after(sheet: Sheet, text: str | None) -> int:
    """The line that a profile says stands before the table. Raises `Unreadable` no-table."""
    if text is None:
        return 0
    for row in sheet.rows:
        if plain(text) == plain(" ".join(cell for cell in row.cells if cell)):
            return row.number
    raise Unreadable("no-table", f"no line is {text!r}")


def _header(sheet: Sheet, place: str) -> str:
    """`header: Barcode` is the cell after the one that says Barcode, above or below the table; a
    colon or an equals sign after it may stand in the same cell."""
    key = plain(place.partition(":")[2])
    for row in sheet.rows:
        for at, cell in enumerate(row.cells):
            if plain(cell).rstrip(":= ") == key:
                return row.cell(at + 1)
            for mark in (":", "="):
                name, found, value = cell.partition(mark)
                if found and plain(name.lstrip("*# ")) == key and value.strip():
                    return value.strip()
    return ""
