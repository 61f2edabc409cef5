"""`lims-gateway`: sits beside analysers, keeps what they send, and posts it to the LIMS.

One line by options, or many by `lims-gateway run gateway.toml`. Exit 0 after SIGTERM or SIGINT or
when done, 1 when the thing asked about failed, 2 used wrongly, and of a folder that cannot be used:
3 another gateway has it, 4 a newer version wrote it, 5 it cannot be read or written, 6 disk full.
"""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import structlog

from instruments.astm.frames import IDLE_TIMEOUT_S
from instruments.beside import STOP_S
from instruments.drivers.exports import ALL_DRIVERS
from instruments.gateway_commands import fail, quarantine, replay, retry, revive, status
from instruments.heartbeat import Heartbeat
from instruments.lims_door import LimsDoor, require_address
from instruments.lims_orders import tests_asked
from instruments.line_driver import line_driver
from instruments.lines_file import GatewaySettings, LinesRefused, read_lines
from instruments.simulate import simulate
from instruments.spool import SpoolRefused
from instruments.station import LineSettings, Station, WorkFell
from instruments.trying import try_capture

_log = structlog.get_logger()


@click.group(invoke_without_command=True)
@click.option("--link", help="/dev/…, rfc2217://, socket:// or listen://host:port, or a folder")
@click.option("--driver", type=click.Choice(sorted(ALL_DRIVERS)), help="which analyser it is")
@click.option(
    "--profile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="in place of --driver: a file that tells how to read it",
)
@click.option("--site", "sites", multiple=True, help="our barcodes begin so: verify their check")
@click.option("--spool", type=click.Path(path_type=Path), help="folder that keeps what came")
@click.option("--post", "url", help="the LIMS' address for messages, …/api/v1/messages")
@click.option("--token-file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--instrument", help="what the LIMS calls this analyser  [default: the spool's name]")
@click.option("--name", help="what the LIMS calls this gateway  [default: the instrument's name]")
@click.option("--host-query", is_flag=True, help="answer from the LIMS what it asks to measure")
@click.option(
    "--test", "tests", multiple=True, help="with --host-query: ASSAY=CODE on the analyser"
)
@click.option("--idle-timeout", default=IDLE_TIMEOUT_S, show_default=True, help="seconds")
@click.option("--baud", default=9600, show_default=True)
@click.pass_context
def main(
    context: click.Context,
    *,
    link: str | None,
    driver: str | None,
    profile: Path | None,
    sites: tuple[str, ...],
    spool: Path | None,
    url: str | None,
    token_file: Path | None,
    instrument: str | None,
    name: str | None,
    host_query: bool,
    tests: tuple[str, ...],
    idle_timeout: float,
    baud: int,
) -> None:
    """Read an analyser's line, keep what it sends, post it to the LIMS."""
    if context.invoked_subcommand:
        structlog.configure(logger_factory=_to_stderr)
        return
    if not (link and spool and url and token_file):
        raise click.UsageError(
            "--link, --driver or --profile, --spool, --post and --token-file are needed"
        )
    try:
        reads = line_driver(driver, profile, sites)
        codes = {assay: code for assay, _, code in (test.partition("=") for test in tests)}
        asked = tests_asked(host_query, codes, reads)
    except ValueError as refused:
        raise click.UsageError(str(refused)) from refused
    instrument = instrument or spool.resolve().name
    try:
        require_address(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--post") from error
    line = LineSettings(instrument, reads, link, spool, baud, idle_timeout, tests=asked)
    settings = GatewaySettings(name or instrument, url, token_file, (line,))
    _log_as_json()
    with _Running(settings) as running:
        running.alone()


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="only read the file and say what is wrong with it")
def run(*, file: Path, check: bool) -> None:
    """Serve every line of FILE (gateway.toml) in this process."""
    try:
        settings = read_lines(file)
    except LinesRefused as refused:
        raise click.UsageError(str(refused)) from refused
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if check:
        click.echo(f"{len(settings.lines)} lines, all well")
        return
    _log_as_json()
    with _Running(settings) as running:
        running.all_lines()


for command in (status, quarantine, retry, revive, replay, try_capture, simulate):
    main.add_command(command)


class _Running:
    """The process's threads and its end."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises click.BadParameter for a link that is none."""
        self._stop = threading.Event()
        self._lims = LimsDoor(settings.post, settings.token_file)
        try:
            self._stations = [Station(line, self._lims, self._stop) for line in settings.lines]
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--link") from error
        self._heartbeat = Heartbeat(settings.name, self._stations, self._lims)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "_Running":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop.set())
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(3 * STOP_S)
        self._lims.close()

    def alone(self) -> None:
        """One line in this thread: its trouble is ours, and whoever started us starts us again."""
        self._start([self._beat])
        try:
            self._stations[0].work()
        except SpoolRefused as refused:
            fail(f"the spool cannot be used: {refused}", refused.exit_code)
        except WorkFell as fell:
            raise click.ClickException(str(fell)) from fell

    def all_lines(self) -> None:
        """A thread a line. One that cannot work waits and is tried again; only when none can from
        the start is there nothing to run for."""
        refused = [error for station in self._stations if (error := station.refusal())]
        for error in refused:
            click.echo(str(error), err=True)
        if len(refused) == len(self._stations):
            fail("no line can be served", refused[0].exit_code)
        self._start([station.run for station in self._stations])
        self._start([self._beat])
        self._stop.wait()

    def _beat(self) -> None:
        self._heartbeat.run(self._stop)

    def _start(self, works: Sequence[Callable[[], None]]) -> None:
        for work in works:
            thread = threading.Thread(target=work, daemon=True)
            self._threads.append(thread)
            thread.start()


def _to_stderr(*_names: object) -> structlog.PrintLogger:
    """What a command says on standard output may be read by a program."""
    return structlog.PrintLogger(sys.stderr)


def _log_as_json() -> None:
    """JSON lines on standard error. Barcodes, digests and counts; never a patient record."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    main()
