"""``make bench``: measure figures on fresh data, print a table, write JSON."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtests.figures import (
    batch,
    gateway,
    handoff,
    hl7,
    intake,
    link,
    lists,
    notice,
    plate,
    recall,
    registration,
    slips,
)
from loadtests.figures.figure import Figure
from loadtests.rig import Rig, rig


def main() -> int:
    """Exit 0 when every aim is met, 1 otherwise."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="shorter, noisier")
    options.add_argument(
        "--only",
        choices=[
            "registration",
            "intake",
            "batch",
            "list",
            "run",
            "notice",
            "recall",
            "slips",
            "hl7",
            "link",
            "lines",
            "line",
            "ack",
            "kills",
            "drain",
            "replug",
            "told",
            "mountain",
            "deliverer-kills",
        ],
    )
    options.add_argument("--json", type=Path, default=Path("build/bench.json"))
    chosen = options.parse_args()
    console = Console(stderr=True)
    with console.status("starting a laboratory"), rig() as laboratory:
        figures: list[Figure] = []
        for name, figure in _figures(quick=chosen.quick):
            if chosen.only in (None, name):
                console.print(f"measuring {name} …")
                figures.append(figure(laboratory))
                _write(figures, chosen.json)  # what is measured stays, whatever breaks next
    _print(figures)
    return 0 if all(figure.met for figure in figures) else 1


def _figures(*, quick: bool) -> Sequence[tuple[str, Callable[[Rig], Figure]]]:
    return (
        ("registration", lambda r: registration.measure(r, seconds=3 if quick else 10)),
        ("intake", lambda r: intake.measure(r, people=40 if quick else 200)),
        ("batch", lambda r: batch.measure(r, rounds=2 if quick else 5)),
        ("list", lambda r: lists.measure(r, rows=100_000, rounds=1 if quick else 3)),
        ("run", lambda r: plate.measure(r, rounds=2 if quick else 5)),
        ("notice", lambda r: notice.measure(r, cases=40 if quick else 200)),
        ("recall", lambda r: recall.measure(r, plates=2 if quick else recall.PLATES)),
        ("slips", lambda r: slips.measure(r, runs=1 if quick else 2)),
        ("hl7", lambda _r: hl7.measure(seconds=1 if quick else 5)),
        ("link", lambda _rig: link.measure(rounds=3 if quick else 10)),
        ("lines", lambda _rig: gateway.lines(seconds=10 if quick else 60)),
        ("line", lambda _rig: gateway.line(seconds=5 if quick else 20)),
        ("ack", lambda _rig: gateway.ack(seconds=5 if quick else 20)),
        ("kills", lambda _rig: gateway.kills(times=20 if quick else 200)),
        ("drain", lambda _rig: gateway.drain(messages=1_000 if quick else 3_000)),
        ("replug", lambda _rig: gateway.replug(times=5 if quick else 20)),
        (
            "told",
            lambda _rig: handoff.told(cases=40 if quick else 200, in_the_table=100_000),
        ),
        ("mountain", lambda _rig: handoff.mountain(owed=10_000 if quick else 100_000)),
        ("deliverer-kills", lambda _rig: handoff.deliverer_kills(times=20 if quick else 500)),
    )


def _print(figures: Sequence[Figure]) -> None:
    table = Table("figure", "measured", "limit", "ratio", "aim", "met")
    for figure in figures:
        extra = ", ".join(f"{name} {value:,.0f}" for name, value in figure.details.items())
        table.add_row(
            figure.name,
            f"{figure.measured:,.0f} {figure.unit}" + (f"\n[dim]{extra}[/dim]" if extra else ""),
            f"{figure.limit:,.0f} {figure.unit}\n[dim]{figure.limit_name}[/dim]"
            if figure.limit
            else "",
            f"{figure.ratio:.2f}" if figure.ratio is not None else "",
            figure.aim,
            "yes" if figure.met else "[red]no[/red]",
        )
    Console().print(table)


def _write(figures: Sequence[Figure], where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "figures": [asdict(figure) for figure in figures],
    }
    where.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
