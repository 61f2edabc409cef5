"""The character set of an HL7 v2 message: MSH-18, table 0211.

Found before anything else can be read, from bytes in which every character set but UTF-16 writes
`MSH|…` as ASCII does. A message whose bytes do not fit what it declares is read as Latin-1, which
takes every byte: an operator's name must not hold a result back, and ids are ASCII.
"""

import codecs
import re

_CODECS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",  # senders of `UNICODE` alone write UTF-8; UTF-16 is known by its bytes
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UTF-16": "utf-16",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR87": "iso2022_jp",
} | {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}

_WIDE = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    ("MSH".encode("utf-16-le"), "utf-16-le"),
    ("MSH".encode("utf-16-be"), "utf-16-be"),
)


class UnknownCharset(ValueError):
    """MSH-18 names a character set that table 0211 of this program does not have."""


def wide(data: bytes | bytearray) -> str | None:
    """The UTF-16 codec of bytes that begin so, else None."""
    return next((codec for head, codec in _WIDE if data.startswith(head)), None)


def decoded(data: bytes) -> tuple[str, str]:
    """The text and the codec it was read by. Raises `UnknownCharset`."""
    codec = wide(data)
    if codec:
        return data.decode(codec, errors="replace").lstrip("\ufeff"), codec
    name = _declared(data.removeprefix(codecs.BOM_UTF8))
    codec = _CODECS.get(name)
    if codec is None:
        if not data.isascii() or b"\x1b" in data:
            raise UnknownCharset(name)
        codec = "utf-8"
    if codec == "utf-16":
        codec = "utf-8"  # said so, but the bytes are not
    try:
        return data.decode(codec).lstrip("\ufeff"), codec
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def encoded(text: str, field_mark: str) -> bytes:
    """A letter that the declared set does not have goes out as `?`. Raises `UnknownCharset`."""
    name = _declared(re.split("[\r\n]", text, maxsplit=1)[0].encode("utf-8"), field_mark)
    codec = _CODECS.get(name)
    if codec is None:
        raise UnknownCharset(name)
    if name == "ASCII":
        codec = "ascii"
    return text.encode("utf-16-le" if codec == "utf-16" else codec, errors="replace")


def _declared(data: bytes, field_mark: str | None = None) -> str:
    """MSH-18's first repeat that says anything, of a message's bytes."""
    mark = field_mark.encode("utf-8") if field_mark else data[3:4]
    if not data.startswith(b"MSH") or not mark:
        return ""
    fields = re.split(b"[\r\n]", data, maxsplit=1)[0].split(mark, 18)
    if len(fields) < 18:
        return ""
    repeat = fields[1][1:2]
    names = fields[17].split(repeat) if repeat else [fields[17]]
    said = (name.decode("latin-1").strip().upper() for name in names)
    return next((name for name in said if name and name != '""'), "")
