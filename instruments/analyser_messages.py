"""What a simulated analyser has measured, and the message it would print of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from instruments.astm.records import Delimiters, write
from instruments.drivers.plate import CONTROLS
from instruments.measurement import Role

USUAL = Delimiters()
CEPHEID = Delimiters("|", "@", "^", "\\")
RUN = timedelta(hours=1)

_CONTROL_NAMES = {role: name for name, role in CONTROLS.items()}


@dataclass(frozen=True, slots=True)
class Well:
    """`targets` gives a cycle number, or None for no amplification. A control is printed under
    its kind's name whatever `specimen` says. `error` is `code text`. `call` is the machine's own
    word for the whole test, where it has one."""

    well: str
    specimen: str
    role: Role
    targets: Mapping[str, float | None]
    error: str | None = None
    call: str | None = None


def encoded(records: Sequence[str]) -> list[bytes]:
    """As they go over the line."""
    return [record.encode("utf-8") + b"\r" for record in records]


def unsaved_tail(records: Sequence[bytes], saved: int) -> list[bytes]:
    """What a sender repeats after a failure with `saved` records acknowledged: H, the parents of
    the next record, and the rest (LIS2-A2 4.2)."""
    parents: list[bytes] = []
    for record in records[:saved]:
        depth = _depth(record, parents)
        if record[:1] != b"C":
            parents = [*parents[:depth], record]
    return [*parents[: _depth(records[saved], parents)], *records[saved:]]


def _depth(record: bytes, parents: Sequence[bytes]) -> int:
    """How many records stand above: H 0, P 1, O 2, R 3; C below all; L below P, whose presence
    says that it is no line test."""
    return {b"H": 0, b"P": 1, b"O": 2, b"R": 3, b"L": 2}.get(record[:1], len(parents))


def plate_message(
    plate: str, wells: Sequence[Well], *, serial: str, ended_at: datetime, assay: str = "SARS2"
) -> list[str]:
    """One record each, without its CR: see `instruments.drivers.plate`."""
    start, end = _stamp(ended_at - RUN), _stamp(ended_at)
    sender = ("plate", serial, "1.1")
    records: list[Sequence[object]] = [
        ("H", "", "", "", sender, "", "", "", "", "", "", "P", "LIS2-A2", end),
        ("P", 1),
    ]
    for number, well in enumerate(wells, start=1):
        control = _CONTROL_NAMES.get(well.role)
        place = (control or well.specimen, plate, well.well)
        test = ("", "", "", assay)
        action = "Q" if control else "A"
        records.append(("O", number, place, "", test, "R", "", "", "", "", "", action))
        if well.error:
            records.append(_error(well.error))
        for at, (target, ct) in enumerate(well.targets.items(), start=1):
            value = "" if ct is None else f"{ct:.2f}"
            result = ("R", at, (*test, target), value, "Ct", "", "", "", "F", "", "", start, end)
            records.append((*result, (serial, well.well)))
    records.append(("L", 1, "N"))
    return _printed(records, USUAL)


def genexpert_message(
    specimens: Sequence[str],
    targets: Mapping[str, float | None],
    *,
    call: str,
    serial: str,
    ended_at: datetime,
    panel: str = "COV2",
    code: str = "SARSCOV2",
    error: str | None = None,
) -> list[str]:
    """One cartridge, one main result: see `instruments.drivers.genexpert`. `specimens` of a pool
    are several. Target `SPC` is the internal control."""
    start, end = _stamp(ended_at - RUN), _stamp(ended_at)
    sender = ("GeneXpert PC", "GeneXpert", "6.5")
    cartridge = (f"{serial}-PC", serial, "625015", end[4:], "00500", "20301231")
    main = ("", panel, "", code, "Xpress SARS-CoV-2", "1", "SARS-CoV-2", "")
    order = ("O", 1, ",".join(specimens), "", ("", "", "", panel), "R", start)
    head = ("H", "", f"GXM-{end}", "", sender, "", "", "", "", "LIS", "", "P", "1394-97", end)
    told = ("R", 1, main, (call, ""), "", "", "", "", "F", "", "", start, end, cartridge)
    records: list[Sequence[object]] = [
        head,
        ("P", 1),
        (*order, *[""] * 8, "ORH", *[""] * 9, "F"),
        told,
    ]
    if error:
        records.append(_error(error))
    positive = any(ct is not None for name, ct in targets.items() if name != "SPC")
    number = 2
    for name, ct in targets.items():
        analyte = ("", panel, "", code, "", "", name)
        records.append(("R", number, (*analyte, ""), (_word(name, ct, positive), "")))
        records.append(("R", number + 1, (*analyte, "Ct"), ("", f"{ct or 0.0:.1f}")))
        number += 2
    records.append(("L", 1, "N"))
    return _printed(records, CEPHEID)


def m2000_message(
    specimen: str,
    *,
    plate: str,
    well: str,
    ct_cycles: float | None,
    serial: str,
    ended_at: datetime,
    assay: str = "SARS2",
    error: str | None = None,
) -> list[str]:
    """One order: see `instruments.drivers.m2000`."""
    end = _stamp(ended_at)
    head = ("H", "", "", "", ("m2000", "8.1.9.0", serial, "H1P1O1R1C1L1"), *[""] * 6, "P", "1", end)
    place = (specimen, plate, f"{well[0]}{int(well[1:])}")
    test = ("", "", "", assay, assay)
    order = ("O", 1, specimen, place, test, *[""] * 20, "X" if error else "F")
    records: list[Sequence[object]] = [head, ("P", 1), order]
    if error:
        records.append(("C", 1, "I", error.replace(" ", " : ", 1), "I"))
    else:
        found = ct_cycles is not None
        for number, (suffix, value, unit) in enumerate(
            (
                ("F", "Positive" if found else "Not detected", ""),
                ("I", "Detected" if found else "Target not detected", ""),
                ("P", "-1.00" if ct_cycles is None else f"{ct_cycles:.2f}", "cycle number"),
            ),
            start=1,
        ):
            named = (*test, "395139", "10004558", "", suffix)
            told = ("R", number, named, value, unit, "", "", "", "F", "", "admin", "", end, serial)
            records.append(told)
    records.append(("L", 1))
    return _printed(records, USUAL)


def _word(target: str, ct: float | None, positive: bool) -> str:
    if target == "SPC":
        return "NA" if positive else ("PASS" if ct is not None else "FAIL")
    return "NEG" if ct is None else "POS"


def _error(error: str) -> tuple[object, ...]:
    code, _space, text = error.partition(" ")
    return ("C", 1, "I", ("Error", code, text), "N")


def _printed(records: Sequence[Sequence[object]], marks: Delimiters) -> list[str]:
    return [write(record, marks).decode("utf-8").removesuffix("\r") for record in records]


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")
