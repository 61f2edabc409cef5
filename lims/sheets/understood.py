"""One line of a list as a swab to register, or every fault it has, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.identity import Birth, name_key, tidy_name
from lims.domain.refusals import Misread, NotABarcode, PersonCard
from lims.domain.registration import AreaRef, PersonGiven, Registration, ZoneGiven
from lims.domain.zones import Tie
from lims.sheets.area_book import AreaBook
from lims.sheets.cells import Cell, as_text, is_blank
from lims.sheets.columns import Column, Mapped
from lims.sheets.dates import birth_of, moment_of
from lims.sheets.faults import CellFault, Wrong
from lims.sheets.names import name_of, sex_of
from lims.sheets.numbers import digits_of, national_id_of, phone_of

_LONGEST_ADDRESS: Final = 500
_NOTE_CELLS: Final = (
    3  # "Tổng cộng", "Người lập": a line under the table, not somebody without a tube
)
_SUGGESTED: Final = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What every line of one list is read with. `taken_at` is for a swab that says no moment."""

    mapped: Mapped
    areas: AreaBook
    zone: ZoneInfo
    now: datetime
    taken_at: datetime
    campaign_id: UUID | None = None
    zones: Mapping[str, UUID] = field(default_factory=dict)
    """By their names without accents, those that are open."""

    def columns(self) -> dict[Column, int]:
        """Where each column stands in the file."""
        return {column: n for n, column in enumerate(self.mapped) if column is not None}


def is_note(cells: Sequence[Cell], where: dict[Column, int]) -> bool:
    """True for a line of few words that has neither a tube nor a name: a total, a signature."""
    if not (is_blank(cells[where[Column.NAME]]) and is_blank(cells[where[Column.BARCODE]])):
        return False
    return sum(bool(as_text(cell).strip()) for cell in cells) <= _NOTE_CELLS


def tube_of(cell: Cell) -> str | Wrong:
    """The barcode as stored, or what is wrong with it. An all-digit one may have lost noughts."""
    text = digits_of(cell)
    if isinstance(text, CellFault):
        return Wrong(Column.BARCODE, text)
    if not text:
        return Wrong(Column.BARCODE, CellFault.TUBE_MISSING)
    if not isinstance(cell, str) and text.isdigit():
        text = text.zfill(barcodes.LENGTH)
    try:
        return barcodes.parse(text)
    except (NotABarcode, PersonCard):
        return Wrong(Column.BARCODE, CellFault.TUBE_UNREADABLE)
    except Misread as refusal:
        like = ", ".join(refusal.suggestions[:_SUGGESTED])
        if like:
            return Wrong(Column.BARCODE, CellFault.TUBE_MISREAD_LIKE, {"like": like})
        return Wrong(Column.BARCODE, CellFault.TUBE_MISREAD)


