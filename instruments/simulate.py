"""`lims-gateway simulate DRIVER`: plays an analyser, so that a laboratory rehearses without it."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from instruments.astm.query import Action
from instruments.astm.sender import REPLY_TIMEOUT_S
from instruments.drivers.reading import Format
from instruments.measurement import Role
from instruments.simulated.asking import ALL, heard_answer, question
from instruments.simulated.asking_law import (
    ANSWER_WITHIN_S,
    ASKERS,
    HostCannotTell,
    heard_work,
)
from instruments.simulated.folder import PAUSE_S
from instruments.simulated.hl7_messages import amplified
from instruments.simulated.lines import Line
from instruments.simulated.machines import MACHINES
from instruments.simulated.plausible import NoLayout, Outcome, one_tube, read_layout, whole_plate
from instruments.simulated.playing import (
    DROP_AFTER,
    FAULTS,
    CannotPlay,
    FolderPlayer,
    LinePlayer,
    Playing,
)
from instruments.simulated.said import Said, said

_KINDS = {
    Format.ASTM: "over an ASTM line",
    Format.HL7: "over an HL7 line",
    Format.POCT1: "over a POCT1-A2 line",
    Format.FILE: "in a folder",
}
_ASKING = ("genexpert", *sorted(ASKERS))
_EPILOG = "\n\n".join(
    ["What can go wrong, by the kind of driver:"]
    + [
        f"{of.value} ({', '.join(sorted(n for n, m in MACHINES.items() if m.format is of))}):"
        f" {', '.join(FAULTS[of])}."
        for of in _KINDS
    ]
)


@click.command(epilog=_EPILOG)
@click.argument("driver", type=click.Choice(sorted(MACHINES)), metavar="DRIVER")
@click.option("--link", required=True, help="where the gateway is; see above")
@click.option("--specimen", metavar="BARCODE", help="send one result of this tube, and end")
@click.option(
    "--result",
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="what it is  [default: negative]",
)
@click.option("--plate", default="", help="of machines that have plates: the plate's barcode")
@click.option("--well", default="A01", show_default=True, help="where on it the tube stands")
@click.option(
    "--layout",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="send a whole plate: its worklist.csv from the LIMS, or its layout as JSON",
)
@click.option(
    "--positive",
    multiple=True,
    metavar="BARCODE",
    help="of --layout: this tube is positive  [default: one tube in twenty]",
)
@click.option(
    "--ask",
    multiple=True,
    metavar="BARCODE",
    help=f"of {', '.join(_ASKING)}: ask what is ordered for the tube, or for {ALL}, and print it",
)
@click.option("--fault", multiple=True, help="what goes wrong; as often as it is given; see below")
@click.option("--seed", default=0, show_default=True, help="the same seed tells the same story")
@click.option("--chance", default=1.0, help="of a fault at each point where it can happen  [1]")
@click.option("--serial", default="SIM-1", show_default=True, help="the machine's serial number")
@click.option("--baud", type=int, help="pace of the line  [default: flat out; of a port 9600]")
@click.option("--reply-timeout", default=REPLY_TIMEOUT_S, show_default=True, help="seconds")
@click.option("--drop-after", default=DROP_AFTER, show_default=True, help="frames, of drop-and-…")
@click.option("--pause", default=PAUSE_S, show_default=True, help="seconds a file lies unfinished")
def simulate(
    *,
    driver: str,
    link: str,
    specimen: str | None,
    result: str | None,
    plate: str,
    well: str,
    layout: Path | None,
    positive: tuple[str, ...],
    ask: tuple[str, ...],
    fault: tuple[str, ...],
    seed: int,
    chance: float,
    serial: str,
    baud: int | None,
    reply_timeout: float,
    drop_after: int,
    pause: float,
) -> None:
    """Play the analyser that DRIVER reads.

    \b
    The gateway reads …                      --link of the simulator
      /run/gx-1                              pty:/run/gx-1
      listen://0.0.0.0:12221                 host:12221
      socket://host:5000                     listen://0.0.0.0:5000
      /dev/serial/by-id/…, by cable          /dev/ttyUSB1
      a folder                               the same folder

    \b
    One tube, one plate, or whatever comes on standard input:
      lims-gateway simulate genexpert --link pty:/run/gx-1 --specimen TT7K40FQ9XJ --result positive
      lims-gateway simulate quantstudio --link /srv/exports/qs-1 --layout PL7.csv
      echo '{"specimen": "TT7K40FQ9XJ", "targets": {"E": 24.8, "SPC": 27}}' |
        lims-gateway simulate genexpert --link pty:/run/gx-1

    Of standard input each line is a JSON object, answered by one when it was acknowledged to its
    end (instruments/simulated/said.py says what it may hold). What is not acknowledged is sent
    again, for as long as it takes.
    """
    if sum([specimen is not None, layout is not None, bool(ask)]) > 1:
        raise click.UsageError("one of --specimen, --layout and --ask at a time")
    if positive and layout is None:
        raise click.UsageError("--positive is of --layout; of one tube say --result positive")
    playing = Playing(
        driver=driver,
        link=link,
        serial=serial,
        faults=fault,
        seed=seed,
        chance=chance,
        baud=baud,
        reply_timeout_s=reply_timeout,
        drop_after=drop_after,
        pause_s=pause,
    )
    outcome = Outcome(result) if result else None
    if ask:
        _ask(playing, ask)
    elif specimen is not None:
        if playing.machine.plates and not plate:
            raise click.UsageError(f"a {driver} measures plates: --plate says which, --well where")
        told = one_tube(
            playing.machine,
            specimen,
            outcome or Outcome.NEGATIVE,
            plate=plate,
            well=well,
            seed=seed,
        )
        _tell(playing, told)
    elif layout is not None:
        _tell(playing, _laid_out(playing, layout, outcome, positive))
    else:
        if sys.stdin.isatty():
            click.echo("one JSON object a line, please; or --specimen, --layout: --help", err=True)
        play_lines(playing, sys.stdin)


def play_lines(playing: Playing, lines: Iterable[str]) -> None:
    """Each line's answer on standard output; one that says nothing is reported and passed over."""
    player = _player(playing)
    for told in _said(lines):
        try:
            for task in playing.tasks(told):
                click.echo(json.dumps(player.play(task)))
                sys.stdout.flush()
        except (ValueError, OSError) as error:
            click.echo(f"not sent: {error}", err=True)


