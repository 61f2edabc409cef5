"""An analyser on a real pseudo-terminal, that misbehaves on request.

    python -m instruments.simulator --driver plate --serial C1000 --pty-link /run/cycler

reads one JSON object a line on standard input, each a message to send:

    {"plate": "PL7", "wells": [{"well": "A01", "specimen": "…", "role": "specimen",
                                "targets": {"ORF1ab": 23.7, "N": null, "IC": 27.1}}]}
    {"specimen": "…", "call": "NEGATIVE", "targets": {"E": null, "SPC": 29.3}}
    {"specimen": "…", "run": "PL7", "well": "A01", "ct": 21.4}                     (m2000)

and prints `{"sent": "PL7", "frames": 42}` when the message was acknowledged to its end. Like an
instrument with a result memory it does not forget before that: it sends the message again, whole
and in a new session, each time the line breaks or is silent.
"""

import json
import os
import select
import signal
import sys
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from instruments.analyser_messages import (
    Well,
    encoded,
    genexpert_message,
    m2000_message,
    plate_message,
)
from instruments.astm.frames import Control
from instruments.astm.sender import REPLY_TIMEOUT_S
from instruments.drivers.plate import SENDERS
from instruments.measurement import Role
from instruments.misbehaviour import Analyser, Fault, Order

CLOCK_JUMP = timedelta(days=-3653)  # a clock whose battery is dead

__all__ = ["genexpert_message", "plate_message"]


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


def deliver(analyser: Analyser, order: Order, line: Terminal) -> int:
    """The number of frames of the session in which the message was acknowledged to its end. An
    analyser told to be killed takes this whole process with it."""
    _say(line, analyser.send(order, time.monotonic()))
    while analyser.acknowledged is None:
        heard = line.read(0.05)
        now_s = time.monotonic()
        out = analyser.hear(heard, now_s) if heard else analyser.tick(now_s)
        _say(line, out)
        if analyser.dead:
            os.kill(os.getpid(), signal.SIGKILL)
    return analyser.acknowledged


def _say(line: Terminal, out: Sequence[bytes]) -> None:
    for data in out:
        if data == bytes([Control.ENQ]):
            line.drain()
        line.write(data)


def order_of(
    asked: Mapping[str, Any], *, serial: str, ended_at: datetime, driver: str = "genexpert"
) -> Order:
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
    if driver == "m2000":
        printed = m2000_message(
            asked["specimen"],
            plate=asked["run"],
            well=asked["well"],
            ct_cycles=asked.get("ct"),
            serial=serial,
            ended_at=ended_at,
            error=asked.get("error"),
        )
        return Order(asked["specimen"], tuple(encoded(printed)), packed=False)
    printed = genexpert_message(
        asked["specimen"].split(","),
        asked.get("targets", {}),
        call=asked["call"],
        serial=serial,
        ended_at=ended_at,
        error=asked.get("error"),
    )
    return Order(asked["specimen"], tuple(encoded(printed)), packed=True)


def orders(
    lines: Iterator[str], driver: str, serial: str, *, jump: timedelta = timedelta()
) -> Iterator[Order]:
    """The messages asked for on standard input; a line that is none is reported and passed over.
    `jump`: how far the analyser's clock is off."""
    for line in filter(str.strip, lines):
        try:
            asked = json.loads(line)
            if ("plate" in asked) != (driver in SENDERS):
                raise ValueError(f"this is no message of a {driver}")
            ended_at = datetime.now().astimezone() + jump
            yield order_of(asked, serial=serial, ended_at=ended_at, driver=driver)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            click.echo(f"not sent: {type(error).__name__} {error}", err=True)


@click.command()
@click.option("--driver", type=click.Choice([*SENDERS, "genexpert", "m2000"]), required=True)
@click.option("--serial", required=True, help="the instrument's serial number")
@click.option("--pty-link", type=click.Path(path_type=Path), required=True)
@click.option("--baud", default=0, help="pace of the line; 0 as fast as it goes")
@click.option("--reply-timeout", default=REPLY_TIMEOUT_S, show_default=True, help="seconds")
@click.option(
    "--misbehave",
    "--fault",
    type=click.Choice([fault.value for fault in Fault]),
    multiple=True,
    help="what goes wrong; each as often as it is given",
)
@click.option("--seed", default=0, show_default=True, help="where in a frame, and how")
@click.option("--chance", default=1.0, help="of a fault at each point where it can happen")
@click.option("--drop-after", default=5, show_default=True, help="frames before it falls silent")
def main(
    *,
    driver: str,
    serial: str,
    pty_link: Path,
    baud: int,
    reply_timeout: float,
    misbehave: tuple[str, ...],
    seed: int,
    chance: float,
    drop_after: int,
) -> None:
    """Play an analyser on a pseudo-terminal; messages to send come on standard input."""
    faults = [Fault(kind) for kind in misbehave]
    line = Terminal(pty_link, baud)
    analyser = Analyser(
        faults,
        seed=seed,
        chance=chance,
        reply_timeout_s=reply_timeout,
        drop_after=drop_after,
    )
    jump = CLOCK_JUMP if Fault.CLOCK_JUMP in faults else timedelta()
    for order in orders(sys.stdin, driver, serial, jump=jump):
        frames = deliver(analyser, order, line)
        click.echo(json.dumps({"sent": order.name, "frames": frames}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
