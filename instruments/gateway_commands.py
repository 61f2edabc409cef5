"""What a person asks a gateway's folders: how it stands, what could not be read, try it again.

Each command works beside a gateway that runs and without one, for one folder (`--spool`) or for
all lines of a `gateway.toml`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from instruments import quarantine as unread
from instruments.drivers.exports import ALL_DRIVERS
from instruments.line_driver import NoSuchDriver, told_driver
from instruments.line_standing import here, in_words, standing
from instruments.lines_file import LinesRefused, read_lines
from instruments.outbox import retry as put_back
from instruments.quarantine import hex_lines, text_lines
from instruments.replay import replay as told_again
from instruments.spool import Spool, SpoolRefused
from instruments.station import utc_now

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """One line's folder, who keeps it there and by what it is read, when known."""

    spool: Spool
    instrument: str
    reads: Mapping[str, Any]  # as `LineDriver.told` says it


def _of_lines(command: F) -> F:
    """Which lines: a file, one folder, or one instrument of the file."""
    for option in (
        click.argument(
            "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
        ),
        click.option("--spool", type=click.Path(exists=True, file_okay=False, path_type=Path)),
        click.option("--instrument", help="only this line of the file"),
    ):
        command = option(command)
    return command


_as_json = click.option("--json", "as_json", is_flag=True, help="one JSON object")


@click.command()
@_of_lines
@_as_json
def status(*, file: Path | None, spool: Path | None, instrument: str | None, as_json: bool) -> None:
    """How each line of FILE (or of one --spool) stands: what is kept, what waits, what is dead."""
    lines = [
        standing(place.spool, place.instrument, place.reads.get("driver"))
        for place in _places(file, spool, instrument)
    ]
    if as_json:
        click.echo(json.dumps({"lines": lines}, ensure_ascii=False))
        return
    for line in lines:
        click.echo("\n".join(in_words(line)))


