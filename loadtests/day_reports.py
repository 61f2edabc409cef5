"""``python -m loadtests.day_reports``: reports over a day of a million tubes, on fresh data.

Not part of ``make bench``: filling the day takes three minutes and two gigabytes.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from loadtests.bench import _print, _write
from loadtests.figures.day_reports import TUBES, measure
from loadtests.rig import rig


def main() -> int:
    """Exit 0 when every aim is met, 1 otherwise."""
    options = argparse.ArgumentParser(prog="python -m loadtests.day_reports", description=__doc__)
    options.add_argument("--tubes", type=int, default=TUBES)
    options.add_argument("--json", type=Path, default=Path("build/day_reports.json"))
    chosen = options.parse_args()
    with Console(stderr=True).status("filling a day"), rig() as laboratory:
        figures = measure(laboratory, tubes=chosen.tubes)
    _print(figures)
    _write(figures, chosen.json)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
