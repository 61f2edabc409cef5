"""How a machine's program writes its export into a folder, and how that goes wrong: steps in order,
which whoever drives them does on a disk, with a clock of their own.

A program opens the file under its final name and writes it in pieces; whoever watches the folder
sees it grow. After a kill it writes the whole file anew.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from instruments.simulated.machines import ExportFile

PIECES: Final = 4
PIECE_S: Final = 0.05  # between two pieces of a program that is in no trouble
PAUSE_S: Final = 15.0  # longer than the 10 s after which a gateway takes a file that is quiet


class FileFault(StrEnum):
    """What can go wrong; each once for each file."""

    GROWS_SLOWLY = "grows-slowly"  # pieces with pauses, each shorter than the gateway waits
    CUT_SHORT = "cut-short"  # quiet in mid-file for longer than that, then the rest
    EMPTY_FIRST = "empty-first"  # created, and empty for long
    RENAMED = "renamed"  # under a name of its own, given its final name when it is whole
    DUPLICATE = "duplicate"  # the same bytes again under another name
    CLOCK_JUMP = "clock-jump"  # its clock is years off; see `playing.CLOCK_JUMP`
    KILLED = "killed"  # kill -9 of the machine's computer in mid-file


@dataclass(frozen=True, slots=True)
class Write:
    """`fresh`: whatever the file held is gone."""

    name: str
    data: bytes
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Die:
    """Nothing comes after it."""


Step = Write | Wait | Rename | Die


def steps(
    export: ExportFile,
    faults: Collection[FileFault],
    rng: random.Random,
    *,
    pause_s: float = PAUSE_S,
) -> Iterator[Step]:
    """`pause_s`: longer than the gateway waits."""
    content, name = export.content, export.file_name
    written = f"~{name}.tmp" if FileFault.RENAMED in faults else name
    at = rng.randint(1, len(content) - 1)
    if FileFault.EMPTY_FIRST in faults:
        yield Write(written, b"", fresh=True)
        yield Wait(pause_s)
    if FileFault.KILLED in faults:
        yield Write(written, content[:at], fresh=True)
        yield Die()
        return
    if FileFault.CUT_SHORT in faults:
        yield Write(written, content[:at], fresh=True)
        yield Wait(pause_s)
        yield Write(written, content[at:])
    else:
        slow = FileFault.GROWS_SLOWLY in faults
        yield from _pieces(written, content, pause_s / 4 if slow else PIECE_S)
    if written != name:
        yield Rename(written, name)
    if FileFault.DUPLICATE in faults:
        again = PurePath(name)
        yield Wait(pause_s)
        yield Write(f"{again.stem} (2){again.suffix}", content, fresh=True)


def write(
    export: ExportFile,
    folder: Path,
    faults: Collection[FileFault],
    rng: random.Random,
    *,
    pause_s: float = PAUSE_S,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Raises OSError."""
    for step in steps(export, faults, rng, pause_s=pause_s):
        match step:
            case Write(name, data, fresh):
                with (folder / name).open("wb" if fresh else "ab") as file:
                    file.write(data)
            case Wait(seconds):
                wait(seconds)
            case Rename(old, new):
                (folder / old).replace(folder / new)
            case Die():
                os.kill(os.getpid(), signal.SIGKILL)


def _pieces(name: str, content: bytes, gap_s: float) -> Iterator[Step]:
    longest = -(-len(content) // PIECES)
    for at in range(0, len(content), longest):
        if at:
            yield Wait(gap_s)
        yield Write(name, content[at : at + longest], fresh=at == 0)
