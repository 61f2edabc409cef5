"""A machine at work: what it was told goes over its line, or into its folder, until it is gone.

Like an instrument with a memory of results it forgets nothing before it was acknowledged to its
end: it sends it again each time the line breaks or is silent.
"""

import os
import random
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from instruments.astm.frames import Control
from instruments.astm.sender import REPLY_TIMEOUT_S
from instruments.drivers.reading import Format
from instruments.misbehaviour import Analyser, Fault, Order
from instruments.simulated.folder import PAUSE_S, FileFault, write
from instruments.simulated.lines import Line, NoLink, Waiting, line_at
from instruments.simulated.machines import MACHINES, Block, ExportFile, Machine, Task
from instruments.simulated.mllp import MllpFault, MllpMachine
from instruments.simulated.poct1 import Observed, Poct1Fault, Poct1Machine
from instruments.simulated.said import Said

CLOCK_JUMP: Final = timedelta(days=-3653)  # a clock whose battery is dead
POLL_S: Final = 0.05
DROP_AFTER: Final = 5
FAULTS: Final[Mapping[Format, type[StrEnum]]] = {
    Format.ASTM: Fault,
    Format.HL7: MllpFault,
    Format.POCT1: Poct1Fault,
    Format.FILE: FileFault,
}
_SPEAKS: Final = {
    Format.ASTM: "speaks ASTM over a line",
    Format.HL7: "speaks HL7 over a line",
    Format.POCT1: "speaks POCT1-A2 over a line",
    Format.FILE: "writes files",
}

T_contra = TypeVar("T_contra", contravariant=True)


class CannotPlay(ValueError):
    """This driver's machine has no such fault or link. Says what it has."""


class Speaker(Protocol[T_contra]):
    """`acknowledged`: how many frames or blocks it took; None while the message is owed."""

    @property
    def dead(self) -> bool: ...

    @property
    def hung_up(self) -> bool: ...

    @property
    def acknowledged(self) -> int | None: ...

    def send(self, task: T_contra, now_s: float, /) -> list[bytes]: ...

    def hear(self, data: bytes, now_s: float) -> list[bytes]: ...

    def tick(self, now_s: float) -> list[bytes]: ...


@dataclass(frozen=True, slots=True)
class Playing:
    """How a driver's machine is played. `baud` None: as fast as it goes, or a real port's usual
    pace. `pause_s`: how long a file lies quiet before a fault is mended."""

    driver: str
    link: str
    serial: str
    faults: Sequence[str] = ()
    seed: int = 0
    chance: float = 1.0
    baud: int | None = None
    reply_timeout_s: float = REPLY_TIMEOUT_S
    drop_after: int = DROP_AFTER
    pause_s: float = PAUSE_S

    @property
    def machine(self) -> Machine:
        return MACHINES[self.driver]

    def tasks(self, told: Said) -> Sequence[Task]:
        """Raises ValueError, as a sentence, for what the machine has no place for."""
        return self.machine.says(told, self.serial, self.clock())

    def clock(self) -> datetime:
        """The machine's own."""
        jump = CLOCK_JUMP if Fault.CLOCK_JUMP.value in self.faults else timedelta()
        return datetime.now().astimezone() + jump

    def player(self, waiting: Waiting) -> "LinePlayer | FolderPlayer":
        """Raises CannotPlay, OSError."""
        has = [fault.value for fault in FAULTS[self.machine.format]]
        if lacking := [kind for kind in self.faults if kind not in has]:
            raise CannotPlay(f"{self._speaks}: no {', '.join(lacking)}; it has {', '.join(has)}")
        is_folder = Path(self.link).is_dir()
        if self.machine.format is not Format.FILE:
            if is_folder:
                raise CannotPlay(f"{self._speaks}, and {self.link} is a folder")
            return LinePlayer(self, self.line(waiting))
        if not is_folder:
            raise CannotPlay(f"{self._speaks}: --link is a folder that exists, not {self.link}")
        return FolderPlayer(self, Path(self.link))

    def line(self, waiting: Waiting) -> Line:
        """Raises CannotPlay, OSError."""
        try:
            return line_at(self.link, self.baud, waiting)
        except NoLink as error:
            raise CannotPlay(str(error)) from error

    @property
    def _speaks(self) -> str:
        return f"{self.driver} {_SPEAKS[self.machine.format]}"


def deliver(speaker: Speaker[T_contra], task: T_contra, line: Line) -> int:
    """What it took. A machine told to be killed takes this whole process with it."""
    out = speaker.send(task, time.monotonic())
    while True:
        _say(line, out)
        if speaker.hung_up:
            line.hang_up()
        if speaker.dead:
            os.kill(os.getpid(), signal.SIGKILL)
        if speaker.acknowledged is not None:
            return speaker.acknowledged
        heard = line.read(POLL_S)
        now_s = time.monotonic()
        out = speaker.hear(heard, now_s) if heard else speaker.tick(now_s)


def _say(line: Line, out: Iterable[bytes]) -> None:
    for data in out:
        if data == bytes([Control.ENQ]):
            line.drain()
        line.write(data)


class LinePlayer:
    """One machine on one line; faults that were played are over."""

    def __init__(self, playing: Playing, line: Line) -> None:
        self.line = line
        self._analyser = Analyser(
            _of(Fault, playing),
            seed=playing.seed,
            chance=playing.chance,
            reply_timeout_s=playing.reply_timeout_s,
            drop_after=playing.drop_after,
        )
        self._mllp = MllpMachine(
            _of(MllpFault, playing),
            seed=playing.seed,
            chance=playing.chance,
            reply_timeout_s=playing.reply_timeout_s,
            hangs_up=playing.machine.hangs_up,
        )
        self._reader = Poct1Machine(
            _of(Poct1Fault, playing),
            seed=playing.seed,
            chance=playing.chance,
            reply_timeout_s=playing.reply_timeout_s,
            now=playing.clock,
        )

    def play(self, task: Task) -> dict[str, Any]:
        """What became of it. Raises CannotPlay."""
        match task:
            case Order():
                return {"sent": task.name, "frames": deliver(self._analyser, task, self.line)}
            case Block():
                return {"sent": task.name, "attempts": deliver(self._mllp, task, self.line)}
            case Observed():
                return {"sent": task.name, "attempts": deliver(self._reader, task, self.line)}
        raise CannotPlay("a file is written into a folder")


class FolderPlayer:
    """One machine that writes into one folder; each file has each fault."""

    def __init__(self, playing: Playing, folder: Path) -> None:
        self._playing = playing
        self._folder = folder
        self._rng = random.Random(playing.seed)  # noqa: S311 - a story to be told again, no secret

    def play(self, task: Task) -> dict[str, Any]:
        """What became of it. Raises CannotPlay, OSError."""
        if not isinstance(task, ExportFile):
            raise CannotPlay("a message goes over a line")
        chance, rng = self._playing.chance, self._rng
        faults = {fault for fault in _of(FileFault, self._playing) if rng.random() < chance}
        write(task, self._folder, faults, rng, pause_s=self._playing.pause_s)
        return {"sent": task.name, "file": task.file_name}


F = TypeVar("F", bound=StrEnum)


def _of(kinds: type[F], playing: Playing) -> list[F]:
    """The faults asked for, as this kind of machine has them."""
    return [fault for asked in playing.faults for fault in kinds if fault.value == asked]
