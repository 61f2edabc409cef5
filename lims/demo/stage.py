"""The story for somebody watching: paced, told in two languages, with live figures; then it stays.

On a terminal one picture that renews itself; elsewhere plain lines as things happen.
"""

import shlex
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from lims import log
from lims.demo.client import Station
from lims.demo.escalation import NOBODY_LATE, Escalation, escalation
from lims.demo.house import House, open_house, stop_on_signals
from lims.demo.ledger import Ledger
from lims.demo.once import populated, reckon, story_in
from lims.demo.opened_pools import OpenedPool, by_strategy, opened_pools
from lims.demo.receiver import read_book
from lims.demo.reconcile import Reckoning
from lims.demo.story import Story, notices
from lims.demo.telling import Broke, Phase
from lims.demo.visitors import Visitors
from lims.demo.words import (
    LOGINS,
    MACHINES,
    NARRATION,
    OVER,
    STRATEGIES,
    TITLES,
    escalated_words,
    opened_words,
)

CHAPTER_S: Final = 2.5  # to read what a chapter is about
FIGURES_S: Final = 0.7
LEFT_TO_THE_WATCHER: Final = 2  # positives whose last word a person watching may say


@dataclass(slots=True)
class Handoff:
    """What the tracing offices have been told so far, and the pools that were ``opened`` for it."""

    cases: int = 0
    positive_pools: int = 0
    owed: int = 0
    delivered: int = 0
    claimed: int = 0
    escalated: Escalation = NOBODY_LATE
    opened: dict[str, OpenedPool] = field(default_factory=dict)
    first_case_s: float | None = None


