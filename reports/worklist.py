"""A plate's worklist as CSV: what stands in which well, for the cycler and for the bench.

RFC 4180 with a heading line, UTF-8, in filling order (down the columns). The columns:

- `plate`, `well`: the plate's barcode, and `A01` … `P24`
- `barcode`: the tube, 11 characters as scanned; for a control its name on the plate: NTC, PC, EC
- `kind`: `individual`, `field_pool`, `lab_pool`, or `control`
- `people`: how many people's swabs the tube holds; empty for a control
- `priority`: 0 to 9, 9 goes first; `why`: `primary`, `resolve`, `repeat`, `rerun`, `discordant`,
  `confirm`; both empty for a control
- `assay`: the assay's code
- `control`: `negative_control`, `positive_control`, `extraction_control`; empty for a tube

A cell that a spreadsheet would take for a formula is led by an apostrophe (OWASP, CSV injection).
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from io import StringIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class WorklistLine:
    """One well, its fields in the order of the columns."""

    plate: str
    well: str
    barcode: str
    kind: str
    people: int | None
    priority: int | None
    why: str | None
    assay: str
    control: str | None


COLUMNS = tuple(field.name for field in fields(WorklistLine))


def worklist_csv(lines: Iterable[WorklistLine], *, byte_order_mark: bool = False) -> bytes:
    """The file. With the mark a spreadsheet opens it as UTF-8; a cycler's program may not want it.

    Formula-safe: see the module.
    """
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([safe(getattr(line, column)) for column in COLUMNS])
    return ((_BYTE_ORDER_MARK if byte_order_mark else "") + out.getvalue()).encode()


def safe(value: str | int | None) -> str:
    """A cell as it is written: nothing that a spreadsheet would take for a formula."""
    written = "" if value is None else str(value)
    return f"'{written}" if written.startswith(_FORMULA) else written
