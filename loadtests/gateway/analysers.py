"""Analysers on pseudo-terminals of this process, flat out, all driven by one thread."""

import os
import random
import select
import time
import tty
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from instruments.analyser_messages import encoded, genexpert_message
from instruments.misbehaviour import Analyser, Order
from loadtests.gateway.stand import LineLink

REPLY_TIMEOUT_S: Final = 0.4  # an impatient one: it asks again soon after the gateway was killed
_LOOK_EVERY_S: Final = 0.02
_LONGEST_READ: Final = 4096
_BEGAN: Final = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)


@dataclass
class Bedside:
    """One analyser with a memory of results: it forgets a message when the last of it was
    acknowledged. `link` is a name beside the terminal that moves when it is plugged in anew."""

    name: str
    link: Path
    seed: int
    orders: int = 10**9  # it has so many messages to send
    acknowledged: dict[str, float] = field(default_factory=dict)  # specimen, its cycle number
    sent: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._analyser = Analyser(reply_timeout_s=REPLY_TIMEOUT_S, seed=self.seed)
        self._specimen = ""
        self._ends: tuple[int, int] | None = None
        self.plug_in()

    @property
    def as_line(self) -> LineLink:
        return LineLink(self.name, "genexpert", str(self.link))

    @property
    def over(self) -> bool:
        return len(self.acknowledged) >= self.orders

    @property
    def master(self) -> int:
        return self._ends[0] if self._ends else -1

    def plug_in(self) -> None:
        """A new terminal under the old name. We hold its other end open too, so that a gateway
        may come and go without the line hanging up."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        draft = self.link.with_name(f".{self.link.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.ttyname(slave))
        draft.replace(self.link)

    def unplug(self) -> None:
        self.link.unlink(missing_ok=True)
        if self._ends:
            for end in self._ends:
                os.close(end)
        self._ends = None

    def begin(self) -> None:
        """The next message."""
        number = len(self.sent)
        self._specimen, ct = f"{self.name}-{number:06d}", round(self._rng.uniform(15, 38), 1)
        self.sent[self._specimen] = ct
        told = genexpert_message(
            [self._specimen],
            {"E": ct, "N2": None, "RdRP": None, "S": ct, "SPC": 29.3},
            call="POSITIVE",
            serial=self.name,
            ended_at=_BEGAN + timedelta(seconds=number),
        )
        order = Order(self._specimen, tuple(encoded(told)), packed=True)
        self._write(self._analyser.send(order, time.monotonic()))

    def hear(self, now_s: float) -> None:
        heard = b""
        if self._ends:
            with suppress(BlockingIOError):
                heard = os.read(self._ends[0], _LONGEST_READ)
        self._write(self._analyser.hear(heard, now_s))
        self._after()

    def tick(self, now_s: float) -> None:
        if self._specimen:
            self._write(self._analyser.tick(now_s))
        self._after()

    def _after(self) -> None:
        if self._specimen and self._analyser.done:
            self.acknowledged[self._specimen] = self.sent[self._specimen]
            self._specimen = ""
        if not self._specimen and not self.over:
            self.begin()

    def _write(self, out: Sequence[bytes]) -> None:
        """What nobody reads is lost, as on a wire."""
        if self._ends is None:
            return
        for data in out:
            with suppress(BlockingIOError):
                os.write(self._ends[0], data)


def drive(bedsides: Sequence[Bedside], until_s: float) -> None:
    """Until that time on the monotonic clock, or all have sent what they had."""
    heard = select.poll()
    by_fd = {bedside.master: bedside for bedside in bedsides if bedside.master >= 0}
    for fd in by_fd:
        heard.register(fd, select.POLLIN)
    look_s = time.monotonic()
    while (now_s := time.monotonic()) < until_s and not all(each.over for each in bedsides):
        for fd, _event in heard.poll(1000 * _LOOK_EVERY_S):
            by_fd[fd].hear(time.monotonic())
        if now_s >= look_s:
            look_s = now_s + _LOOK_EVERY_S
            for bedside in bedsides:
                bedside.tick(now_s)
