"""Which encoding a list was saved in, and how to write that encoding again.

Windows-1258 has Vietnamese vowels with their shape (ê, ơ) and the five tones as combining marks
after them, so its text is decomposed; what is compared is composed (NFC), what is given back is
as it came. Source: Unicode, MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1258.TXT.
"""

import codecs
import unicodedata
from enum import StrEnum
from typing import Final


class Encoding(StrEnum):
    """The encodings that lists come in; the value is Python's name for it."""

    UTF_8 = "utf-8"
    UTF_8_BOM = "utf-8-sig"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    WINDOWS_1258 = "cp1258"


_MARKS: Final = {
    codecs.BOM_UTF8: Encoding.UTF_8_BOM,
    codecs.BOM_UTF16_LE: Encoding.UTF_16_LE,
    codecs.BOM_UTF16_BE: Encoding.UTF_16_BE,
}
_MARK_OF: Final = {encoding: mark for mark, encoding in _MARKS.items()}
_LOOKED_AT: Final = 4096  # bytes: enough to see whether every second one is nought
_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"


def decoded(raw: bytes) -> tuple[str, Encoding]:
    """The text and its encoding. A byte that the encoding has not becomes U+FFFD, which the row
    that holds it is told of."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return raw.removeprefix(mark).decode(encoding, "replace"), encoding
    head = raw[:_LOOKED_AT]
    if head[1::2].count(0) * 3 > len(head):  # a third: Vietnamese has letters beyond Latin-1
        return raw.decode("utf-16-le", "replace"), Encoding.UTF_16_LE
    if head[::2].count(0) * 3 > len(head):
        return raw.decode("utf-16-be", "replace"), Encoding.UTF_16_BE
    try:
        return raw.decode("utf-8"), Encoding.UTF_8
    except UnicodeDecodeError:
        return raw.decode("cp1258", "replace"), Encoding.WINDOWS_1258


def encoded(text: str, encoding: Encoding) -> bytes:
    """The bytes of a whole file, with its mark where the encoding has one."""
    if encoding is Encoding.WINDOWS_1258:
        return _to_windows_1258(text)
    plain = "utf-8" if encoding is Encoding.UTF_8_BOM else encoding.value
    return _MARK_OF.get(encoding, b"") + text.encode(plain, "replace")


def _to_windows_1258(text: str) -> bytes:
    """A character that the code page lacks composed is written as its letter and its tone."""
    try:
        return text.encode("cp1258")
    except UnicodeEncodeError:
        return b"".join(_one_character(character) for character in text)


def _one_character(character: str) -> bytes:
    try:
        return character.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", character)
        letter = unicodedata.normalize("NFC", "".join(c for c in apart if c not in _TONES))
        tone = "".join(c for c in apart if c in _TONES)
        return (letter + tone).encode("cp1258", "replace")
