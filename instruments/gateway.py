"""`lims-gateway`: sits beside an analyser, keeps what it sends, and posts it to the LIMS.

Two threads: the main one reads the line and answers it, the other posts. They share only the
outbox. Exit 0 after SIGTERM or SIGINT, 1 when something it stands on is missing, 2 used wrongly.
"""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import structlog

from instruments.astm.frames import IDLE_TIMEOUT_S
from instruments.drivers import DRIVERS
from instruments.intake import Intake, intake_of
from instruments.journal import Journal, JournalInUse, journal_bytes
from instruments.link import Link, opener
from instruments.outbox import Outbox, dead_in, revive, waiting_in
from instruments.poster import Poster
from instruments.reader import Reader
from instruments.trying import try_capture

STOP_S = 5.0  # how long a stop waits for a post under way

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spool:
    """The gateway's folder."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"


def utc_now() -> datetime:
    return datetime.now(UTC)


@click.group(invoke_without_command=True)
@click.option("--link", help="/dev/…, rfc2217://, socket:// or listen://host:port")
@click.option("--driver", type=click.Choice(sorted(DRIVERS)), help="which analyser it is")
@click.option("--spool", type=click.Path(path_type=Path), help="folder that keeps what came")
@click.option("--post", "url", help="the LIMS' address for messages, …/api/v1/messages")
@click.option("--token-file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--instrument", help="what the LIMS calls this analyser  [default: the spool's name]")
@click.option("--idle-timeout", default=IDLE_TIMEOUT_S, show_default=True, help="seconds")
@click.option("--baud", default=9600, show_default=True)
@click.pass_context
def main(
    context: click.Context,
    *,
    link: str | None,
    driver: str | None,
    spool: Path | None,
    url: str | None,
    token_file: Path | None,
    instrument: str | None,
    idle_timeout: float,
    baud: int,
) -> None:
    """Read an analyser's line, keep what it sends, post it to the LIMS."""
    if context.invoked_subcommand:
        return
    if not (link and driver and spool and url and token_file):
        raise click.UsageError("--link, --driver, --spool, --post and --token-file are needed")
    instrument = instrument or spool.resolve().name
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("expected http:// or https://", param_hint="--post")
    _log_as_json()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        line = Link(opener(link, baud), stop)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--link") from error
    try:
        journal = Journal(Spool(spool).journal, now=utc_now())
        outbox = Outbox(Spool(spool).outbox)
    except (OSError, JournalInUse) as error:
        raise click.ClickException(f"the spool cannot be used: {error}") from error
    reader = Reader(DRIVERS[driver], instrument)
    intake = intake_of(reader, journal, outbox, utc_now, idle_timeout_s=idle_timeout)
    poster = Poster(outbox, url, token_file, now=utc_now)
    _log.info("started", instrument=instrument, driver=driver, torn_bytes=journal.torn_bytes)
    _run(line, intake, poster, stop)
    journal.close()
    _log.info("stopped", waiting=waiting_in(Spool(spool).outbox))


def _run(line: Link, intake: Intake, poster: Poster, stop: threading.Event) -> None:
    """If the poster falls, everything stops and is started again by whoever started us: a
    gateway that only collects would look well."""
    fell: list[BaseException] = []

    def post() -> None:
        try:
            poster.run(stop)
        except BaseException as error:
            fell.append(error)
            stop.set()
            raise

    posting = threading.Thread(target=post, name="poster", daemon=True)
    intake.take_up(time.monotonic())
    posting.start()
    try:
        while not stop.is_set():
            data = line.read()
            intake.hear(data, time.monotonic(), line.write)
            intake.tick(time.monotonic())
    finally:
        stop.set()
        line.close()
        posting.join(STOP_S)  # a post cut off here is posted again: the LIMS knows its digest
    if fell:
        raise click.ClickException(f"posting stopped: {type(fell[0]).__name__}")


@main.command()
@click.option("--spool", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def status(*, spool: Path, as_json: bool) -> None:
    """What is kept, what waits, and what the LIMS refused and why."""
    dead = dead_in(Spool(spool).outbox)
    kept, waiting = journal_bytes(Spool(spool).journal), waiting_in(Spool(spool).outbox)
    if as_json:
        letters = [{"letter": name, **asdict(refused)} for name, refused in dead]
        click.echo(json.dumps({"journal_bytes": kept, "waiting": waiting, "dead": letters}))
        return
    click.echo(f"journal  {kept} bytes")
    click.echo(f"waiting  {waiting}")
    click.echo(f"dead     {len(dead)}")
    for name, refused in dead:
        click.echo(f"  {name}  {refused.at}  {refused.status or 'not sent'}  {refused.problem}")


@main.command(name="revive")
@click.option("--spool", type=click.Path(exists=True, path_type=Path), required=True)
def revive_dead(spool: Path) -> None:
    """Put dead letters back in the queue once their cause is mended. Stop the gateway first."""
    try:
        lock = Journal(Spool(spool).journal, now=utc_now())
    except JournalInUse as error:
        raise click.ClickException(f"{error}; stop it first") from error
    click.echo(f"{revive(Spool(spool).outbox)} put back")
    lock.close()


def _log_as_json() -> None:
    """JSON lines on standard error. Barcodes, digests and counts; never a patient record."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


main.add_command(try_capture)


if __name__ == "__main__":
    main()
