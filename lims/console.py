"""What the verbs of the command line share: settings, answers, documents written to a file."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from lims.own_file import put_in_place
from lims.setting_refusals import BadSetting
from lims.settings import Settings

ACTOR = "command line"  # as the audit names whoever holds this machine's shell

as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
out = click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; it appears whole or not at all. - is standard output.",
)


def settings() -> Settings:
    """The environment's settings, or exit 2 with what to mend."""
    try:
        return Settings.from_env(os.environ)
    except BadSetting as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)


def counted(many: int, one: str, more: str | None = None) -> str:
    """1 slip, 1,204 slips: what English says of a number of them."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def say(answer: dict[str, Any], *, as_json: bool, human: Callable[[dict[str, Any]], str]) -> None:
    """One JSON object, or a sentence."""
    click.echo(json.dumps(answer, default=str) if as_json else human(answer))


def write(document: bytes, to: Path) -> None:
    """Put the document in place at once: nobody prints half of it. Raises ClickException."""
    write_pieces([document], to)


def write_pieces(pieces: Iterable[bytes], to: Path) -> None:
    """The same for a document that comes in pieces, however many."""
    if str(to) == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    try:
        put_in_place(pieces, to)
    except OSError as error:
        raise click.ClickException(f"{to} cannot be written: {error.strerror}") from error
