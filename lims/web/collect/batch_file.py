"""A list as people keep it: UTF-8, a line of headings, one swab a line; read, and written back.

Comma, semicolon or tab between the cells, since spreadsheets of Vietnamese machines write
semicolons. Headings may be the English names below or the Vietnamese ones beside them.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Final

from lims.domain.identity import name_key
from lims.domain.refusals import BodyTooLarge, InvalidBody, NotUtf8
from lims.web.language import later
from lims.work.register_batch import MOST_ROWS

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "barcode": ("mã ống", "ống", "tube"),
    "name": ("họ và tên", "họ tên", "tên"),
    "birth": ("năm sinh", "ngày sinh", "birth_year", "birth_date"),
    "sex": ("giới tính", "giới"),
    "phone": ("điện thoại", "số điện thoại", "sđt"),
    "national_id": ("cccd", "số cccd", "số định danh"),
    "address": ("địa chỉ",),
    "area": ("phường xã", "nơi ở", "xã phường"),
    "work_area": ("nơi làm việc", "nơi làm"),
    "collected_at": ("lấy lúc", "giờ lấy", "thời gian lấy"),
}
HEADINGS: Final = later("The first line names the columns; these are missing.")
AS_CSV: Final = later(
    "save it as CSV UTF-8 in the spreadsheet, then send that file; nothing was taken"
)
_ZIP: Final = b"PK\x03\x04"  # how .xlsx and .ods files begin
WRONG: Final = "what_is_wrong"
_NEEDED: Final = ("barcode", "name")
_NAMES: Final = {
    name_key(said).replace("_", " "): column
    for column, others in COLUMNS.items()
    for said in (column, *others)
}
_SEXES: Final = {"nam": "male", "nu": "female", "m": "male", "f": "female", "": ""}
_SEXES_SAID: Final = frozenset({"male", "female"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the file (the headings are line 1) and its cells by column."""

    number: int
    cells: Mapping[str, str]


def decoded(raw: bytes) -> str:
    """The text of an uploaded file. Raises NotUtf8 with the place of the first strange byte."""
    if raw.startswith(_ZIP):
        raise NotUtf8(came="a workbook", where="file", todo=AS_CSV)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise NotUtf8(came=f"line {line} is not UTF-8", where="file", todo=AS_CSV) from error


def lines_of(text: str) -> list[Line]:
    """Every line that is not empty. Raises InvalidBody (headings), BodyTooLarge."""
    text = text.lstrip("\ufeff").replace("\x00", "")
    head = text.partition("\n")[0]
    reader = csv.reader(StringIO(text), delimiter=_delimiter(head))
    headings = [_column(cell) for cell in next(reader, [])]
    missing = [column for column in _NEEDED if column not in headings]
    if missing:
        errors = [{"pointer": "#/rows", "detail": HEADINGS}]
        raise InvalidBody(errors=errors, where="rows", came=", ".join(missing))
    lines: list[Line] = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(lines) == MOST_ROWS:
            raise BodyTooLarge(came=f"more than {MOST_ROWS} rows", where="rows")
        cells = {
            column: cell.strip()
            for column, cell in zip(headings, row, strict=False)
            if column is not None
        }
        lines.append(Line(reader.line_num, {column: cells.get(column, "") for column in COLUMNS}))
    return lines


def sex_of(cell: str) -> str:
    """male, female, or nothing; Nam, Nữ, M and F are understood, another word is left standing."""
    key = name_key(cell)
    return key if key in _SEXES_SAID else _SEXES.get(key, cell)


def written(lines: Iterable[tuple[Line, str]]) -> str:
    """The lines under the same headings, with a last column that says what is wrong."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*COLUMNS, WRONG])
    for line, wrong in lines:
        writer.writerow([*(_harmless(line.cells[column]) for column in COLUMNS), wrong])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is written as text (CWE-1236).

    A telephone number's plus sign stays: nothing follows it but digits.
    """
    runs = cell[:1] in ("=", "@", "-", "\t", "\r") or (
        cell[:1] == "+" and not cell[1:].replace(" ", "").isdigit()
    )
    return f"'{cell}" if runs else cell


def _column(cell: str) -> str | None:
    return _NAMES.get(name_key(cell.strip()).replace("_", " "))


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)
