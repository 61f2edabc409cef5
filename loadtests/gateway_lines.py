"""What many busy lines cost one gateway: `python -m loadtests.gateway_lines`.

Each line is a pseudo-terminal fed with GeneXpert sessions of some 2,200 bytes in frames of 240
characters at the pace of its speed: the last byte of a frame comes when its time on the wire is
over, counted from the acknowledgement of the one before. The gateway is the real process on a real
disk; no LIMS answers, so that everything queues. Prints the gateway's share of a core, how much of
the lines was used, how long an acknowledgement took, and memory at the beginning and at the end.
"""

import heapq
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import click

from instruments.analyser_messages import encoded, genexpert_message
from instruments.astm.sender import cut

_ACK, _ENQ, _EOT = b"\x06", b"\x05", b"\x04"
_FRAME_CHARACTERS = 240
_TARGETS = ("E", "N2", "RdRP", "S", "ORF1ab", "N", "FluA", "FluB", "RSV")
_WARM_UP_S = 3.0


@dataclass
class Feeder:
    """One line's analyser. `due_s`: when the wire has carried the whole of the next frame."""

    master: int
    frames: Iterator[bytes]
    seconds_a_byte: float
    due_s: float = 0.0
    waits: bool = False  # for an acknowledgement
    carried: int = 0
    written_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next = next(self.frames)

    def write(self, now_s: float) -> None:
        """The whole frame at the moment of its last byte."""
        os.write(self.master, self.next)
        self.carried += len(self.next)
        self.written_s = now_s
        self.waits = self.next != _EOT  # nobody acknowledges the end
        self.next = next(self.frames)
        if not self.waits:
            self.due_s = now_s + len(self.next) * self.seconds_a_byte

    def hear(self, now_s: float) -> None:
        if _ACK in os.read(self.master, 64):
            self.waits = False
            self.delays_s.append(now_s - self.written_s)
            self.due_s = now_s + len(self.next) * self.seconds_a_byte


def sessions(name: str) -> Iterator[bytes]:
    """Without end; each has its own specimen, so that each is a new message."""
    number = 0
    while True:
        number += 1
        told = genexpert_message(
            [f"{name}-{number}"],
            dict.fromkeys(_TARGETS) | {"SPC": 29.3},
            call="NEGATIVE",
            serial="C1000",
            ended_at=datetime.now(UTC),
        )
        yield from (_ENQ, *cut([b"".join(encoded(told))], _FRAME_CHARACTERS), _EOT)


def feed(feeders: Sequence[Feeder], until_s: float) -> None:
    """Until that time on the monotonic clock."""
    by_fd = {feeder.master: feeder for feeder in feeders}
    heard = select.poll()
    for fd in by_fd:
        heard.register(fd, select.POLLIN)
    due = [(feeder.due_s, feeder.master) for feeder in feeders if not feeder.waits]
    heapq.heapify(due)
    while (now_s := time.monotonic()) < until_s:
        wait_s = min(due[0][0] - now_s, 0.1) if due else 0.1
        for fd, _event in heard.poll(max(0.0, 1000 * wait_s)):
            feeder = by_fd[fd]
            feeder.hear(time.monotonic())
            if not feeder.waits:
                heapq.heappush(due, (feeder.due_s, fd))
        while due and due[0][0] <= time.monotonic():
            feeder = by_fd[heapq.heappop(due)[1]]
            feeder.write(time.monotonic())
            if not feeder.waits:
                heapq.heappush(due, (feeder.due_s, feeder.master))


def processor_s(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def begin(folder: Path, lines: int, baud: int) -> tuple[subprocess.Popen[bytes], list[Feeder]]:
    """The gateway, and an analyser at each of its lines."""
    told = ['post = "http://127.0.0.1:9/api/v1/messages"\ntoken_file = "token"\nspool = "spools"\n']
    feeders = []
    for number in range(lines):
        master, slave = os.openpty()
        tty.setraw(slave)
        name = f"gx-{number}"
        told.append(
            f'[[line]]\ninstrument = "{name}"\ndriver = "genexpert"\n'
            f'link = "{os.ttyname(slave)}"\nbaud = {baud}\n'
        )
        feeders.append(Feeder(master, sessions(name), 10 / baud))
    (folder / "gateway.toml").write_text("\n".join(told))
    (folder / "token").write_text("none")
    command = [sys.executable, "-m", "instruments.gateway", "run", str(folder / "gateway.toml")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stderr=log), feeders


@click.command()
@click.option("--lines", default=64, show_default=True)
@click.option("--baud", default=115_200, show_default=True)
@click.option("--seconds", default=20.0, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="on the disk to be measured")
def main(*, lines: int, baud: int, seconds: float, folder: Path | None) -> None:
    """Feed the lines and print what it cost, as one JSON object."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        gateway, feeders = begin(Path(place), lines, baud)
        try:
            time.sleep(_WARM_UP_S)
            idle_s = processor_s(gateway.pid)
            feed(feeders, time.monotonic() + _WARM_UP_S)
            before_s, before_mb = processor_s(gateway.pid), resident_mb(gateway.pid)
            for feeder in feeders:
                feeder.carried, feeder.delays_s = 0, []
            feed(feeders, time.monotonic() + seconds)
            used_s = processor_s(gateway.pid) - before_s
            delays_ms = [1000 * delay for feeder in feeders for delay in feeder.delays_s]
            cuts = quantiles(delays_ms, n=100)
            carried = sum(feeder.carried for feeder in feeders)
            told = {
                "lines": lines,
                "core_share": round(used_s / seconds, 3),
                "line_use": round(carried * 10 / baud / lines / seconds, 3),
                "frames_a_second": round(len(delays_ms) / seconds),
                "ack_ms_p50": round(cuts[49], 2),
                "ack_ms_p99": round(cuts[98], 2),
                "start_cpu_s": round(idle_s, 2),
                "memory_mb": [round(before_mb, 1), round(resident_mb(gateway.pid), 1)],
            }
            click.echo(json.dumps(told))
        finally:
            gateway.terminate()
            gateway.wait(60)


if __name__ == "__main__":
    main()
