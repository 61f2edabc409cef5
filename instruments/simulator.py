"""An analyser on a real pseudo-terminal, that misbehaves on request.

    python -m instruments.simulator --driver plate --serial C1000 --pty-link /run/cycler

reads one JSON object a line on standard input, each a message to send:

    {"plate": "PL7", "wells": [{"well": "A01", "specimen": "…", "role": "specimen",
                                "targets": {"ORF1ab": 23.7, "N": null, "IC": 27.1}}]}
    {"specimen": "…", "call": "NEGATIVE", "targets": {"E": null, "SPC": 29.3}}

and prints `{"sent": "PL7", "frames": 42}` when the message was acknowledged to its end. Like an
instrument with a result memory it does not forget before that: it sends the message again, whole
and in a new session, each time the line breaks or is silent.
"""

import itertools
import json
import os
import select
import sys
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from instruments.analyser_messages import (
    Well,
    encoded,
    genexpert_message,
    plate_message,
    unsaved_tail,
)
from instruments.astm.sender import (
    REPLY_TIMEOUT_S,
    Action,
    Finished,
    GaveUp,
    Send,
    Sender,
    cut,
)
from instruments.drivers.plate import SENDERS
from instruments.measurement import Role

__all__ = ["genexpert_message", "plate_message"]


class Misbehaviour(StrEnum):
    """Each happens once, in the first session it can."""

    BAD_CHECKSUM = "bad-checksum"
    LOST_ACK = "lost-ack"  # hears no ACK, sends the frame again
    DROP_AND_RESUME = "drop-and-resume"  # falls silent, then sends only the unsaved tail
    DROP_AND_REPEAT = "drop-and-repeat"  # falls silent, then sends the whole message
    NOISE = "noise"  # bytes between frames
    DUPLICATE = "duplicate"  # the whole message twice


@dataclass(frozen=True, slots=True)
class Order:
    """A message to send. `packed`: its records run on through the frames (GeneXpert); otherwise
    each record begins a frame."""

    name: str
    records: tuple[bytes, ...]
    packed: bool

    def frames(self, records: Sequence[bytes]) -> list[bytes]:
        return cut([b"".join(records)] if self.packed else records)

    def tail(self, records: Sequence[bytes], acknowledged: int) -> Sequence[bytes]:
        """What a sender that heard `acknowledged` frames accepted may leave out is left out."""
        if self.packed:
            return self.records
        ends = itertools.accumulate(len(cut([record])) for record in records)
        return unsaved_tail(records, sum(end <= acknowledged for end in ends))


