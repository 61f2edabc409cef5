"""What many busy lines cost one gateway: `python -m loadtests.gateway.lines`.

Each line is a pseudo-terminal fed with GeneXpert sessions of some 2,200 bytes in frames of 240
characters at the pace of its speed: the last byte of a frame comes when its time on the wire is
over, counted from the acknowledgement of the one before. The gateway is the real process on a real
disk; a LIMS takes everything, or with `--away` none does, so that everything queues. Prints the
gateway's share of a core, how much of the lines was used, how long an acknowledgement took, and
memory at the beginning and at the end.
"""

import heapq
import json
import os
import select
import time
import tty
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import click

from instruments.analyser_messages import encoded, genexpert_message
from instruments.astm.sender import cut
from loadtests.gateway.lims import answering_apart
from loadtests.gateway.stand import NOWHERE, GatewayProcess, LineLink, a_folder

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
        whole_ms = int(max(0.0, 1000 * wait_s))  # what is less than one is spun: the wire is exact
        for fd, _event in heard.poll(whole_ms):
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


def plugged_in(lines: int, baud: int) -> tuple[list[LineLink], list[Feeder]]:
    """An analyser at each line."""
    links, feeders = [], []
    for number in range(lines):
        master, slave = os.openpty()
        tty.setraw(slave)
        name = f"gx-{number}"
        links.append(LineLink(name, "genexpert", os.ttyname(slave), baud))
        feeders.append(Feeder(master, sessions(name), 10 / baud))
    return links, feeders


@dataclass(frozen=True, slots=True)
class Cost:
    """`core_share` 1.0 is one core. `line_use` 1.0: the wire never rested."""

    lines: int
    core_share: float
    line_use: float
    frames_a_second: int
    ack_ms_p50: float
    ack_ms_p99: float
    memory_mb: tuple[float, float]


def cost_of(folder: Path, *, lines: int, baud: int, seconds: float, away: bool) -> Cost:
    """Measured after a warm-up, so that what is begun only once does not count."""
    with answering_apart() as url:
        links, feeders = plugged_in(lines, baud)
        gateway = GatewayProcess(folder, links, NOWHERE if away else url)
        try:
            gateway.start(lines_up=lines)
            feed(feeders, time.monotonic() + _WARM_UP_S)
            before_s, before_mb = processor_s(gateway.pid), resident_mb(gateway.pid)
            for feeder in feeders:
                feeder.carried, feeder.delays_s = 0, []
            feed(feeders, time.monotonic() + seconds)
            used_s = processor_s(gateway.pid) - before_s
            delays_ms = [1000 * delay for feeder in feeders for delay in feeder.delays_s]
            cuts = quantiles(delays_ms, n=100)
            carried = sum(feeder.carried for feeder in feeders)
            return Cost(
                lines=lines,
                core_share=round(used_s / seconds, 3),
                line_use=round(carried * 10 / baud / lines / seconds, 3),
                frames_a_second=round(len(delays_ms) / seconds),
                ack_ms_p50=round(cuts[49], 2),
                ack_ms_p99=round(cuts[98], 2),
                memory_mb=(round(before_mb, 1), round(resident_mb(gateway.pid), 1)),
            )
        finally:
            gateway.stop()


@click.command()
@click.option("--lines", default=64, show_default=True)
@click.option("--baud", default=115_200, show_default=True)
@click.option("--seconds", default=20.0, show_default=True)
@click.option("--away", is_flag=True, help="no LIMS answers")
@click.option("--folder", type=click.Path(path_type=Path), help="on the disk to be measured")
def main(*, lines: int, baud: int, seconds: float, away: bool, folder: Path | None) -> None:
    """Feed the lines and print what it cost, as one JSON object."""
    with a_folder(folder) as place:
        cost = cost_of(place, lines=lines, baud=baud, seconds=seconds, away=away)
    click.echo(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
