"""Files of people's data: for the account that wrote them, and for nobody else on the machine."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def for_us_alone(path: str, flags: int) -> int:
    """The ``opener`` of a file that may name people: a new one is 0600, whatever the umask is."""
    return os.open(path, flags, 0o600)


def put_in_place(pieces: Iterable[bytes], to: Path) -> None:
    """Write a document that appears whole or not at all, and is ours alone even where it takes the
    place of one that was not. Raises OSError."""
    beside = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with open(beside, "wb", opener=for_us_alone) as file:
            for piece in pieces:
                file.write(piece)
        beside.replace(to)
    finally:
        with suppress(OSError):
            beside.unlink()
