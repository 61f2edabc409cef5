"""Say what a file holds: its sheets, its headings, samples; and what its columns are, if known."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import IMPORT_MOVES, ImportState, move
from lims.sheets.cells import as_text
from lims.sheets.columns import Column, Mapped, fingerprint, lacking, matched
from lims.sheets.encodings import Encoding
from lims.sheets.faults import FileFault, Unreadable
from lims.sheets.opened import MOST_ROWS, Dialect, Format, Opened
from lims.sheets.table import SAMPLES, Headings, Line, Sheet, headings_of, lines_of
from lims.tables import ImportJob, ImportMapping

_LONGEST_SAMPLE = 60
_FIRST_LINES = 12


@dataclass(frozen=True, slots=True)
class Outline:
    """What was found in a file, as kept with its job."""

    dialect: Dialect
    sheets: tuple[tuple[str, int], ...]  # names and how many lines each has
    sheet: str
    headings: Headings | None
    samples: tuple[tuple[str, ...], ...]  # the first lines under the headings, as text
    first_lines: tuple[tuple[int, str], ...]  # where a person looks for the headings

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """What `kept` said."""
        dialect, headings = kept["dialect"], kept["headings"]
        return cls(
            Dialect(Format(dialect["format"]), Encoding(dialect["encoding"]), dialect["separator"]),
            tuple((name, lines) for name, lines in kept["sheets"]),
            kept["sheet"],
            headings and Headings(headings["line"], headings["lines"], tuple(headings["words"])),
            tuple(map(tuple, kept["samples"])),
            tuple((number, said) for number, said in kept["first_lines"]),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A file's outline, and the lines themselves."""

    outline: Outline
    lines: list[Line]


def look(opened: Opened, *, sheet: str | None, heading_line: int | None) -> Found:
    """The table of the sheet asked for, or of the likeliest one. Raises Unreadable."""
    chosen = _chosen(opened, sheet)
    headings = headings_of(chosen, heading_line)
    lines = list(lines_of(chosen, headings)) if headings else []
    if len(lines) > MOST_ROWS:
        raise Unreadable(FileFault.TOO_MANY_ROWS)
    if headings and not lines and len(opened.sheets) == 1:
        raise Unreadable(FileFault.NO_ROWS)
    outline = Outline(
        dialect=opened.dialect,
        sheets=tuple((one.name, len(one.rows)) for one in opened.sheets),
        sheet=chosen.name,
        headings=headings,
        samples=tuple(tuple(map(_sample, line.cells)) for line in lines[:SAMPLES]),
        first_lines=_first_lines(chosen),
    )
    return Found(outline, lines)


def describe(session: Session, job: ImportJob, found: Found) -> None:
    """Keep the outline. Columns that somebody confirmed before under these headings are applied at
    once; otherwise the job waits for a person, with a first guess."""
    outline = found.outline
    job.tries = 0
    job.outline, job.rows_total = outline.kept(), len(found.lines)
    job.sheet = outline.sheet
    job.heading_line = outline.headings.line if outline.headings else None
    words = outline.headings.words if outline.headings else ()
    known = None if job.ask_columns else remembered(session, job.site_id, words)
    job.remembered = known is not None
    mapped = known if known is not None else matched(words)
    job.mapped = [column.value if column else "" for column in mapped]
    ready = known is not None and not lacking(mapped) and bool(found.lines)
    wanted = ImportState.QUEUED if ready else ImportState.MAPPING
    job.state = move(IMPORT_MOVES, ImportState(job.state), wanted, what="import")


def remembered(session: Session, site_id: UUID, words: tuple[str, ...]) -> Mapped | None:
    """What these headings held the last time, at this site."""
    kept = session.scalar(
        select(ImportMapping.mapped).where(
            ImportMapping.site_id == site_id, ImportMapping.fingerprint == fingerprint(words)
        )
    )
    return None if kept is None or len(kept) != len(words) else mapping_of(kept)


def mapping_of(kept: list[Any] | None) -> Mapped:
    """A job's columns as values."""
    return tuple(Column(one) if one else None for one in kept or ())


def _chosen(opened: Opened, name: str | None) -> Sheet:
    for sheet in opened.sheets:
        if sheet.name == name:
            return sheet
    return max(opened.sheets, key=_promise)


def _promise(sheet: Sheet) -> tuple[int, int]:
    """How much of a list a sheet looks like: headings known, then lines."""
    headings = headings_of(sheet)
    known = sum(one is not None for one in matched(headings.words)) if headings else 0
    return known, len(sheet.rows)


def _sample(cell: Any) -> str:
    text = as_text(cell).replace("\x00", "\ufffd").strip()
    return text if len(text) <= _LONGEST_SAMPLE else f"{text[:_LONGEST_SAMPLE]}…"


def _first_lines(sheet: Sheet) -> tuple[tuple[int, str], ...]:
    shown = []
    for number, row in enumerate(sheet.rows[:_FIRST_LINES], 1):
        said = " · ".join(filter(None, map(_sample, row)))
        if said:
            shown.append((number, said[:120]))
    return tuple(shown)