@click.command()
@_of_lines
@click.option("--show", "digest", help="the bytes of the message whose digest begins so")
@click.option("--text", "as_text", is_flag=True, help="with --show: as text, not as hexadecimal")
@_as_json
def quarantine(
    *,
    file: Path | None,
    spool: Path | None,
    instrument: str | None,
    digest: str | None,
    as_text: bool,
    as_json: bool,
) -> None:
    """Messages that no driver could read. Looking at one's bytes is written to readings.log."""
    places = _places(file, spool, instrument)
    if digest:
        _show(places, digest, as_text=as_text, as_json=as_json)
        return
    found = [
        {"instrument": place.instrument, **asdict(one), "todo": one.todo}
        for place in places
        for one in unread.listed(place.spool.outbox)
    ]
    if as_json:
        click.echo(json.dumps({"quarantined": found}, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one['digest'][:16]}  {here(one['captured_at'])}  {one['instrument']}")
        click.echo(f"  {one['reason']}: {one['detail']} ({one['size_bytes']} bytes)")
        click.echo(f"  -> {one['todo']}")
    click.echo(f"{len(found)} in quarantine")


@click.command()
@_of_lines
@click.option("--letter", "letters", multiple=True, help="a dead letter, as status names it")
@click.option("--all", "every", is_flag=True, help="every dead letter")
@_as_json
def retry(
    *,
    file: Path | None,
    spool: Path | None,
    instrument: str | None,
    letters: tuple[str, ...],
    every: bool,
    as_json: bool,
) -> None:
    """Put dead letters back in the queue once their cause is mended. The gateway may run."""
    if every is bool(letters):
        raise click.UsageError("expected --letter or --all")
    done = []
    for place in _places(file, spool, instrument):
        with _clearly(place):
            done += put_back(place.spool.outbox, None if every else letters)
    missing = sorted(set(letters) - set(done))
    if as_json:
        click.echo(json.dumps({"put_back": done, "not_found": missing}))
    else:
        click.echo(f"{len(done)} put back")
    if missing:
        raise click.ClickException(f"no dead letter of this name: {', '.join(missing)}")


@click.command(hidden=True)
@click.option("--spool", type=click.Path(exists=True, path_type=Path), required=True)
def revive(*, spool: Path) -> None:
    """What `retry --all` was called."""
    click.echo(f"{len(put_back(Spool(spool).outbox))} put back")


@click.command()
@_of_lines
@click.option(
    "--since", required=True, help="2021-07-13, or 2021-07-13T09:00 (this machine's clock)"
)
@click.option(
    "--driver", type=click.Choice(sorted(ALL_DRIVERS)), help="if it is not the line's own"
)
@click.option(
    "--profile", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="the same"
)
@click.option("--site", "sites", multiple=True, help="if they are not the line's own")
@click.option("--dry-run", is_flag=True, help="only say what would be read")
@_as_json
def replay(
    *,
    file: Path | None,
    spool: Path | None,
    instrument: str | None,
    since: str,
    driver: str | None,
    profile: Path | None,
    sites: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Tell the journal, or the files that were kept, again through the driver of today, from
    --since on. A message that the LIMS has gives the same receipt; one that it could not read is
    read anew."""
    moment = _moment(since)
    lines = []
    for place in _places(file, spool, instrument):
        try:
            reads = told_driver(place.reads, driver, profile, sites)
        except NoSuchDriver as refused:
            raise click.UsageError(f"{place.spool.root}: {refused}") from refused
        with _clearly(place):
            again = told_again(place.spool, reads.driver, place.instrument, moment, owe=not dry_run)
            told = list(again)
        lines += [{"instrument": place.instrument, **asdict(one)} for one in told]
    if as_json:
        click.echo(json.dumps({"replayed": lines}, ensure_ascii=False))
        return
    for line in lines:
        count = line["measurements"]
        read = line["quarantine"] or f"{count} measurement{'' if count == 1 else 's'}"
        held = "" if line["complete"] else ", incomplete"
        at = here(line["captured_at"])
        click.echo(f"{line['digest'][:16]}  {at}  {line['instrument']}  {read}{held}")
    click.echo(f"{len(lines)} {'would be ' if dry_run else ''}told again")


def _places(file: Path | None, spool: Path | None, instrument: str | None) -> list[Place]:
    """Raises UsageError; refuses a folder that a newer version wrote."""
    if (file is None) is (spool is None):
        raise click.UsageError("expected a gateway.toml or --spool")
    if spool:
        said = Spool(spool).last_health()
        name = instrument or str(said.get("instrument") or spool.resolve().name)
        places = [Place(Spool(spool), name, said.get("reads", said))]
    else:
        places = _in_file(file) if file else []
        if instrument:
            places = [place for place in places if place.instrument == instrument]
        if not places:
            raise click.UsageError(f"the file has no line for {instrument}")
    for place in places:
        with _clearly(place):
            place.spool.require_known_version()
    return places


def _in_file(file: Path) -> list[Place]:
    try:
        settings = read_lines(file)
    except LinesRefused as refused:
        raise click.UsageError(str(refused)) from refused
    return [Place(Spool(line.spool), line.instrument, line.reads.told()) for line in settings.lines]


def fail(message: str, exit_code: int) -> NoReturn:
    """Say it and end with the code of the trouble."""
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(exit_code)


@contextmanager
def _clearly(place: Place) -> Iterator[None]:
    """What stands in the way of the folder in words, with its exit code."""
    try:
        yield
    except SpoolRefused as refused:
        fail(str(refused), refused.exit_code)
    except OSError as error:
        unusable = place.spool.unusable(error)
        fail(str(unusable), unusable.exit_code)


def _show(places: Iterable[Place], digest: str, *, as_text: bool, as_json: bool) -> None:
    for place in places:
        with _clearly(place):
            capture = unread.shown(
                place.spool.outbox, digest, log=place.spool.readings, now=utc_now()
            )
        if capture is None:
            continue
        if as_json:
            click.echo(json.dumps(capture.to_json(), ensure_ascii=False))
        elif as_text:
            click.echo(text_lines(capture.raw))
        else:
            click.echo("\n".join(hex_lines(capture.raw)))
        return
    raise click.ClickException(f"no single message in quarantine begins with {digest}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            "expected 2021-07-13 or 2021-07-13T09:00", param_hint="--since"
        ) from error
    return moment.astimezone(UTC)  # without a zone it is this machine's own time