class Terminal:
    """The master side of a pseudo-terminal. The slave stays open here too, so that a gateway may
    go and come without the line hanging up."""

    def __init__(self, name: Path, baud: int) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._seconds_a_byte = 10 / baud if baud else 0.0  # start, 8 data, stop (LIS1-A 5.2)
        draft = name.with_name(f".{name.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.ttyname(self._slave))
        draft.replace(name)

    def write(self, data: bytes) -> None:
        """What nobody reads is lost, as on a wire."""
        view = memoryview(data)
        while view and select.select([], [self._master], [], 1.0)[1]:
            view = view[os.write(self._master, view) :]
        time.sleep(len(data) * self._seconds_a_byte)

    def read(self, wait_s: float) -> bytes:
        if not select.select([self._master], [], [], wait_s)[0]:
            return b""
        return os.read(self._master, 4096)

    def drain(self) -> None:
        """Forget replies to an earlier session."""
        while self.read(0):
            pass


@dataclass(slots=True)
class Analyser:
    """Sends one message after another and holds each until it was acknowledged."""

    line: Terminal
    reply_timeout_s: float
    misbehave: set[Misbehaviour] = field(default_factory=set)
    drop_after: int = 5

    def send(self, order: Order) -> int:
        """The number of frames of the session that was acknowledged to its end."""
        records: Sequence[bytes] = order.records
        while True:
            frames = order.frames(records)
            ending = self._session(frames)
            if isinstance(ending, Finished):
                if self._now(Misbehaviour.DUPLICATE):
                    continue
                return ending.frames
            records = order.records
            if ending.acknowledged and self._now(Misbehaviour.DROP_AND_RESUME):
                records = order.tail(order.records, ending.acknowledged)
            time.sleep(self.reply_timeout_s / 2)  # a late reply must not be taken for a new one

    def _session(self, frames: Sequence[bytes]) -> Finished | GaveUp:
        sender = Sender(frames, reply_timeout_s=self.reply_timeout_s, busy_wait_s=self._busy_s())
        self.line.drain()
        ending = self._do(sender.begin(time.monotonic()), sender)
        while ending is None:
            heard = self.line.read(0.05)
            if heard and self._hears_nothing(sender):
                heard = b""
                ending = self._do([Send(frames[sender.acknowledged])], sender)
            now_s = time.monotonic()
            actions = sender.hear(heard, now_s) if heard else sender.tick(now_s)
            ending = self._do(actions, sender) or ending
            ending = ending or self._dropped(sender)
        return ending

    def _do(self, actions: Sequence[Action], sender: Sender) -> Finished | GaveUp | None:
        for action in actions:
            match action:
                case Send(data):
                    self._write(data, in_session=len(data) > 1, at=sender.acknowledged)
                case Finished() | GaveUp():
                    return action
        return None

    def _write(self, data: bytes, *, in_session: bool, at: int) -> None:
        if in_session and at > 0 and self._now(Misbehaviour.NOISE):
            self.line.write(b"\x00\xff\r\n~\x7f")
        if in_session and at > 0 and self._now(Misbehaviour.BAD_CHECKSUM):
            data = data[:2] + bytes([data[2] ^ 0x01]) + data[3:]
        self.line.write(data)

    def _hears_nothing(self, sender: Sender) -> bool:
        return sender.acknowledged > 1 and not sender.over and self._now(Misbehaviour.LOST_ACK)

    def _dropped(self, sender: Sender) -> GaveUp | None:
        """Silence in mid-session; which of the two follows is decided in `send`."""
        if sender.over or sender.acknowledged < self.drop_after:
            return None
        if Misbehaviour.DROP_AND_RESUME in self.misbehave or self._now(
            Misbehaviour.DROP_AND_REPEAT
        ):
            return sender.break_off()
        return None

    def _now(self, kind: Misbehaviour) -> bool:
        """Once only."""
        if kind not in self.misbehave:
            return False
        self.misbehave.discard(kind)
        return True

    def _busy_s(self) -> float:
        return min(10.0, self.reply_timeout_s)


def order_of(asked: Mapping[str, Any], *, serial: str, ended_at: datetime) -> Order:
    """Raises KeyError, TypeError or ValueError for what is no message to send."""
    if "plate" in asked:
        wells = [
            Well(
                well=well["well"],
                specimen=well.get("specimen", ""),
                role=Role(well.get("role", "specimen")),
                targets=well.get("targets", {}),
                error=well.get("error"),
            )
            for well in asked["wells"]
        ]
        printed = plate_message(asked["plate"], wells, serial=serial, ended_at=ended_at)
        return Order(asked["plate"], tuple(encoded(printed)), packed=False)
    printed = genexpert_message(
        asked["specimen"].split(","),
        asked.get("targets", {}),
        call=asked["call"],
        serial=serial,
        ended_at=ended_at,
        error=asked.get("error"),
    )
    return Order(asked["specimen"], tuple(encoded(printed)), packed=True)


def orders(lines: Iterator[str], driver: str, serial: str) -> Iterator[Order]:
    """The messages asked for on standard input; a line that is none is reported and passed over."""
    for line in filter(str.strip, lines):
        try:
            asked = json.loads(line)
            if ("plate" in asked) != (driver in SENDERS):
                raise ValueError(f"this is no message of a {driver}")
            yield order_of(asked, serial=serial, ended_at=datetime.now().astimezone())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            click.echo(f"not sent: {type(error).__name__} {error}", err=True)


@click.command()
@click.option("--driver", type=click.Choice([*SENDERS, "genexpert"]), required=True)
@click.option("--serial", required=True, help="the instrument's serial number")
@click.option("--pty-link", type=click.Path(path_type=Path), required=True)
@click.option("--baud", default=0, help="pace of the line; 0 as fast as it goes")
@click.option("--reply-timeout", default=REPLY_TIMEOUT_S, show_default=True, help="seconds")
@click.option(
    "--misbehave", type=click.Choice([kind.value for kind in Misbehaviour]), multiple=True
)
@click.option("--drop-after", default=5, show_default=True, help="frames before it falls silent")
def main(
    *,
    driver: str,
    serial: str,
    pty_link: Path,
    baud: int,
    reply_timeout: float,
    misbehave: tuple[str, ...],
    drop_after: int,
) -> None:
    """Play an analyser on a pseudo-terminal; messages to send come on standard input."""
    analyser = Analyser(
        Terminal(pty_link, baud),
        reply_timeout,
        {Misbehaviour(kind) for kind in misbehave},
        drop_after,
    )
    for order in orders(sys.stdin, driver, serial):
        frames = analyser.send(order)
        click.echo(json.dumps({"sent": order.name, "frames": frames}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
