"""What simulated cyclers export of a plate: the files that `instruments.drivers` read (cfx96,
lightcycler480, rotorgene, rdml; a QuantStudio's is in `instruments.analyser_exports`).

Each raises ValueError, as a sentence, for what its machine's export has no place for.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from instruments.analyser_messages import Well
from instruments.drivers.plate import CONTROLS
from instruments.measurement import Role

_NAMES: Final = {role: name for name, role in CONTROLS.items()}
_CFX_CONTENT: Final = {
    Role.SPECIMEN: "Unkn",
    Role.NEGATIVE_CONTROL: "NTC",
    Role.POSITIVE_CONTROL: "Pos Ctrl",
    Role.EXTRACTION_CONTROL: "Neg Ctrl",
}
_CFX_FLUORS: Final = ("FAM", "HEX", "Cy5", "Texas Red", "Quasar 705")
_ROTOR_TYPES: Final = {
    Role.SPECIMEN: "Unknown",
    Role.NEGATIVE_CONTROL: "NTC",
    Role.POSITIVE_CONTROL: "Positive Control",
    Role.EXTRACTION_CONTROL: "Negative Control",
}
_ROTOR_CHANNELS: Final = ("Green", "Yellow", "Orange", "Red", "Crimson")
_RDML_TYPES: Final = {
    Role.SPECIMEN: "unkn",
    Role.NEGATIVE_CONTROL: "ntc",
    Role.POSITIVE_CONTROL: "pos",
    Role.EXTRACTION_CONTROL: "nac",
}
_RDML: Final = "http://www.rdml.org"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of a zip's entry: the same plate gives the same bytes


def cfx_export(plate: str, wells: Sequence[Well], *, ended_at: datetime) -> bytes:
    """Quantification Cq Results with the run's header. Of a well with an error no Cq is given."""
    lines = [
        f"File Name,{plate}.pcrd",
        f"Plate ID,{plate}",
        f"Run Ended,{ended_at:%m/%d/%Y %H:%M:%S}",
        "",
        ",Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,Cq Std. Dev",
    ]
    numbers = dict.fromkeys(Role, 0)
    for well in _by_row(wells):
        numbers[well.role] += 1
        content = f"{_CFX_CONTENT[well.role]}-{numbers[well.role]:02d}"
        for at, (target, ct) in enumerate(well.targets.items()):
            shown = "" if well.error else ("N/A" if ct is None else f"{ct:.2f}")
            fluor = _CFX_FLUORS[at % len(_CFX_FLUORS)]
            cells = ("", well.well, fluor, target, content, _name(well), "", shown, "0.00", "0.00")
            lines.append(_row(cells, ","))
    return _text(lines)


def lightcycler_export(plate: str, wells: Sequence[Well]) -> bytes:
    """One filter's table, which is one target; lines end in CR."""
    targets = {target for well in wells for target in well.targets}
    if len(targets) != 1:
        told = ", ".join(sorted(targets)) or "none"
        raise ValueError(f"a LightCycler 480 exports one filter a file, and was told {told}")
    (target,) = targets
    lines = [
        f"Experiment: {plate}  Selected Filter: {target}",
        "Include\tColor\tPos\tName\tCp\tConcentration\tStandard\tStatus",
    ]
    for well in _by_row(wells):
        (ct,) = well.targets.values()
        shown = "" if ct is None else f"{ct:.2f}"
        include = "False" if well.error else "True"
        lines.append(f"{include}\t255\t{_position(well)}\t{_name(well)}\t{shown}\t\t0\t")
    return "".join(f"{line}\r" for line in lines).encode("utf-8")


def rotorgene_export(plate: str, wells: Sequence[Well], *, ended_at: datetime) -> bytes:
    """One table for each channel, decimal commas."""
    if any(well.error for well in wells):
        raise ValueError("a Rotor-Gene's export has no word for a tube that could not be measured")
    lines = [
        "Excel Analysed Data Export;;;;;",
        f"File;{plate}.rex;;;;",
        f"Date;{ended_at.month}/{ended_at.day}/{ended_at.year};;;;",
        f"Time;{ended_at:%I:%M:%S %p};;;;",
        f"Run Id;{plate};;;;",
    ]
    targets = dict.fromkeys(target for well in wells for target in well.targets)
    for at, target in enumerate(targets):
        channel = _ROTOR_CHANNELS[at % len(_ROTOR_CHANNELS)]
        lines += [
            ";;;;;",
            f"Quantitative analysis of Cycling A.{channel} ({target});;;;;",
            ";;;;;",
            "No.;Colour;Name;Type;Ct;Ct Comment",
        ]
        for well in sorted(wells, key=_rotor_number):
            if target in well.targets:
                ct = well.targets[target]
                shown = "" if ct is None else f"{ct:.2f}".replace(".", ",")
                kind = _ROTOR_TYPES[well.role]
                cells = (_rotor_number(well), 255, _name(well), kind, shown, "")
                lines.append(_row(cells, ";"))
    return _text(lines)


def rdml_export(plate: str, wells: Sequence[Well], *, columns: int) -> bytes:
    """Version 1.2, one run. A well with an error is one that the operator left out."""
    rows = {12: 8, 24: 16}[columns]
    root = ElementTree.Element("rdml", {"version": "1.2", "xmlns": _RDML})
    for name, role in dict.fromkeys((_name(well), well.role) for well in _by_row(wells)):
        sample = ElementTree.SubElement(root, "sample", {"id": name})
        ElementTree.SubElement(sample, "type").text = _RDML_TYPES[role]
    run = ElementTree.SubElement(
        ElementTree.SubElement(root, "experiment", {"id": plate}), "run", {"id": plate}
    )
    form = ElementTree.SubElement(run, "pcrFormat")
    ElementTree.SubElement(form, "rows").text = str(rows)
    ElementTree.SubElement(form, "columns").text = str(columns)
    for well in _by_row(wells):
        at = (ord(well.well[0]) - ord("A")) * columns + int(well.well[1:])
        react = ElementTree.SubElement(run, "react", {"id": str(at)})
        ElementTree.SubElement(react, "sample", {"id": _name(well)})
        for target, ct in well.targets.items():
            data = ElementTree.SubElement(react, "data")
            ElementTree.SubElement(data, "tar", {"id": target})
            ElementTree.SubElement(data, "cq").text = "-1" if ct is None else f"{ct:.2f}"
            if well.error:
                ElementTree.SubElement(data, "excl").text = well.error
    return _zipped(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _zipped(document: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("rdml_data.xml", _EPOCH)
        archive.writestr(entry, document, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def _by_row(wells: Sequence[Well]) -> Iterator[Well]:
    return iter(sorted(wells, key=lambda well: (well.well[0], int(well.well[1:]))))


def _rotor_number(well: Well) -> int:
    """Down the columns of a plate of 96."""
    if well.well[0] > "H" or int(well.well[1:]) > 12:
        raise ValueError(f"a Rotor-Gene has no place {well.well}")
    return (int(well.well[1:]) - 1) * 8 + ord(well.well[0]) - ord("A") + 1


def _name(well: Well) -> str:
    return _NAMES.get(well.role, well.specimen)


def _position(well: Well) -> str:
    return f"{well.well[0]}{int(well.well[1:])}"


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8")


def _row(cells: Sequence[object], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells)
    return out.getvalue()