class Reader:
    """Reads the lines of one list; what a line says is never guessed."""

    def __init__(self, reading: Reading) -> None:
        self._given = reading
        self.where = reading.columns()
        self._births = [(column, sex) for column, sex in _BIRTHS if column in self.where]
        self._today = reading.now.astimezone(reading.zone).date()

    def read(self, cells: Sequence[Cell]) -> Registration | tuple[Wrong, ...]:
        """The swab, or every fault of the line in the order of the columns."""
        wrong: list[Wrong] = []
        tube = tube_of(self._cell(cells, Column.BARCODE))
        if isinstance(tube, Wrong):
            wrong.append(tube)
        person = self._person(cells, wrong)
        at = self._taken_at(cells)
        if isinstance(at, CellFault):
            wrong.append(Wrong(Column.COLLECTED_AT, at))
        if wrong or isinstance(tube, Wrong) or isinstance(at, CellFault):
            return tuple(wrong)
        return Registration(
            specimen_id=uuid7(),
            barcode=tube,
            collected_at=at or self._given.taken_at,
            person=person,
            campaign_id=self._given.campaign_id,
        )

    def _taken_at(self, cells: Sequence[Cell]) -> datetime | CellFault | None:
        if Column.COLLECTED_AT not in self.where and Column.COLLECTED_TIME not in self.where:
            return None
        return moment_of(
            self._cell(cells, Column.COLLECTED_AT),
            self._cell(cells, Column.COLLECTED_TIME),
            self._given.zone,
            self._given.now,
        )

    def _person(self, cells: Sequence[Cell], wrong: list[Wrong]) -> PersonGiven:
        name, fault = name_of(self._cell(cells, Column.NAME))
        if fault is not None:
            wrong.append(Wrong(Column.NAME, fault, {"sign": name} if name else None))
        birth, said_sex = self._birth(cells, wrong)
        sex = self._kept(sex_of(self._cell(cells, Column.SEX)), Column.SEX, wrong)
        if sex and said_sex and sex != said_sex:
            wrong.append(Wrong(Column.SEX, CellFault.SEX_TWICE))
        phone = self._kept(phone_of(self._cell(cells, Column.PHONE)), Column.PHONE, wrong)
        number = self._kept(
            national_id_of(self._cell(cells, Column.NATIONAL_ID)), Column.NATIONAL_ID, wrong
        )
        address = tidy_name(as_text(self._cell(cells, Column.ADDRESS)))
        if "\ufffd" in address:
            wrong.append(Wrong(Column.ADDRESS, CellFault.LETTER_UNREADABLE))
        elif len(address) > _LONGEST_ADDRESS:
            wrong.append(Wrong(Column.ADDRESS, CellFault.ADDRESS_LONG))
        return PersonGiven(
            name=name or "",
            name_key=name_key(name or ""),
            birth_year=birth.year if birth else None,
            birth_date=birth.day if birth else None,
            sex=sex or said_sex,
            phone=phone,
            national_id=number,
            address=address or None,
            area=self._area(cells, Column.AREA, wrong),
            work_area=self._area(cells, Column.WORK_AREA, wrong),
            zones=self._zones(cells, wrong),
        )

    def _zones(self, cells: Sequence[Cell], wrong: list[Wrong]) -> tuple[ZoneGiven, ...] | None:
        found = []
        for column, tie in _ZONES:
            asked = " ".join(as_text(self._cell(cells, column)).split())
            zone = self._given.zones.get(name_key(asked)) if asked else None
            if zone is not None:
                found.append(ZoneGiven(zone, tie))
            elif asked and self._given.zones:  # a laboratory without zones reads past them
                wrong.append(Wrong(column, CellFault.ZONE_UNKNOWN))
        return tuple(found) or None

    def _birth(self, cells: Sequence[Cell], wrong: list[Wrong]) -> tuple[Birth | None, str | None]:
        """A form with a column for men and one for women says the sex by where the year stands."""
        found: list[tuple[Birth, str | None]] = []
        for column, sex in self._births:
            read = birth_of(self._cell(cells, column), self._today)
            if isinstance(read, CellFault):
                wrong.append(Wrong(column, read))
            elif read is not None:
                found.append((read, sex))
        if len(found) == 1:
            return found[0]
        if len({birth for birth, _ in found}) > 1:
            wrong.append(Wrong(Column.BIRTH_FEMALE, CellFault.BIRTH_TWICE))
        sexes = {sex for _, sex in found if sex}
        return (found[0][0] if found else None), (sexes.pop() if len(sexes) == 1 else None)

    def _area(self, cells: Sequence[Cell], column: Column, wrong: list[Wrong]) -> AreaRef | None:
        asked = as_text(self._cell(cells, column)).strip() if column in self.where else ""
        if not asked:
            return None
        found = self._given.areas.find(asked)
        if isinstance(found, CellFault):
            wrong.append(Wrong(column, found))
            return None
        return found

    def _cell(self, cells: Sequence[Cell], column: Column) -> Cell:
        at = self.where.get(column)
        return "" if at is None else cells[at]

    @staticmethod
    def _kept(read: str | CellFault | None, column: Column, wrong: list[Wrong]) -> str | None:
        if isinstance(read, CellFault):
            wrong.append(Wrong(column, read))
            return None
        return read


_ZONES: Final = ((Column.WORK_ZONE, Tie.WORKER), (Column.HOME_ZONE, Tie.RESIDENT))
_BIRTHS: Final = (
    (Column.BIRTH, None),
    (Column.BIRTH_MALE, "male"),
    (Column.BIRTH_FEMALE, "female"),
)
