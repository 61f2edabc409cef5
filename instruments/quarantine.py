"""Copies of messages that no driver could read, beside the gateway: for whoever repairs the line.

The message itself is in the journal and goes to the LIMS like any other. A copy leaves when the
same bytes are read after all (`replay` with a newer driver), that of a message that broke off when
its tail has made it whole, and the oldest beyond `MOST`.
Looking at bytes is written down first: they may name people.
"""

import getpass
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from instruments.broken_off import BROKEN_OFF, is_beginning
from instruments.measurement import Capture, MalformedCapture, Quarantine
from instruments.own_file import for_us_alone
from instruments.troubles import quarantine_todo

MOST: Final = 200  # copies; a line that says so much nonsense is not read one by one
_FOLDER: Final = "quarantine"
_WHOLE, _PART = ".json", ".part.json"  # a part is looked at again with each message that is whole


@dataclass(frozen=True, slots=True)
class Unread:
    """One message in quarantine, without its bytes."""

    digest: str
    captured_at: str
    driver: str
    reason: str
    detail: str
    size_bytes: int

    @property
    def todo(self) -> str:
        return quarantine_todo(self.reason)


def settle(outbox: Path, capture: Capture) -> None:
    """Keep a copy of what could not be read; forget the copy of what now could. Raises OSError."""
    folder = outbox / _FOLDER
    why = capture.quarantine
    if why is None:
        if folder.is_dir():
            _forget(folder, capture)
        return
    folder.mkdir(exist_ok=True, mode=0o700)
    part = not capture.complete and why.reason in BROKEN_OFF
    copy = folder / f"{capture.digest}{_PART if part else _WHOLE}"
    draft = copy.with_suffix(".new")
    with open(draft, "w", encoding="utf-8", opener=for_us_alone) as file:
        file.write(json.dumps(capture.to_json()))
    draft.replace(copy)
    for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-MOST]:
        old.unlink(missing_ok=True)


def _forget(folder: Path, read: Capture) -> None:
    for suffix in (_WHOLE, _PART):
        (folder / f"{read.digest}{suffix}").unlink(missing_ok=True)
    if not read.complete:
        return
    for path in folder.glob(f"*{_PART}"):
        try:
            part = Capture.from_json(json.loads(path.read_bytes()))
        except ValueError:
            continue  # listed as damaged
        if is_beginning(part.raw, read.raw):
            path.unlink(missing_ok=True)


def count(outbox: Path) -> int:
    return len(list((outbox / _FOLDER).glob("*.json")))


def listed(outbox: Path) -> list[Unread]:
    """Oldest first. A copy that cannot be read is listed as such."""
    found = []
    for path in (outbox / _FOLDER).glob("*.json"):
        try:
            one = Capture.from_json(json.loads(path.read_bytes()))
        except (OSError, ValueError) as error:  # MalformedCapture is a ValueError
            found.append(Unread(_digest(path), "", "", "damaged-file", str(error), 0))
            continue
        why = one.quarantine or Quarantine("", "")
        size = len(one.raw)
        found.append(Unread(one.digest, one.captured_at, one.driver, why.reason, why.detail, size))
    return sorted(found, key=lambda unread: unread.captured_at)


def shown(outbox: Path, digest_start: str, *, log: Path, now: datetime) -> Capture | None:
    """The one message whose digest begins so; None when none or several do. Who looked is on disk
    before the bytes are given. Raises OSError, MalformedCapture."""
    found = [
        path for path in (outbox / _FOLDER).glob("*.json") if path.name.startswith(digest_start)
    ]
    if len(found) != 1:
        return None
    try:
        capture = Capture.from_json(json.loads(found[0].read_bytes()))
    except ValueError as error:
        raise MalformedCapture(str(error)) from error
    line = {"at": now.isoformat(), "by": _reader(), "digest": capture.digest}
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return capture


def _digest(copy: Path) -> str:
    return copy.name.removesuffix(_WHOLE).removesuffix(".part")


def hex_lines(raw: bytes) -> list[str]:
    """Offset, sixteen bytes, and what of them is printable."""
    lines = []
    for at in range(0, len(raw), 16):
        row = raw[at : at + 16]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {printable}")
    return lines


def text_lines(raw: bytes) -> str:
    """As text, each control character by its picture: a terminal would obey some of them."""
    text = raw.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_PICTURES.get(letter, letter) for letter in text)


_PICTURES: Final = {
    **{chr(code): chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    **{chr(code): "�" for code in range(0x7F, 0xA0)},
}


def _reader() -> str:
    """Who asked, through sudo too."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
