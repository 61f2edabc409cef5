"""The analysers of a demonstration's laboratory, and the one gateway beside them all.

Two speak on serial lines (pseudo-terminals); a QuantStudio exports files into a folder, as most
cyclers in the field do.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lims.demo.analysers import Analyser
from lims.demo.ledger import Ledger
from lims.demo.processes import Program, Supervisor

GATEWAY: Final = "gateway"
GATEWAY_NAME: Final = "lab-1"
GATEWAY_TOKEN: Final = "gateway.token"  # noqa: S105 - a file's name
GATEWAY_FILE: Final = "gateway.toml"
REPLY_TIMEOUT_S: Final = 2.0  # a simulated analyser waits less than the 15 s of LIS1-A 6.5.2
SETTLE_S: Final = 1.0  # nobody exports over a slow share here, and a watcher does not wait ten


@dataclass(frozen=True, slots=True)
class Machine:
    """One analyser. ``name`` is what the LIMS and the gateway call it."""

    name: str
    driver: str

    @property
    def exports(self) -> bool:
        """It writes files instead of speaking on a line."""
        return self.driver == QUANTSTUDIO.driver

    def link(self, home: Path) -> Path:
        """Its line, or the folder into which it exports."""
        return home / f"{self.name}.{'exports' if self.exports else 'line'}"

    def program(self, home: Path) -> Program:
        """The simulator that plays it."""
        link = str(self.link(home))
        playing: tuple[str, ...] = ("lims.demo.exporter", "--folder", link)
        if not self.exports:
            timeout = ("--reply-timeout", str(REPLY_TIMEOUT_S))
            spoken = ("--driver", self.driver, "--pty-link", link)
            playing = ("instruments.simulator", *timeout, *spoken)
        playing = (*playing, "--serial", self.name.upper())
        return Program(f"analyser-{self.name}", playing, piped=True)


CARTRIDGES: Final = Machine("genexpert-1", "genexpert")
QUANTSTUDIO: Final = Machine("quantstudio-1", "quantstudio")


def cyclers(number: int) -> tuple[Machine, ...]:
    """Plate cyclers on serial lines."""
    return cyclers_named([f"cycler-{n}" for n in range(1, number + 1)])


def cyclers_named(names: Sequence[str]) -> tuple[Machine, ...]:
    """Plate cyclers on serial lines, under the names that somebody's LIMS gives them."""
    return tuple(Machine(name, "plate") for name in names)


@dataclass(frozen=True)
class Machines:
    """The analysers of a laboratory, as whoever loads them knows them: those for plates, and the
    reader of cartridges."""

    for_plates: tuple[Machine, ...]
    cyclers: tuple[Analyser, ...]
    cartridges: Analyser

    @classmethod
    def beside(cls, ledger: Ledger, for_plates: Sequence[Machine]) -> "Machines":
        """The ledger hears what was acknowledged."""
        return cls(
            tuple(for_plates),
            tuple(Analyser(ledger.plates_sent.add) for _ in for_plates),
            Analyser(lambda name: ledger.cartridges_sent.update([name])),
        )

    @property
    def all(self) -> tuple[Machine, ...]:
        return (*self.for_plates, CARTRIDGES)

    def start(self, home: Path, supervisor: Supervisor, url: str, *, gateway: str) -> None:
        """Every analyser, each met by the one who loads it, and the gateway, which goes by the
        name ``gateway`` and posts to the LIMS at ``url``."""
        for machine, analyser in zip(self.all, (*self.cyclers, self.cartridges), strict=True):
            if machine.exports:
                machine.link(home).mkdir()
            supervisor.start(machine.program(home), analyser.meet)
        file = home / GATEWAY_FILE
        file.write_text(gateway_toml(home, url, self.all, name=gateway), encoding="utf-8")
        supervisor.start(Program(GATEWAY, ("instruments.gateway", "run", str(file))))


DEMONSTRATION: Final = (*cyclers(1), QUANTSTUDIO)


def gateway_toml(home: Path, url: str, machines: Sequence[Machine], *, name: str) -> str:
    """The gateway's own file, as a technician would write it. JSON's strings are TOML's."""
    said = [
        f"name = {json.dumps(name)}",
        f"post = {json.dumps(f'{url}/api/v1/messages')}",
        f"token_file = {json.dumps(GATEWAY_TOKEN)}",
    ]
    for machine in machines:
        said += [
            "",
            "[[line]]",
            f"instrument = {json.dumps(machine.name)}",
            f"driver = {json.dumps(machine.driver)}",
            f"link = {json.dumps(str(machine.link(home)))}",
            f"spool = {json.dumps(f'{machine.name}.spool')}",
        ]
        if machine.exports:
            said.append(f"settle_s = {SETTLE_S}")
    return "\n".join(said) + "\n"