class Stage:
    """The picture. The story's threads rest here; the picture's own thread draws it."""

    def __init__(self, console: Console, ledger: Ledger, stop: threading.Event) -> None:
        self._console = console
        self._ledger = ledger
        self._stop = stop
        self._began = time.monotonic()
        self._phase: Phase | None = None
        self._detail = ""
        self._seen: set[Phase] = set()
        self.handoff = Handoff()
        self.house: House | None = None
        self.reckoning: Reckoning | None = None

    def begins(self, phase: Phase, detail: str = "") -> None:
        """A chapter; the first time, with the time to read it."""
        fresh = phase not in self._seen
        self._seen.add(phase)
        self._phase, self._detail = phase, detail
        if not self._console.is_terminal:
            self._say(phase, fresh=fresh)
        if fresh and phase is not Phase.OPEN:
            self.rest(CHAPTER_S)

    def rest(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def __rich__(self) -> RenderableType:
        rows: list[RenderableType] = []
        if self.house is not None:
            rows += [doors(self.house), Text()]
        rows += [self._way(), Text(), self._words(), Text(), self._figures()]
        clock = f"{int(self.elapsed_s()) // 60}:{int(self.elapsed_s()) % 60:02d}"
        return Panel(Group(*rows), title="Thần Tốc", subtitle=f"{clock} · Ctrl-C", padding=(1, 2))

    def opens(self, pool: OpenedPool) -> None:
        """One pool is resolved: its line stays, above the picture."""
        self.handoff.opened[pool.barcode] = pool
        self._console.print(opened_words(pool), highlight=False, soft_wrap=True)

    def escalates(self, now: Escalation) -> None:
        """How many lapsed and who was told on; said where no picture shows it."""
        before, self.handoff.escalated = self.handoff.escalated, now
        if now.steps != before.steps and not self._console.is_terminal:
            self._console.print(
                f"{self.elapsed_s():5.0f} s  {escalated_words(now)}",
                highlight=False,
                soft_wrap=True,
            )

    def _say(self, phase: Phase, *, fresh: bool) -> None:
        at = f"{self.elapsed_s():5.0f} s"
        if fresh:
            for words in NARRATION[phase]:
                self._console.print(f"{at}  {words}", highlight=False, soft_wrap=True)
        if self._detail:
            self._console.print(
                f"{at}  {TITLES[phase]}: {self._detail}", highlight=False, soft_wrap=True
            )

    def _way(self) -> Text:
        way = Text()
        for phase, title in TITLES.items():
            here = phase is self._phase and self.reckoning is None
            style = "reverse bold" if here else "green" if phase in self._seen else "dim"
            way.append(f" {title} ", style=style).append(" ")
        return way

    def _words(self) -> Text:
        told = OVER if self.reckoning is not None else NARRATION[self._phase or Phase.OPEN]
        words = Text(told[0], style="bold").append("\n").append(told[1], style="dim")
        if self._detail and self.reckoning is None:
            words.append(f"\n{self._detail}")
        return words

    def _figures(self) -> Table:
        ledger, told = self._ledger, self.handoff
        sub_pools = len(ledger.sub_pools)
        pools = sum(len(inside) > 1 for inside in list(ledger.contents.values())) - sub_pools
        first = (
            "" if told.first_case_s is None else f"F0 đầu tiên · first at {told.first_case_s:.0f} s"
        )
        figures = Table.grid(padding=(0, 3))
        for name, value, more in (
            ("Mẫu · swabs", len(ledger.registered), f"ống · tubes {len(ledger.labelled)}"),
            ("Mẻ gộp · pools", pools, f"dương tính · positive {told.positive_pools}"),
            ("Mẻ gộp con · sub-pools", sub_pools, _opened(told.opened)),
            (
                "Khay · plates",
                len(ledger.plates),
                f"giếng · wells {sum(list(ledger.plates.values()))},"
                f" hộp · cartridges {ledger.cartridges_sent.total()}",
            ),
            ("F0", told.cases, first),
            (
                "Tin báo · notices",
                told.delivered,
                f"/ {told.owed}, ca đã nhận · claimed {told.claimed}",
            ),
            ("Chưa ai nhận · unclaimed", told.escalated.unclaimed, escalated_words(told.escalated)),
        ):
            figures.add_row(name, Text(str(value), style="bold"), more)
        if self.reckoning is not None:
            figures.add_row("Đối chiếu · reconciled", *_verdict(self.reckoning))
        return figures


def doors(house: House) -> Text:
    """The address, a login for each role, and the machines."""
    told = Text("Trang · pages        ").append(house.url, style="bold underline")
    told.append("\nBảng F0 · live board ").append(f"{house.url}/handoff", style="underline")
    told.append("\nMật khẩu · password  ").append(house.founded.password, style="bold")
    for login, what in LOGINS.items():
        told.append(f"\n  {login:18}", style="bold").append(f" {what}")
    told.append("\nMáy · machines       ").append(f"{house.url}/gateways", style="underline")
    for machine in house.machines:
        told.append(f"\n  {machine.name:18}", style="bold").append(f" {MACHINES[machine.driver]}")
        if machine.exports:
            told.append(f" …/{machine.link(house.home).name}/")
    told.append("\nDòng lệnh · commands ")
    told.append(f"LIMS_HOME={shlex.quote(str(house.home))} lims report …", style="bold")
    return told


def _opened(pools: Mapping[str, OpenedPool]) -> str:
    """How many pools each way has named somebody in."""
    found = by_strategy(tuple(pools.values()))
    return ", ".join(f"{STRATEGIES[way]} {pools}" for way, pools in found.items() if pools)


def _verdict(reckoning: Reckoning) -> tuple[Text, str]:
    lost, twice = len(reckoning.lost), len(reckoning.duplicated)
    word = Text("✓" if reckoning.clean else "✗", style="bold green" if reckoning.clean else "red")
    said = (
        f"mất · lost {lost}, trùng · duplicated {twice}; tìm thấy · found"
        f" {reckoning.true_positives} / {reckoning.true_positives + len(reckoning.missed)}"
    )
    return word, said + "".join(f"\n− {d.barcode}: {d.why}" for d in reckoning.missed)


def present(*, people: int, prevalence: float, seed: int, home: Path | None) -> bool:
    """Until Ctrl-C. False when the reckoning is not clean. Raises Broke and the refusals."""
    log.configure(level="ERROR")
    stop_on_signals()
    console, ledger, stop = Console(), Ledger(), threading.Event()
    stage = Stage(console, ledger, stop)
    stage.begins(Phase.OPEN)
    try:
        with ExitStack() as until_the_end:
            if console.is_terminal:
                live = Live(stage, console=console, refresh_per_second=4, transient=False)
                until_the_end.enter_context(live)
            house = until_the_end.enter_context(
                open_house(seed=seed, ledger=ledger, home=home, interactive=True)
            )
            until_the_end.callback(stop.set)
            stage.house = house
            if not console.is_terminal:
                console.print(doors(house), soft_wrap=True)
            threading.Thread(target=_follow, args=(stage, house, stop), daemon=True).start()
            commune = populated(house.places, people=people, prevalence=prevalence, seed=seed)
            story = story_in(
                house, commune, ledger, stage, stop, leave_positives=LEFT_TO_THE_WATCHER
            )
            story.play()
            stage.reckoning = reckon(house, commune, ledger)
            if not console.is_terminal:
                console.print(stage)
            _stay(house, visitors_of(house, story, stop))
    except KeyboardInterrupt:
        console.print("Đã dừng, không còn gì chạy. Stopped; nothing is left running.")
    return stage.reckoning is None or stage.reckoning.clean


def visitors_of(house: House, story: Story, stop: threading.Event) -> Visitors:
    """Who measures what a person lays out on the pages once the story is told."""
    bench = Station(house.url, house.founded.keys.bench, stop)
    return Visitors(
        house.engine,
        lambda run_id: bench.get(f"/runs/{run_id}"),
        story.bench.samples,
        story.bench.ledger,
        tuple(zip(house.machines, house.cyclers, strict=False)),
    )


def _stay(house: House, visitors: Visitors) -> None:
    """The programs serve on, and the machines measure what is laid out; nothing but Ctrl-C ends
    it, or a program that cannot live."""
    while house.supervisor.fault is None:
        visitors.look(time.monotonic())
        time.sleep(0.5)
    raise house.supervisor.fault


def _follow(stage: Stage, house: House, stop: threading.Event) -> None:
    """Keep the hand-off's figures fresh, over the API as an office would."""
    watch = Station(house.url, house.founded.keys.watch, stop)
    while not stop.wait(FIGURES_S):
        try:
            said = notices(watch)[0]
        except Broke:
            continue
        with suppress(SQLAlchemyError), house.engine.connect() as connection:
            for pool in opened_pools(connection):
                if not pool.waits and pool.barcode not in stage.handoff.opened:
                    stage.opens(pool)
            stage.escalates(escalation(connection))
        told = stage.handoff
        opened = {n["case_id"] for n in said if n["kind"] == "case.opened"}
        told.cases = len(opened)
        told.positive_pools = len({n["pool_id"] for n in said if n["kind"] == "alert.raised"})
        told.owed = len(said)
        told.delivered = sum(n["state"] == "delivered" for n in said)
        told.claimed = sum(entry.what == "claimed" for entry in read_book(house.receiver_book))
        if opened and told.first_case_s is None:
            told.first_case_s = stage.elapsed_s()
