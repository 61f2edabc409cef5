"""`lims-gateway try PROFILE CAPTURE`: what a capture would yield, field by field, before anyone
trusts it. Nothing is kept and nothing is sent.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from instruments.astm import records
from instruments.astm.frames import Control, Keep, Kind, Receiver
from instruments.astm.session import Assembly
from instruments.drivers import DRIVERS, Driver, Format, Unreadable
from instruments.drivers.exports import FILE_DRIVERS
from instruments.drivers.plate_file import OMITTED, PlateFile, ReadRow, WellRow, read_well_row
from instruments.drivers.profile_driver import driver_from
from instruments.drivers.profile_toml import BadProfile
from instruments.drivers.words import Standard, plain
from instruments.files.export import Export
from instruments.files.numbers import Decimal
from instruments.hl7 import message as hl7
from instruments.hl7 import mllp
from instruments.measurement import Measurement, Quarantine, measurement_to_json
from instruments.poct import conversation
from instruments.poct import message as poct1

NOTHING = "no amplification"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one row or record: what stands there, and what it is taken for. `refused`: why
    it is not taken."""

    where: str
    field: str
    raw: str
    meaning: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a capture would yield. With a `quarantine`, nothing."""

    driver: str
    fields: tuple[Field, ...]
    measurements: tuple[Measurement, ...]
    quarantine: Quarantine | None

    @property
    def refused(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.refused)


def tried(driver: Driver[Any], content: bytes, name: str) -> tuple[Trial, ...]:
    """One trial for a file, one for each message of a session. Pure."""
    if driver.format is Format.FILE:
        return (_trial(driver, Export(content, name)),)
    if driver.format is Format.ASTM:
        return tuple(_trial(driver, records.read(text)) for text in _texts(content))
    if driver.format is Format.POCT1:
        return tuple(_poct1_trial(driver, text) for text in conversation.messages_in(content))
    return tuple(_hl7_trial(driver, text) for text in mllp.messages_in(content))


def _trial(driver: Driver[Any], message: object) -> Trial:
    fields: tuple[Field, ...] = ()
    try:
        plate = getattr(driver, "plate", None)
        if plate is not None:
            fields = tuple(_plate_fields(plate(message)))
        measurements = driver.measurements(message)
    except Unreadable as why:
        return Trial(driver.name, fields, (), Quarantine(why.reason, why.detail))
    return Trial(driver.name, fields or tuple(_told(measurements)), measurements, None)


def _poct1_trial(driver: Driver[Any], text: bytes) -> Trial:
    try:
        message = poct1.read(text)
    except poct1.NotPoct1 as why:
        return Trial(driver.name, (), (), Quarantine(why.reason, why.detail))
    return _trial(driver, message)


def _hl7_trial(driver: Driver[Any], text: bytes) -> Trial:
    try:
        message = hl7.read(text)
    except hl7.NotHl7 as why:
        return Trial(driver.name, (), (), Quarantine(why.reason, why.detail))
    return _trial(driver, message)


def _plate_fields(plate: PlateFile) -> Iterator[Field]:
    if plate.run is not None:
        yield Field(plate.run_from, "run", plate.run, plate.run)
    try:
        mark = plate.decimal()
    except Unreadable as why:
        yield Field("the whole file", "decimal", "", "", f"{why.reason}: {why.detail}")
        return
    for row in plate.rows:
        yield from _row_fields(row, plate, mark)


def _row_fields(row: WellRow, plate: PlateFile, mark: Decimal) -> Iterator[Field]:
    try:
        read, refused = read_well_row(row, plate.rules, mark), None
    except Unreadable as why:
        read, refused = None, f"{why.reason}: {why.detail}"
    if row.run:
        yield Field(row.where, "run", row.run, row.run)
    if row.well:
        yield Field(row.where, "well", row.written, row.well)
    yield Field(row.where, "specimen", row.specimen, _who(row, plate))
    task_refused = refused if refused and refused.startswith("unknown-task") else None
    yield Field(row.where, "task", row.task, _role(read), task_refused)
    yield Field(row.where, "target", row.target, read.target.target if read else "")
    yield Field(row.where, "ct", row.ct, _cycles(read), None if task_refused else refused)
    if row.call:
        yield Field(row.where, "call", row.call, (read.target.call or "") if read else "")


def _who(row: WellRow, plate: PlateFile) -> str:
    control = plate.rules.control_names.get(plain(row.specimen))
    return f"{control}, by its name" if control else row.specimen or "none"


def _role(read: ReadRow | None) -> str:
    if read is None:
        return ""
    if read.role is None:
        return "says nothing of the well"
    return "left out: a standard" if isinstance(read.role, Standard) else str(read.role)


def _cycles(read: ReadRow | None) -> str:
    if read is None:
        return ""
    if read.error:
        return f"invalid: {read.error}" if read.error != OMITTED else OMITTED
    ct = read.target.ct_cycles
    return NOTHING if ct is None else f"{ct:g} cycles"


def _told(measurements: tuple[Measurement, ...]) -> Iterator[Field]:
    """Of a driver that cannot show its rows: the measurements themselves."""
    for m in measurements:
        yield Field(m.path, "specimen", ", ".join(m.specimens), str(m.role))
        yield Field(m.path, "assay", m.assay, m.call or "")
        for target in m.targets:
            ct = NOTHING if target.ct_cycles is None else f"{target.ct_cycles:g} cycles"
            yield Field(m.path, target.target, target.call or "", ct)


def _texts(content: bytes) -> list[bytes]:
    """A session's messages, or the bare records."""
    if bytes([Control.ENQ]) not in content:
        return [content]
    receiver, assembly = Receiver(), Assembly()
    texts: list[bytes] = []
    for action in receiver.feed(content, 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            if action.kind is Kind.FRAME:
                texts += [received.text for received in assembly.frame(action.data)]
            elif action.kind is Kind.END:
                texts += [received.text for received in assembly.end()]
    return texts


@click.command(name="try")
@click.argument("profile")
@click.argument("capture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rows", default=12, show_default=True, help="rows shown of each capture; 0: all")
@click.option("--json", "as_json", is_flag=True, help="one JSON object for each message")
def try_capture(*, profile: str, capture: Path, rows: int, as_json: bool) -> None:
    """Show what CAPTURE would yield under PROFILE, a file or the name of a driver.

    Exit 1 when something is refused.
    """
    driver = _driver(profile)
    try:
        trials = tried(driver, capture.read_bytes(), capture.name)
    except Unreadable as why:
        raise click.ClickException(str(why)) from why
    if not trials:
        raise click.ClickException("there is no message in the capture")
    for trial in trials:
        if as_json:
            click.echo(json.dumps(_as_json(trial), ensure_ascii=False))
        else:
            _show(trial, rows)
    if any(trial.quarantine for trial in trials):
        raise click.exceptions.Exit(1)


def _driver(profile: str) -> Driver[Any]:
    known: dict[str, Driver[Any]] = {**DRIVERS, **FILE_DRIVERS}
    if profile in known:
        return known[profile]
    try:
        return driver_from(Path(profile))
    except BadProfile as bad:
        told = "\n".join(f"  {fault}" for fault in bad.faults)
        raise click.ClickException(f"{profile} is no profile:\n{told}") from bad
    except OSError as error:
        told = f"{profile}: {error.strerror}; drivers are {', '.join(sorted(known))}"
        raise click.BadParameter(told, param_hint="PROFILE") from error


def _as_json(trial: Trial) -> dict[str, Any]:
    return {
        "driver": trial.driver,
        "fields": [asdict(each) for each in trial.fields],
        "measurements": [measurement_to_json(m) for m in trial.measurements],
        "quarantine": asdict(trial.quarantine) if trial.quarantine else None,
    }


def _show(trial: Trial, rows: int) -> None:
    console = Console()
    if trial.fields:
        console.print(_fields_table(trial, rows))
    if trial.quarantine:
        why = Text(f"Refused whole: {trial.quarantine.reason}\n", style="bold red")
        console.print(why.append(trial.quarantine.detail, style="not bold"))
        return
    found = trial.measurements
    wells = sum(1 for m in found if m.well)
    runs = ", ".join(sorted({m.run for m in found if m.run})) or "none"
    console.print(f"{len(found)} measurements, {wells} in wells, plate {runs}")
    roles = {role: sum(m.role == role for m in found) for role in {m.role for m in found}}
    console.print("  ".join(f"{role} {count}" for role, count in sorted(roles.items())))
    for m in found:
        if m.error:
            console.print(Text(f"{m.path}: invalid: {m.error}", style="yellow"))


def _fields_table(trial: Trial, rows: int) -> Table:
    """The first rows, and every field that is refused."""
    table = Table("row or record", "field", "raw text", "meaning", title=trial.driver)
    shown = list(dict.fromkeys(each.where for each in trial.fields))
    left_out = set(shown[rows + 1 :]) if rows else set()
    before = None
    for each in trial.fields:
        if each.where in left_out and not each.refused:
            continue
        if before is not None and each.where != before:
            table.add_section()
        where = Text("" if each.where == before else each.where)
        meaning = Text(each.meaning, style="dim" if each.meaning == NOTHING else "")
        refused = Text(f"refused: {each.refused}", style="bold red")
        raw = Text(repr(each.raw)[1:-1] if each.raw else "(empty)", style="" if each.raw else "dim")
        table.add_row(where, Text(each.field), raw, refused if each.refused else meaning)
        before = each.where
    if left_out:
        table.caption = f"{len(left_out)} more rows; --rows 0 shows all"
    return table