def _said(lines: Iterable[str]) -> Iterator[Said]:
    for line in filter(str.strip, lines):
        try:
            yield said(json.loads(line))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            click.echo(f"not sent: {type(error).__name__} {error}", err=True)


def _laid_out(
    playing: Playing, file: Path, outcome: Outcome | None, positive: Sequence[str]
) -> Said:
    try:
        layout = read_layout(file)
    except NoLayout as error:
        raise click.UsageError(str(error)) from error
    known = {place.specimen for place in layout.places}
    if lost := [barcode for barcode in positive if barcode not in known]:
        raise click.UsageError(f"not on plate {layout.plate}: {', '.join(lost)}")
    return whole_plate(
        playing.machine, layout, outcome=outcome, positive=positive, seed=playing.seed
    )


def _tell(playing: Playing, told: Said) -> None:
    """To a person."""
    player = _player(playing)
    try:
        tasks = playing.tasks(told)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for line in _summary(told):
        click.echo(line)
    for task in tasks:
        try:
            click.echo(_ending(player.play(task)))
        except OSError as error:
            raise click.ClickException(str(error)) from error


def _summary(told: Said) -> Iterator[str]:
    for well in told.wells:
        numbers = ", ".join(
            f"{name} {'none' if ct is None else ct}" for name, ct in well.targets.items()
        )
        word = well.error or well.call or ""
        name = well.specimen or well.role.replace("_", " ")
        yield "  ".join(filter(None, [well.well if told.plate else "", name, numbers, word]))
    tubes = [well for well in told.wells if well.role is Role.SPECIMEN]
    if len(tubes) > 1:
        found = sum(amplified(well.targets) for well in tubes)
        yield f"{told.name}: {len(tubes)} tubes, {found} amplified"


def _ending(answer: dict[str, Any]) -> str:
    match answer:
        case {"frames": frames}:
            return f"{answer['sent']}: acknowledged, {frames} frames"
        case {"attempts": attempts}:
            again = "" if attempts == 1 else f" at the {attempts}th time"
            return f"{answer['sent']}: acknowledged{again}"
    return f"{answer['sent']}: written to {answer['file']}"


def _ask(playing: Playing, specimens: Sequence[str]) -> None:
    if playing.driver not in _ASKING:
        raise click.UsageError(f"a {playing.driver} does not ask; {', '.join(_ASKING)} do")
    player = _player(playing)
    line = player.line if isinstance(player, LinePlayer) else None
    if line is None:
        raise click.UsageError("only over a line")
    with closing(line):
        if playing.driver in ASKERS:
            _ask_law(playing.driver, specimens, line)
        else:
            _ask_astm(player, specimens, line)


def _ask_astm(player: LinePlayer | FolderPlayer, specimens: Sequence[str], line: Line) -> None:
    player.play(question(specimens, datetime.now().astimezone()))
    answer = heard_answer(line)
    if answer is None:
        raise click.ClickException("the host did not answer within a minute")
    for order in answer.orders:
        gone = "taken back" if order.action is Action.CANCEL else ""
        _say_order(order.specimen, order.tests, gone, urgent=order.priority == "S")
    if not answer.orders:
        click.echo("no order")


def _ask_law(driver: str, specimens: Sequence[str], line: Line) -> None:
    now = datetime.now().astimezone()
    try:
        answer = heard_work(driver, specimens, line, now, within_s=ANSWER_WITHIN_S)
    except HostCannotTell as error:
        raise click.ClickException(f"the host cannot tell: {error}") from error
    if answer is None:
        raise click.ClickException("the host did not answer within half a minute")
    for work in answer:
        _say_order(work.specimen, work.tests or ("no order",), urgent=work.urgent)
    if not answer:
        click.echo("no order")


def _say_order(specimen: str, tests: Sequence[str], *more: str, urgent: bool) -> None:
    told = (specimen, " ".join(tests), "urgent" if urgent else "", *more)
    click.echo("  ".join(filter(None, told)))


def _player(playing: Playing) -> LinePlayer | FolderPlayer:
    try:
        return playing.player(lambda whom: click.echo(f"waiting for {whom} …", err=True))
    except CannotPlay as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{playing.link}: {error.strerror or error}") from error
