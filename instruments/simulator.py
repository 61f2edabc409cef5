"""An analyser on a real pseudo-terminal, as other programs of ours start it; people use
`lims-gateway simulate`, of which this is one case.

    python -m instruments.simulator --driver plate --serial C1000 --pty-link /run/cycler

reads one JSON object a line on standard input (`instruments.simulated.said`), each a message to
send, and prints `{"sent": "PL7", "frames": 42}` when it was acknowledged to its end.
"""

import sys
from pathlib import Path

import click

from instruments.astm.sender import REPLY_TIMEOUT_S
from instruments.drivers.reading import Format
from instruments.misbehaviour import Fault
from instruments.simulate import play_lines
from instruments.simulated.machines import MACHINES
from instruments.simulated.playing import DROP_AFTER, Playing

_DRIVERS = [name for name, machine in MACHINES.items() if machine.format is Format.ASTM]


@click.command()
@click.option("--driver", type=click.Choice(_DRIVERS), required=True)
@click.option("--serial", required=True, help="the instrument's serial number")
@click.option("--pty-link", type=click.Path(path_type=Path), required=True)
@click.option("--baud", default=0, help="pace of the line; 0 as fast as it goes")
@click.option("--reply-timeout", default=REPLY_TIMEOUT_S, show_default=True, help="seconds")
@click.option(
    "--misbehave",
    "--fault",
    type=click.Choice([fault.value for fault in Fault]),
    multiple=True,
    help="what goes wrong; each as often as it is given",
)
@click.option("--seed", default=0, show_default=True, help="where in a frame, and how")
@click.option("--chance", default=1.0, help="of a fault at each point where it can happen")
@click.option("--drop-after", default=DROP_AFTER, show_default=True, help="frames before silence")
def main(
    *,
    driver: str,
    serial: str,
    pty_link: Path,
    baud: int,
    reply_timeout: float,
    misbehave: tuple[str, ...],
    seed: int,
    chance: float,
    drop_after: int,
) -> None:
    """Play an analyser on a pseudo-terminal; messages to send come on standard input."""
    playing = Playing(
        driver=driver,
        link=f"pty:{pty_link}",
        serial=serial,
        faults=misbehave,
        seed=seed,
        chance=chance,
        baud=baud,
        reply_timeout_s=reply_timeout,
        drop_after=drop_after,
    )
    play_lines(playing, sys.stdin)


if __name__ == "__main__":
    main()
