"""A simulated QuantStudio as the bench sees it: its program exports a file when a run has ended.

    python -m lims.demo.exporter --serial QUANTSTUDIO-1 --folder /srv/exports/qs-1

reads the same plates on standard input as `instruments.simulator`, with the time at which each
ended, and prints `{"sent": "PL7"}` once the whole file lies there. Like such a program it writes
under the last name from the first byte on, piece by piece. Told the same after a kill, it writes
the same bytes: an export pressed twice.
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from instruments.analyser_exports import quantstudio_export
from instruments.analyser_messages import Well
from instruments.measurement import Role

PIECE_BYTES: Final = 4096
PAUSE_S: Final = 0.05


def export_of(asked: Mapping[str, Any], *, serial: str) -> bytes:
    """The file of a plate. Raises KeyError, TypeError or ValueError for what is no plate."""
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
    ended_at = datetime.fromisoformat(asked["ended_at"])
    return quantstudio_export(asked["plate"], wells, serial=serial, ended_at=ended_at)


def write_slowly(file: Path, content: bytes) -> None:
    """So that whoever watches the folder sees an unfinished file first."""
    with file.open("wb") as export:
        for at in range(0, len(content), PIECE_BYTES):
            export.write(content[at : at + PIECE_BYTES])
            export.flush()
            time.sleep(PAUSE_S)


@click.command()
@click.option("--serial", required=True, help="the instrument's serial number")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(*, serial: str, folder: Path) -> None:
    """Play a QuantStudio; plates to export come on standard input."""
    for line in filter(str.strip, sys.stdin):
        asked = json.loads(line)
        write_slowly(folder / f"{asked['plate']}.txt", export_of(asked, serial=serial))
        click.echo(json.dumps({"sent": asked["plate"]}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
