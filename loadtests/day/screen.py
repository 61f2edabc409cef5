"""The day as it happens: one picture that renews itself on a terminal, plain lines elsewhere."""

import time
from typing import Final

import gevent
from gevent import Greenlet
from locust.env import Environment
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from loadtests.day.conduct import Screen
from loadtests.day.faults import Faults
from loadtests.day.ground import Ground
from loadtests.day.meter import Book, Judged
from loadtests.day.objectives import Measured, verdicts
from loadtests.day.plainly import plainly
from loadtests.day.today import Today
from loadtests.day.verdict import Verdict

RENEW_S: Final = 1.0
LINE_S: Final = 5.0


class Telling(Screen):
    """For people: standard error, so that --json has standard output to itself."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._following: Greenlet[..., None] | None = None

    def begins(self, words: str) -> None:
        at = f"{time.monotonic() - self._began:6.1f} s"
        self._console.print(f"{at}  {words}", highlight=False, soft_wrap=True)

    def shows(
        self, today: Today, ground: Ground, environment: Environment, book: Book, faults: Faults
    ) -> None:
        self.begins("the doors open")
        picture = _Picture(today, ground, environment, book, faults)
        follow = self._live if self._console.is_terminal else self._lines
        self._following = gevent.spawn(follow, picture)

    def ends(self) -> None:
        if self._following is not None:
            self._following.kill()
            self._following = None

    def _live(self, picture: "_Picture") -> None:
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(picture.drawn(), refresh=True)
                gevent.sleep(RENEW_S)

    def _lines(self, picture: "_Picture") -> None:
        while True:
            gevent.sleep(LINE_S)
            self.begins(picture.line())


class _Picture:
    def __init__(
        self, today: Today, ground: Ground, environment: Environment, book: Book, faults: Faults
    ) -> None:
        self._today, self._ground, self._environment = today, ground, environment
        self._book, self._faults = book, faults

    def line(self) -> str:
        """One line for a log."""
        done, told = self._today.figures(), self._ground.told()
        return (
            f"{self._today.clock.now_h():5.2f} h  registered {done['registered']} of"
            f" {done['people']}, received {done['received']}, pools {done['pools']}, plates"
            f" {done['plates_read']}/{done['plates']}, known {told['known']}, F0 {told['f0']}"
            f" (claimed {told['claimed']}), notices {told['delivered']}/{told['owed']},"
            f" requests {len(self._book.exchanges)}, failed {self._failed(Judged.FAILED)}"
        )

    def drawn(self) -> RenderableType:
        done, told, today = self._today.figures(), self._ground.told(), self._today
        clock = today.clock
        figures = Table.grid(padding=(0, 3))
        runner = self._environment.runner
        for name, value, more in (
            ("Hour", f"{clock.now_h():.2f}", f"of {clock.hours:g}"),
            ("People registered", f"{done['registered']:,}", f"of {done['people']:,}"),
            ("In a queue", f"{done['standing']:,}", "households"),
            ("Tubes received", f"{done['received']:,}", f"of {done['tubes']:,}"),
            ("Pools", f"{done['pools']:,}", f"plates {done['plates_read']} / {done['plates']}"),
            ("Swabs known", f"{told['known']:,}", ""),
            ("F0 told", f"{told['f0']:,}", f"claimed {told['claimed']:,}"),
            ("Notices", f"{told['delivered']:,}", f"delivered of {told['owed']:,}"),
            ("Requests", f"{len(self._book.exchanges):,}", self._errors()),
            ("Users", str(runner.user_count if runner else 0), self._faults_so_far()),
        ):
            figures.add_row(name, Text(value, style="bold"), more)
        return Panel(
            Group(figures, Text(), objectives_table(verdicts(self._book))), title="lims loadtest"
        )

    def _failed(self, judged: Judged) -> int:
        return sum(e.judged is judged for e in self._book.exchanges)

    def _errors(self) -> str:
        return (
            f"failed {self._failed(Judged.FAILED)}, of faults {self._failed(Judged.OF_A_FAULT)}"
            f", users broke {len(self._today.broke)}"
        )

    def _faults_so_far(self) -> str:
        return ", ".join(one.fault.value for one in self._faults.happened)


def objectives_table(lines: list[Measured] | tuple[Measured, ...]) -> Table:
    """The verdict on each objective."""
    table = Table("objective", "rests on", "median", "p99", "at most", "met", show_edge=False)
    for one in lines:
        table.add_row(
            one.title,
            f"{one.number:,}",
            _ms(one.p50_ms),
            _ms(one.p99_ms),
            _ms(one.limit_ms) if one.judged else "",
            _judged(one),
        )
    return table


def _judged(one: Measured) -> Text:
    if not one.judged:
        return Text("not judged", "dim")
    return _met(one.met) if one.number else Text("✗ not measured", "red")


def tell(console: Console, verdict: Verdict) -> None:
    """The end of the day, on a screen."""
    table = Table("reconciliation", "whole", "parts", "", show_edge=False)
    for e in verdict.reckoned.equations:
        parts = ", ".join(f"{name} {n:,}" for name, n in e.parts.items())
        table.add_row(e.says, f"{e.whole:,}", parts, _met(e.holds))
    lost, twice = verdict.reckoned.truth.lost, verdict.reckoned.truth.duplicated
    table.add_row("lost", str(len(lost)), "", _met(not lost))
    table.add_row("doubled", str(len(twice)), "", _met(not twice))
    console.print(table, objectives_table(verdict.objectives), sep="\n\n")
    console.print()
    for line in plainly(verdict.objectives, verdict.machine):
        console.print(line, highlight=False)
    for difference in verdict.reckoned.differences[:20]:
        console.print(f"[red]{difference.what}[/red]: {difference.subject}")
    for what, times in verdict.failures.items():
        console.print(f"[red]not meant to happen[/red]: {what} ({times} times)")
    for what in verdict.broke[:20]:
        console.print(f"[red]a user broke[/red]: {what}", markup=True, highlight=False)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} ms"


def _met(met: bool | None) -> Text:
    if met is None:
        return Text("not measured", "dim")
    return Text("✓", "bold green") if met else Text("✗", "bold red")
