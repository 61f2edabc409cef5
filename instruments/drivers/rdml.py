"""RDML 1.1 to 1.3: a zip with one XML document, as the standard names it `rdml_data.xml`.

Source: RDML consortium, schema and description of RDML 1.2 and 1.3 (rdml.org), elements from
memory, and a Bio-Rad CFX Manager 3.0 export (tests/data/exports), read element by element.

- `sample/type`: unkn, ntc, nac, ntp, nrt, pos, std, opt. `react/@id` counts along the rows of the
  run's `pcrFormat`. `cq` is −1 for no amplification; so is a `cq` that is not there or NaN, unless
  the document has none at all: then nothing was analysed, and that is refused. `excl` is what the
  operator left out.
- A run is a plate. Bio-Rad's program writes one run for each channel of one plate, named
  `Amp Step 3_FAM`: runs whose names end in a dye of the document and are else the same are joined.
- The plate: with one plate in the document, the file's name; with several, each run's own.
- A document type, and with it any entity, is refused before it is expanded: no RDML has one.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from instruments.drivers.plate_file import PlateFile, Rules, Task, WellRow, measured
from instruments.drivers.reading import Format, Unreadable
from instruments.drivers.wells import COLUMNS, ROWS, Naming, well_numbered
from instruments.drivers.words import Standard, words
from instruments.files.export import MOST_BYTES, Export
from instruments.files.numbers import Decimal
from instruments.measurement import Measurement, Role

MOST_UNPACKED: Final = 64 * 1024 * 1024
MOST_ELEMENTS: Final = 2_000_000  # 384 wells × 50 cycles × 6 dyes × 3 elements: 350,000
_TYPES: Final[Mapping[str, Task]] = {
    "": Role.SPECIMEN,
    "unkn": Role.SPECIMEN,
    "ntc": Role.NEGATIVE_CONTROL,
    "nac": Role.NEGATIVE_CONTROL,
    "ntp": Role.NEGATIVE_CONTROL,
    "nrt": Role.NEGATIVE_CONTROL,
    "pos": Role.POSITIVE_CONTROL,
    "std": Standard.STANDARD,
    "opt": Standard.STANDARD,
}
_RULES: Final = Rules(
    no_amplification=words("-1", "NaN"),
    empty_is_none=True,
    tasks=_TYPES,
    control_names={},
    decimal=Decimal.POINT,
)


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    rows: tuple[WellRow, ...]


class Rdml:
    """The driver of the format above."""

    name = "rdml"
    version = "1"
    format = Format.FILE

    def measurements(self, export: Export) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: those of `plates` and of `measured`."""
        return tuple(m for plate in self.plates(export) for m in measured(plate))

    def plate(self, export: Export) -> PlateFile:
        """The first plate. Raises `Unreadable`, several-plates too."""
        first, *others = self.plates(export)
        if others:
            raise Unreadable("several-plates", f"the document has {1 + len(others)} plates")
        return first

    def plates(self, export: Export) -> tuple[PlateFile, ...]:
        """Raises `Unreadable`: rdml, document-type, too-large, plate-format, no-cycle-numbers,
        no-results, well-name."""
        root = _document(export)
        types = {
            sample.get("id", ""): sample.findtext("{*}type", "")
            for sample in root.findall("{*}sample")
        }
        dyes = [dye.get("id", "") for dye in root.findall("{*}dye")]
        runs = [_run(each, types) for each in root.findall("{*}experiment/{*}run")]
        rows = [row for run in runs for row in run.rows]
        if not rows:
            raise Unreadable("no-results", "the document has no react with data")
        if not any(row.ct for row in rows):
            raise Unreadable("no-cycle-numbers", "no cq is given: the run was not analysed")
        joined = _joined(runs, dyes)
        if len(joined) == 1:
            return (PlateFile(joined[0].rows, _RULES, export.stem, "the file's name"),)
        return tuple(
            PlateFile(
                tuple(replace(row, where=f"run {run.name} {row.where}") for row in run.rows),
                _RULES,
                run.name,
                "the run's id",
            )
            for run in joined
        )


