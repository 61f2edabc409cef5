"""A file that an analyser's program wrote: its bytes and its name, and the text that they are.

Encodings are told apart by what cannot be mistaken: a byte order mark, the NUL of every other
byte, well-formed UTF-8. What is left is a Windows code page, and one byte cannot say of which
country: it is read as a profile declares, for example Windows-1258 of a Vietnamese Windows, and
else as Windows-1252, or as Latin-1 where that has no letter.
"""

import codecs
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from instruments.drivers.reading import Unreadable
from instruments.measurement import digest_of

MOST_BYTES: Final = 16 * 1024 * 1024  # a 384-well run with all its curves is about 12 MB
ENCODINGS: Final = ("utf-8", "utf-16", "windows-1252", "windows-1258", "latin-1")

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Export:
    """`name` is the file's own, without its folder."""

    content: bytes
    name: str

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def stem(self) -> str:
        """The name without its last ending, whichever system's slashes it carries."""
        return PurePosixPath(PureWindowsPath(self.name).name).stem.strip()

    def text(self, encoding: str | None = None) -> str:
        """Raises `Unreadable`: encoding, not-text."""
        return decoded(self.content, encoding)


def decoded(content: bytes, encoding: str | None = None) -> str:
    """The text, composed (NFC: Windows-1258 writes tone marks apart). What cannot be mistaken
    counts for more than `encoding`. Raises `Unreadable`: encoding, not-text."""
    for mark, named in _MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], named)
    if unmarked := _unmarked_utf16(content):
        return _strictly(content, unmarked)
    if encoding in ("utf-8", "utf-16"):
        return _strictly(content, encoding)
    pages = ("windows-1252", "latin-1") if encoding is None else (encoding,)
    why = Unreadable("encoding", "the file is in no known encoding")
    for guess in ("utf-8", *pages):
        try:
            return _strictly(content, guess)
        except Unreadable as refused:
            if refused.reason != "encoding":
                raise
            why = refused
    raise why


def _unmarked_utf16(content: bytes) -> str | None:
    """Text that is mostly ASCII has a NUL in every other byte."""
    head = content[:4096]
    if len(content) % 2 or len(head) < 4:
        return None
    high, low = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if low > half * 0.6 and high < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if high > half * 0.6 and low < half * 0.1 else None


def _strictly(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable("encoding", f"the file is not {encoding}: {error}") from error
    if "\0" in text:
        raise Unreadable("not-text", "the file has NUL in it: it is no text")
    return unicodedata.normalize("NFC", text)
