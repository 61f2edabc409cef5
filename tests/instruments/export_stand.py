"""Exports and how the tests read them: by well, or by the reason of their refusal."""

import io
from collections import Counter
from pathlib import Path

import pytest
import xlsxwriter

from instruments.drivers.exports import FILE_DRIVERS
from instruments.drivers.reading import Unreadable
from instruments.files.export import Export
from instruments.measurement import Measurement, Role

EXPORTS = Path(__file__).parent.parent / "data" / "exports"


def read(driver: str, name: str, content: bytes | None = None) -> dict[str, Measurement]:
    """By well; of one plate."""
    content = (EXPORTS / name).read_bytes() if content is None else content
    measurements = FILE_DRIVERS[driver].measurements(Export(content, name))
    assert len({m.path for m in measurements}) == len(measurements)
    wells = {m.well or "": m for m in measurements}
    assert len(wells) == len(measurements)
    return wells


def refused(driver: str, name: str, content: bytes) -> str:
    with pytest.raises(Unreadable) as why:
        FILE_DRIVERS[driver].measurements(Export(content, name))
    return str(why.value)


def roles(wells: dict[str, Measurement]) -> Counter[Role]:
    return Counter(m.role for m in wells.values())


def workbook(*pages: tuple[str, list[list[object]]]) -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        for name, rows in pages:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return kept.getvalue()
