"""``make bench-pooling``: measure, print them with their bars, write JSON; 1 when one is missed."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtests.pooling import adaptive, hours, latency, optimum, reference, search, through_database
from loadtests.pooling.bar import Bar, Measure

FIGURES: Mapping[str, Measure] = {
    "reference": reference.measure,
    "optimum": optimum.measure,
    "search": search.measure,
    "adaptive": adaptive.measure,
    "hours": hours.measure,
    "latency": latency.measure,
    "database": through_database.measure,
}


def main() -> int:
    """Exit 0 when every bar is met, 1 otherwise."""
    options = argparse.ArgumentParser(prog="make bench-pooling", description=__doc__)
    options.add_argument("--quick", action="store_true", help="shorter, noisier")
    options.add_argument("--only", choices=list(FIGURES))
    options.add_argument("--json", type=Path, default=Path("build/bench-pooling.json"))
    chosen = options.parse_args()
    told, measured = Console(stderr=True), dict[str, Sequence[Bar]]()
    for name, figure in FIGURES.items():
        if chosen.only in (None, name):
            with told.status(f"measuring {name}"):
                measured[name] = figure(chosen.quick)
            _write(measured, chosen.json)  # what is measured stays, whatever breaks next
    Console().print(_table(measured))
    return 0 if all(bar.met for bars in measured.values() for bar in bars) else 1


def _table(measured: Mapping[str, Sequence[Bar]]) -> Table:
    table = Table("figure", "measured", "bar", "met", title="Pool resolution")
    for bars in measured.values():
        for bar in bars:
            sign = "≤" if bar.at_most else "≥"
            table.add_row(
                bar.name + (f"\n[dim]{bar.note}[/dim]" if bar.note else ""),
                f"{bar.measured:.4g} {bar.unit}".strip(),
                "" if bar.bar is None else f"{sign} {bar.bar:.4g} {bar.unit}".strip(),
                "" if bar.bar is None else "yes" if bar.met else "[red]no[/red]",
            )
        table.add_section()
    return table


def _write(measured: Mapping[str, Sequence[Bar]], where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "figures": {
            name: [{**asdict(bar), "met": bar.met} for bar in bars]
            for name, bars in measured.items()
        },
    }
    where.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