def _joined(runs: list[_Run], dyes: list[str]) -> list[_Run]:
    plates: dict[str, _Run] = {}
    for run in runs:
        dye = next((dye for dye in dyes if dye and run.name.endswith(f"_{dye}")), None)
        name = run.name.removesuffix(f"_{dye}") if dye else run.name
        rows = plates[name].rows if name in plates else ()
        if rows and not dye:
            raise Unreadable("rdml", f"two runs are named {name[:40]!r}")
        plates[name] = _Run(name, rows + run.rows)
    return list(plates.values())


def _run(run: ElementTree.Element, types: dict[str, str]) -> _Run:
    name = run.get("id", "")
    size = _size(run, name)
    return _Run(name, tuple(_rows(run, name, size, types)))


def _rows(
    run: ElementTree.Element, name: str, size: int, types: dict[str, str]
) -> Iterator[WellRow]:
    for react in run.findall("{*}react"):
        at = f"react {react.get('id', '')}"
        well = well_numbered(react.get("id", ""), size, Naming.BY_ROW, f"run {name} {at}")
        sample = react.find("{*}sample")
        specimen = sample.get("id", "") if sample is not None else ""
        if specimen not in types:
            raise Unreadable("rdml", f"run {name} {at}: its sample is not described")
        for data in react.findall("{*}data"):
            target = data.find("{*}tar")
            excluded = data.findtext("{*}excl")
            yield WellRow(
                where=at,
                well=well,
                written=react.get("id", ""),
                specimen=specimen,
                target=target.get("id", "") if target is not None else "",
                ct=data.findtext("{*}cq", "").strip(),
                task=types[specimen],
                omitted=excluded is not None,
                flags=(excluded.strip(),) if excluded and excluded.strip() else (),
            )


def _size(run: ElementTree.Element, name: str) -> int:
    told = [run.findtext(f"{{*}}pcrFormat/{{*}}{side}", "") for side in ("rows", "columns")]
    for size, columns in COLUMNS.items():
        if told == [str(ROWS[size]), str(columns)]:
            return size
    raise Unreadable("plate-format", f"run {name}: expected 8 × 12 or 16 × 24, came {told}")


def _document(export: Export) -> ElementTree.Element:
    if len(export.content) > MOST_BYTES:
        raise Unreadable("too-large", f"{len(export.content)} bytes")
    content = _unzipped(export.content) if export.content[:2] == b"PK" else export.content
    _refuse_bombs(content)
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - bombs are refused above
    except ElementTree.ParseError as error:
        raise Unreadable("rdml", f"not XML: {error}") from error
    if root.tag.rpartition("}")[2] != "rdml":
        raise Unreadable("rdml", f"expected <rdml>, came <{root.tag[:40]}>")
    return root


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [part for part in archive.infolist() if part.filename.lower().endswith(".xml")]
            if len(parts) != 1:
                raise Unreadable("rdml", f"expected one XML document, came {len(parts)}")
            with archive.open(parts[0]) as part:
                read = part.read(MOST_UNPACKED + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise Unreadable("rdml", f"the zip cannot be read: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted; a packing of another kind
        raise Unreadable("rdml", f"the zip cannot be read: {error}") from error
    if len(read) > MOST_UNPACKED:
        raise Unreadable("too-large", f"the document is over {MOST_UNPACKED} bytes")
    return read


def _refuse_bombs(content: bytes) -> None:
    """What a tree of it would take is counted before there is one."""
    elements = 0

    def refuse(*_told: object) -> None:
        raise Unreadable("document-type", "the XML declares a document type; RDML has none")

    def count(*_told: object) -> None:
        nonlocal elements
        elements += 1
        if elements > MOST_ELEMENTS:
            raise Unreadable("too-large", f"the document has over {MOST_ELEMENTS} elements")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = count
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unreadable("rdml", f"not XML: {error}") from error
